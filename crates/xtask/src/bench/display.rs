//! The compositor's work: an app in full screen that shows fifty whole pictures a second, on our shell and on Weston
//! (kiosk shell, DRM, pixman), and what wakes up when its picture stands still. Both run in the bench image, on the
//! same virtual screen and for the same client (`apps/fifty`), one boot each in turn.
//!
//! Ours is the way of every app: granted by an order, opened by a touch, started by the launcher. Weston's client is
//! a unit (`services/bench`), and instead of our shell nothing else is missing.
//!
//! **Invariants:** only the compositor's process is counted, all its threads, in the guest's own time; the client
//! must have made its pictures.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use nestling_agent::protocol::{Reply, Request};
use policy::AppGrant;
use sim::{World, WorldConfig};

use super::meter::{self, EVERY, Look};
use super::row::{Row, Target, quantile};
use crate::demo::family::{self, Guardian};
use crate::demo::picture::{APPS_BUTTON, Seen, seen};
use crate::image::{self, BENCH_APP, Image, Kind};
use crate::vm::qemu::socket;
use crate::vm::{JOURNAL_ON_CONSOLE, Options, Vm};

const ROUNDS: usize = 3;
const PATIENCE: Duration = Duration::from_mins(3);
/// Looks between which the picture moves: 20 s.
const MOVING: usize = 20 / EVERY;
/// And between which it stands still: 60 s.
const STILL: usize = 60 / EVERY;
/// Bytes that the client writes for a picture.
const PICTURE: f64 = 466.0 * 466.0 * 4.0;
/// Pictures a second, less what a busy machine may swallow.
const ENOUGH: f64 = 45.0;
/// The client, as the launcher starts it from its bundle, or as a unit does.
const CLIENT: [&str; 2] = ["app", BENCH_APP];
/// The only app of the drawer.
const FIRST_APP: (u32, u32) = (233, 215);

/// Who shows the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compositor {
    Ours,
    Weston,
}

impl Compositor {
    fn program(self) -> &'static str {
        match self {
            Self::Ours => "nestling-shell",
            Self::Weston => "weston",
        }
    }
}

/// What was measured while the picture moved.
#[derive(Debug, Clone, Copy)]
struct Moving {
    /// The compositor's part of a core, per cent.
    cpu: f64,
    /// Pictures a second.
    pictures: f64,
}

/// A machine on whose screen the client is.
struct Running {
    vm: Vm,
    _world: World,
    compositor: Compositor,
    /// Number of the first look at which the client had drawn for a while.
    first: usize,
}

/// Alternately, and in the last round the still picture as well.
pub(super) fn run() -> Result<Vec<Row>> {
    let image = image::build(Kind::Bench)?;
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    let mut still = Vec::new();
    for round in 0..ROUNDS {
        for (compositor, samples) in [(Compositor::Ours, &mut ours), (Compositor::Weston, &mut peer)] {
            if std::env::var("TMP_ONLY").is_ok_and(|only| only != compositor.program()) { continue; } // TMP
            let mut running = Running::start(&image, compositor)?;
            let moving = running.moving()?;
            let Moving { cpu, pictures } = moving;
            eprintln!("    {}: {cpu:.2} % of a core, {pictures:.1} pictures a second", compositor.program());
            samples.push(moving);
            if round + 1 == ROUNDS {
                still.push(running.still()?);
            }
            running.vm.power_off()?;
        }
    }
    let mut rows = moving_rows(&ours, &peer);
    rows.extend(still_rows(&still));
    Ok(rows)
}

fn moving_rows(ours: &[Moving], peer: &[Moving]) -> Vec<Row> {
    let median = |of: fn(&Moving) -> f64, samples: &[Moving]| {
        quantile(&samples.iter().map(of).collect::<Vec<_>>(), 0.5)
    };
    let row = |what: &str, of: fn(&Moving) -> f64, target| {
        let what = format!(
            "an app at 50 pictures a second; peer: Weston, kiosk, pixman: {what}, median of {ROUNDS}"
        );
        Row::new(what, median(of, ours), Some(median(of, peer)), target)
    };
    vec![
        row("compositor, % of a core", |moving| moving.cpu, Some(Target::Ratio(1.0))),
        row("pictures a second", |moving| moving.pictures, None),
        row("compositor, us a picture", |moving| moving.cpu * 1e4 / moving.pictures, None),
    ]
}

