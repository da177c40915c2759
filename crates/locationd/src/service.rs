//! The core loop: fixes and rules go into the core, its effects go to the diary, the track and the bus; beside it the plan says
//! when the receiver is on.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use daemon::access::Access;
use daemon::clock::{boot_time, unix_time};
use daemon::diary::Diary;
use daemon::notify::{self, Watchdog};
use daemon::rules::{Rules, RulesChanged};
use daemon::wall::{Now, Wall};
use ipc::{names, paths};
use policy::ScheduleKind;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::bus::Location1;
use crate::config::Config;
use crate::core::{Battery, Core, Doubt, Effect, Event, Fix, Power, PowerEffect, PowerEvent, Whereabouts};
use crate::newest::{Coarse, Newest};
use crate::receiver::Receiver;
use crate::sensors::Sensors;
use crate::sides::Sides;
use crate::track::Keeper;
use crate::{cells, help, looks, sides};

/// Fixes waiting at most; gpsd waits then.
const QUEUE: usize = 16;
/// Between two looks at the clock at most, while a child is expected somewhere, and otherwise.
const LONGEST: Duration = Duration::from_mins(5);
const NOTHING: Duration = Duration::from_hours(24);
/// Between two questions for the cell at least.
const CELL_EVERY: Duration = Duration::from_secs(20);
/// How long an ending daemon waits for its last lines to reach the diary.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Runs locationd until it is told to end.
///
/// # Errors
/// The bus or the name cannot be had.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let connection = daemon::bus::connect(&config.bus).await.context("cannot reach the bus")?;
    let access = Access::new(&connection, config.bus.trust);
    let (newest, told) = watch::channel(Newest::default());
    let old = Duration::from_secs(config.cell_after);
    let (open, look) = watch::channel(None);
    let (help, mut helped) = watch::channel(None);
    let object = Location1::new(told, old, look, help, access);
    connection.object_server().at(paths::LOCATION, object).await?;
    let diary = Diary::start(&connection).await.context("cannot listen for policyd")?;
    // Listened to before the store is read, so that no change falls between.
    let mut changed = RulesChanged::listen(&connection).await.context("cannot listen for policyd")?;
    let receiver = Receiver { gpsd: config.gpsd, commands: config.gpsd_commands, device: config.receiver };
    let (wanted, is_wanted) = watch::channel(config.receiver_always_on);
    let before = sides::load(&config.state).unwrap_or_else(|error| {
        let cause = error.source().map(ToString::to_string);
        tracing::warn!(%error, cause, "no zone is known");
        Vec::new()
    });
    let mut here = Here {
        core: Core::after(before),
        sensors: Sensors::new(config.power_supply, config.iio),
        power: (!config.receiver_always_on).then(|| Power::new(boot_time())),
        wanted,
        wall: Wall::default(),
        rules: Rules::open(&config.store),
        diary: diary.clone(),
        track: Keeper::start(&config.state, &config.runtime).context("cannot start the track's thread")?,
        sides: Sides::start(config.state.clone(), diary.clone()),
        newest,
        looks_since: boot_time(),
        asks: Arc::default(),
        asked: None,
        doubts: 0,
        help: None,
    };
    here.apply_rules();
    connection.request_name(names::LOCATION).await.context("the name is taken")?;
    notify::ready();

    let (bus, mut looked) = (connection.clone(), open.subscribe());
    tokio::spawn(async move {
        if let Err(error) = looks::follow(bus, open).await {
            tracing::warn!(%error, "who looks is not known: nobody is given the position for it");
        }
    });
    let (sender, mut cells) = mpsc::channel(1);
    tokio::spawn(cells::follow(connection.clone(), Arc::clone(&here.asks), sender));
    let (sender, mut fixes) = mpsc::channel(QUEUE);
    tokio::spawn(receiver.follow(is_wanted, sender));
    let mut watchdog = Watchdog::new();
    let mut look_at = here.expected();
    let shutdown = daemon::shutdown();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            fix = fixes.recv() => {
                let fix = fix.context("the client of gpsd ended")?;
                // Also without policyd's word: the file is what counts.
                if here.refresh_rules() {
                    look_at = here.expected();
                }
                here.handle(Event::Fix(fix));
            }
            Some(cell) = cells.recv() => here.handle(Event::Cell(cell)),
            () = at(here.power.as_ref().map(Power::due)) => {
                here.feel();
                here.plan_quiet();
                here.plan(PowerEvent::Due);
            }
            Ok(()) = looked.changed() => {
                let ends: Option<Duration> = *looked.borrow_and_update();
                if ends.is_some() {
                    here.feel();
                    here.plan(PowerEvent::Looked);
                }
            }
            Ok(()) = helped.changed() => here.help_called(*helped.borrow_and_update()),
            there = changed.next() => {
                anyhow::ensure!(there, "the bus is gone");
                if here.refresh_rules() {
                    look_at = here.expected();
                }
            }
            () = sleep_until(look_at) => {
                here.look_at_the_clock();
                look_at = here.expected();
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

/// Comes at a moment of the boot-time clock, or never.
async fn at(due: Option<Duration>) {
    match due {
        Some(due) => tokio::time::sleep(due.saturating_sub(boot_time())).await,
        None => std::future::pending().await,
    }
}

struct Here {
    core: Core,
    sensors: Sensors,
    /// `None`: the receiver is always on.
    power: Option<Power>,
    wanted: watch::Sender<bool>,
    wall: Wall,
    rules: Rules,
    diary: Diary,
    track: Keeper,
    sides: Sides,
    newest: watch::Sender<Newest>,
    /// Since when the receiver looks for a fix.
    looks_since: Duration,
    /// Told when the cell is to be asked for, and when that was last.
    asks: Arc<Notify>,
    asked: Option<Duration>,
    /// Fixes in a row that were not believed, for the journal.
    doubts: u64,
    /// Until when the diary says that telephonyd may read the position.
    help: Option<Duration>,
}

impl Here {
    /// Whether there are others.
    fn refresh_rules(&mut self) -> bool {
        let others = self.rules.refresh();
        if others {
            self.apply_rules();
        }
        others
    }

    /// Help was called, and until then telephonyd may read the position.
    fn help_called(&mut self, until: Option<Duration>) {
        self.plan(PowerEvent::Sos);
        // Once for what may be read, however often it was called for.
        if std::mem::replace(&mut self.help, until) != until {
            self.diary.record(help::LINE, [("minutes", (help::OPEN.as_secs() / 60).to_string())]);
        }
    }

    /// When the clock is to be looked at: now and then, for it may be set.
    fn expected(&self) -> Instant {
        let unix = unix_time();
        let rules = self.rules.in_force();
        let next = rules.and_then(|rules| self.core.next_expected(&rules.policy.time_zone, unix));
        let wait = next.map(|at| Duration::from_secs(at.saturating_sub(unix).unsigned_abs()).min(LONGEST));
        Instant::now() + wait.unwrap_or(NOTHING)
    }

    fn look_at_the_clock(&mut self) {
        if let Some(time_zone) = self.rules.in_force().map(|rules| rules.policy.time_zone.clone()) {
            self.handle(Event::Clock(unix_time(), time_zone));
        }
    }

    fn apply_rules(&mut self) {
        let rules = self.rules.in_force().map(|rules| &rules.policy);
        self.track.keep_for(rules.map(|rules| rules.retention.track_h));
        let zones = rules.map(|rules| rules.zones.clone());
        self.feel();
        self.plan(PowerEvent::Zones(zones.clone().unwrap_or_default()));
        self.plan_quiet();
        if let Some(hours) = self.rules.in_force().map(|rules| rules.policy.retention.track_h) {
            self.handle(Event::Keep(hours));
        }
        self.handle(Event::Rules(zones));
    }

    /// Until when class or bedtime is in force for certain, on the boot-time clock.
    fn quiet(&mut self) -> Option<Duration> {
        self.wall.set(Now::read());
        let (rules, unix) = (self.rules.in_force()?, self.wall.moment().unix);
        let quiet = |kind| matches!(kind, ScheduleKind::Class | ScheduleKind::Bedtime);
        let in_force = rules.policy.in_force(unix).any(|schedule| quiet(schedule.kind));
        in_force.then(|| self.wall.boot_at(rules.policy.in_force_until(unix).unwrap_or(i64::MAX)))
    }

    /// The kernel is asked whenever somebody is awake for the plan's sake. A battery nobody knows of is as good as a full one.
    fn feel(&mut self) {
        let Some(before) = self.power.as_ref().map(Power::battery) else { return };
        let (steps, battery) = (self.sensors.steps(), self.sensors.battery(before));
        self.plan(PowerEvent::Steps(steps));
        self.plan(PowerEvent::Battery(battery.unwrap_or(Battery::Good)));
    }

    fn plan_quiet(&mut self) {
        let quiet = self.quiet();
        self.plan(PowerEvent::Quiet(quiet));
    }

    fn plan(&mut self, event: PowerEvent) {
        let Some(power) = &mut self.power else { return };
        for effect in power.handle(event, boot_time()) {
            match effect {
                PowerEffect::Receiver(on) => {
                    tracing::debug!(on, "the receiver");
                    if on {
                        self.looks_since = boot_time();
                        self.ask_for_the_cell();
                    }
                    self.wanted.send_replace(on);
                }
                PowerEffect::KeepLast => {
                    let newest = self.newest.borrow();
                    if let Some(here) = newest.here.clone().filter(|here| here.doubt.is_none()) {
                        self.track.seen(here, Some(boot_time().saturating_sub(newest.believed)));
                    }
                }
            }
        }
    }

    /// Whoever is awake asks, but not for every fix.
    fn ask_for_the_cell(&mut self) {
        let now = boot_time();
        if self.asked.is_none_or(|asked| now.saturating_sub(asked) >= CELL_EVERY) {
            self.asked = Some(now);
            self.asks.notify_one();
        }
    }

    /// Tells it; returns whether it is of another instant.
    fn tell(&mut self, here: &Whereabouts) -> bool {
        let now = boot_time();
        let mut is_other = false;
        self.newest.send_modify(|newest| {
            is_other = newest.here.as_ref().is_none_or(|last| last.time != here.time);
            if is_other {
                // The first of a look.
                if newest.believed <= self.looks_since {
                    newest.took = now.saturating_sub(self.looks_since);
                }
                newest.believed = now;
            }
            newest.here = Some(here.clone());
        });
        is_other
    }

    fn tell_coarse(&mut self, fix: Fix) {
        let now = boot_time();
        let coarse = Coarse { fix, told: now, took: now.saturating_sub(self.looks_since) };
        self.newest.send_modify(|newest| newest.coarse = Some(coarse));
    }

    fn handle(&mut self, event: Event) {
        let is_fix = matches!(event, Event::Fix(_));
        if is_fix {
            self.ask_for_the_cell();
        }
        let effects = self.core.handle(event, boot_time());
        // Before the position, which may end the look.
        self.plan(PowerEvent::Undecided(self.core.undecided()));
        for effect in effects {
            match effect {
                Effect::Record(line) => {
                    tracing::info!(kind = line.kind, "a zone");
                    self.diary.record(line.kind, line.details);
                }
                Effect::PositionChanged(here) => {
                    if here.doubt.is_none() {
                        self.doubts = 0;
                    }
                    let is_other = self.tell(&here);
                    if is_fix && is_other {
                        let place = here.place;
                        // Whoever reads the track later sees no mark: what may be false is not in it.
                        if here.doubt.is_none() {
                            self.track.seen(here, None);
                        }
                        // At last: what ends the look may have this very position kept.
                        self.plan(PowerEvent::Believed(place));
                    }
                }
                Effect::Coarse(fix) => self.tell_coarse(fix),
                Effect::CellChanged(cell) => self.newest.send_modify(|newest| newest.cell = cell),
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
        // After the lines of the diary: what is lost between is told once more.
        if let Some(sides) = self.core.keep(boot_time()) {
            self.sides.keep(sides);
        }
    }
}
