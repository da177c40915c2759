//! The core loop: fixes and rules go into the core, its effects go to the diary and the bus.

use std::time::Duration;

use anyhow::Context;
use daemon::access::Access;
use daemon::clock::boot_time;
use daemon::diary::Diary;
use daemon::notify::{self, Watchdog};
use daemon::rules::{Rules, RulesChanged};
use ipc::{names, paths};
use tokio::sync::{mpsc, watch};

use crate::bus::Location1;
use crate::config::Config;
use crate::core::{Core, Doubt, Effect, Event, Whereabouts};
use crate::{gpsd, looks};

/// Fixes waiting at most; gpsd waits then.
const QUEUE: usize = 16;
/// How long an ending daemon waits for its last lines to reach the diary.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Runs locationd until it is told to end.
///
/// # Errors
/// The bus or the name cannot be had.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let connection = daemon::bus::connect(&config.bus).await.context("cannot reach the bus")?;
    let access = Access::new(&connection, config.bus.trust);
    let (position, newest) = watch::channel(None);
    let (open, look) = watch::channel(None);
    connection.object_server().at(paths::LOCATION, Location1::new(newest, look, access)).await?;
    let diary = Diary::start(&connection).await.context("cannot listen for policyd")?;
    // Listened to before the store is read, so that no change falls between.
    let mut changed = RulesChanged::listen(&connection).await.context("cannot listen for policyd")?;
    let mut here = Here {
        core: Core::default(),
        rules: Rules::open(&config.store),
        diary: diary.clone(),
        position,
        doubts: 0,
    };
    here.apply_rules();
    connection.request_name(names::LOCATION).await.context("the name is taken")?;
    notify::ready();

    let bus = connection.clone();
    tokio::spawn(async move {
        if let Err(error) = looks::follow(bus, open).await {
            tracing::warn!(%error, "who looks is not known: nobody is given the position for it");
        }
    });
    let (sender, mut fixes) = mpsc::channel(QUEUE);
    let socket = config.gpsd;
    tokio::spawn(async move { gpsd::follow(&socket, sender).await });
    let mut watchdog = Watchdog::new();
    let shutdown = daemon::shutdown();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            fix = fixes.recv() => {
                let fix = fix.context("the client of gpsd ended")?;
                // Also without policyd's word: the file is what counts.
                here.refresh_rules();
                here.handle(Event::Fix(fix));
            }
            there = changed.next() => {
                anyhow::ensure!(there, "the bus is gone");
                here.refresh_rules();
            }
            () = watchdog.due() => watchdog.feed(),
            ended = &mut shutdown => {
                ended.context("cannot wait for signals")?;
                if !diary.flush(LAST_LINES).await {
                    tracing::warn!("the last lines did not reach the diary");
                }
                return Ok(());
            }
        }
    }
}

struct Here {
    core: Core,
    rules: Rules,
    diary: Diary,
    position: watch::Sender<Option<Whereabouts>>,
    /// Fixes in a row that were not believed, for the journal.
    doubts: u64,
}

impl Here {
    fn refresh_rules(&mut self) {
        if self.rules.refresh() {
            self.apply_rules();
        }
    }

    fn apply_rules(&mut self) {
        self.handle(Event::Rules(self.rules.in_force().map(|rules| rules.policy.zones.clone())));
    }

    fn handle(&mut self, event: Event) {
        for effect in self.core.handle(event, boot_time()) {
            match effect {
                Effect::Record(line) => {
                    tracing::info!(kind = line.kind, "a zone");
                    self.diary.record(line.kind, line.details);
                }
                Effect::PositionChanged(here) => {
                    self.doubts = 0;
                    self.position.send_replace(Some(here));
                }
                Effect::Doubted(Doubt::Repeated | Doubt::First) => {}
                Effect::Doubted(doubt) => {
                    // Once for each time in doubt: a liar must not fill the journal.
                    if self.doubts == 0 {
                        tracing::warn!(%doubt, "a fix is not believed");
                    }
                    self.doubts += 1;
                }
                Effect::Jumped => tracing::warn!("the receiver insists on another place: believed"),
            }
        }
    }
}