/// Ours by name; the peer is beside the program whose work it does.
fn still_rows(still: &[Vec<(String, u64)>]) -> Vec<Row> {
    let [ours, peer] = still else { return Vec::new() };
    let weston = peer.iter().find(|(program, _)| program == Compositor::Weston.program());
    let row = |(program, switches): &(String, u64)| {
        let is_shell = program == Compositor::Ours.program();
        let peer = weston.filter(|_| is_shell).map(|(_, switches)| *switches as f64);
        let what = format!("a still picture, 60 s: {program}, voluntary switches");
        Row::new(what, *switches as f64, peer, Some(Target::Most(2.0)))
    };
    ours.iter().map(row).collect()
}

impl Running {
    fn start(image: &Image, compositor: Compositor) -> Result<Self> {
        let bench = if compositor == Compositor::Weston { "nestling.bench=weston" } else { "" };
        let cmdline = format!("{JOURNAL_ON_CONSOLE} {bench}");
        let mut vm = Vm::boot(image, &Options { cmdline, ..Options::headless("bench") })?;
        let world = World::start_thread(WorldConfig::default())?;
        world.connect_modem(vm.socket(socket::MODEM));
        if compositor == Compositor::Ours {
            open(&mut vm)?;
        }
        let (first, _) = meter::wait(&mut vm, 0, "the client's first pictures", PATIENCE, |looks| {
            looks.iter().rev().take(2).filter(|look| look.written(&CLIENT).unwrap_or_default() > 0).count()
                == 2
        })?;
        Ok(Self { vm, _world: world, compositor, first })
    }

    fn moving(&mut self) -> Result<Moving> {
        let looks = self.looks(self.first + MOVING)?;
        let (before, after) = (at(&looks, self.first)?, at(&looks, self.first + MOVING)?);
        let client = before.until(after, &CLIENT)?;
        let compositor = before.until(after, &[self.compositor.program()])?;
        let pictures = client.written as f64 / PICTURE / client.seconds;
        ensure!(
            pictures >= ENOUGH,
            "the client made only {pictures:.1} pictures a second: the machine is busy"
        );
        Ok(Moving { cpu: 100.0 * compositor.cpu / compositor.seconds, pictures })
    }

    /// Voluntary switches of the programs that are ours, and of the compositor.
    fn still(&mut self) -> Result<Vec<(String, u64)>> {
        let from = self.first + MOVING;
        let (first, _) = meter::wait(&mut self.vm, from, "a picture that stands still", PATIENCE, |looks| {
            let mut written = looks.iter().rev().map(|look| look.written(&CLIENT));
            matches!((written.next(), written.next()), (Some(Some(after)), Some(Some(before))) if after == before)
        })?;
        let looks = self.looks(first + STILL)?;
        let (before, after) = (at(&looks, first)?, at(&looks, first + STILL)?);
        let mut programs = before.programs("nestling-");
        // The developer's agent is in no product.
        programs.retain(|program| program != "nestling-agent" && program != self.compositor.program());
        programs.insert(0, self.compositor.program().to_owned());
        programs
            .into_iter()
            .map(|program| {
                let used = before.until(after, &[program.as_str()])?;
                eprintln!(
                    "    still: {program}: {} voluntary switches, {:.1} ms",
                    used.voluntary,
                    used.cpu * 1e3
                );
                Ok((program, used.voluntary))
            })
            .collect()
    }

    /// All looks, as soon as there is one of this number.
    fn looks(&mut self, number: usize) -> Result<Vec<Look>> {
        Ok(meter::wait(&mut self.vm, number, "the meter", PATIENCE, |_| true)?.1)
    }
}

fn at(looks: &[Look], number: usize) -> Result<&Look> {
    match looks.get(number) {
        Some(look) => Ok(look),
        None => bail!("the meter did not look {number} times"),
    }
}

/// Grants the app by an order, and opens it as a child does.
fn open(vm: &mut Vm) -> Result<()> {
    vm.wait_for_first_frame(PATIENCE)?;
    let mut agent = vm.agent()?;
    let mut bearer = |request: Request| agent.ask::<_, Reply>(&request, PATIENCE);
    let mut mum = Guardian::bind(&mut bearer)?;
    let mut policy = family::family()?;
    policy.apps = vec![AppGrant { app: BENCH_APP.into(), until: None }];
    family::revision(family::submit(&mum.set_policy(policy), &mut bearer)?)?;
    for (button, wanted) in [(None, Seen::Face), (Some(APPS_BUTTON), Seen::Drawer)] {
        if let Some((x, y)) = button {
            vm.qmp()?.tap(x, y)?;
        }
        vm.wait_for_screen(&format!("the screen {wanted:?}"), PATIENCE, |screen| seen(screen) == wanted)?;
    }
    // The drawer slides in.
    std::thread::sleep(Duration::from_millis(500));
    vm.qmp()?.tap(FIRST_APP.0, FIRST_APP.1)
}
