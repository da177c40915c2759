//! The compositor's work: an app in full screen that shows fifty whole pictures a second, on our shell and on Weston
//! (kiosk shell, DRM, pixman), and what wakes up when its picture stands still. Both run in the bench image, on the
//! same virtual screen and for the same client (`apps/fifty`), one boot each in turn.
//!
//! Ours is the way of every app: granted by an order, opened by a touch, started by the launcher. Weston's client is
//! a unit (`services/bench`), and instead of our shell nothing else is missing.
//!
//! **Invariants:** only the compositor's process is counted, all its threads, in the guest's own time less what
//! others on this machine took of it ([`host`](super::host)). What is judged is
//! the processor time of a picture that reached the screen, as QEMU saw it flushed: a compositor that is late, or leaves
//! pictures out, gains nothing by it.

use std::fs;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use nestling_agent::protocol::{Reply, Request};
use policy::AppGrant;
use serde_json::json;
use sim::{World, WorldConfig};

use super::host::Processors;
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
/// What QEMU tells of each picture that reaches its screen.
const SHOWN: &str = "virtio_gpu_cmd_res_flush";
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
    /// The same as the guest counted it.
    counted: f64,
    /// Pictures a second that the client made.
    made: f64,
    /// And that the screen showed.
    shown: f64,
}

impl Moving {
    /// Microseconds of the compositor's for a picture on the screen.
    fn picture(&self) -> f64 {
        self.cpu * 1e4 / self.shown
    }
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
            let mut running = Running::start(&image, compositor)?;
            let moving = running.moving()?;
            let Moving { cpu, counted, made, shown } = moving;
            eprintln!(
                "    {}: {:.0} us a picture, {cpu:.1} % of a core ({counted:.1} % counted), {made:.1} pictures/s made, \
                 {shown:.1} shown",
                compositor.program(),
                moving.picture()
            );
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
        let what = format!("app at 50 pictures/s; peer: Weston, pixman: {what}, median of {ROUNDS}");
        Row::new(what, median(of, ours), Some(median(of, peer)), target)
    };
    vec![
        row("us of the compositor a picture", Moving::picture, Some(Target::Ratio(1.0))),
        row("% of a core, less what others took", |moving| moving.cpu, None),
        row("% of a core as the guest counts it", |moving| moving.counted, None),
        row("pictures/s shown", |moving| moving.shown, None),
    ]
}

/// Ours by name; the peer is beside the program whose work it does.
fn still_rows(still: &[Vec<(String, u64)>]) -> Vec<Row> {
    let [ours, peer] = still else { return Vec::new() };
    let weston = peer.iter().find(|(program, _)| program == Compositor::Weston.program());
    let row = |(program, switches): &(String, u64)| {
        let is_shell = program == Compositor::Ours.program();
        let peer = weston.filter(|_| is_shell).map(|(_, switches)| *switches as f64);
        let what = format!("app with a still picture, 60 s: voluntary switches of {program}");
        Row::new(what, *switches as f64, peer, Some(Target::Most(2.0)))
    };
    ours.iter().map(row).collect()
}

impl Running {
    fn start(image: &Image, compositor: Compositor) -> Result<Self> {
        let bench = if compositor == Compositor::Weston { "nestling.bench=weston" } else { "" };
        let cmdline = format!("{JOURNAL_ON_CONSOLE} {bench}");
        let mut vm = Vm::boot(image, &Options { cmdline, ..Options::headless("bench") })?;
        vm.qmp()?.command("trace-event-set-state", &json!({ "name": SHOWN, "enable": true }))?;
        let world = World::start_thread(WorldConfig::default())?;
        world.connect_modem(vm.socket(socket::MODEM));
        world.connect_sky(vm.socket(socket::GNSS));
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
        let processors = Processors::of(&mut self.vm)?;
        let (mark, then) = (self.told().len(), processors.times()?);
        let looks = self.looks(self.first + MOVING)?;
        let (told, really) = (self.told(), processors.times()?.since(then));
        let shown = pictures(told.get(mark..).unwrap_or_default());
        let (before, after) = (at(&looks, self.first)?, at(&looks, self.first + MOVING)?);
        let client = before.until(after, &CLIENT)?;
        let compositor = before.until(after, &[self.compositor.program()])?;
        ensure!(client.written > 0 && shown > 0, "nothing moved on the screen");
        let counted = 100.0 * compositor.cpu / compositor.seconds;
        Ok(Moving {
            cpu: counted * really,
            counted,
            made: client.written as f64 / PICTURE / client.seconds,
            shown: shown as f64 / client.seconds,
        })
    }

    /// What QEMU has told so far of pictures that reached its screen.
    fn told(&self) -> String {
        fs::read_to_string(self.vm.folder().join("qemu.log")).unwrap_or_default()
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

/// How many pictures were shown. A compositor with one buffer flushes it after each change; one with two shows them in
/// turn, and what it flushes once more is no new picture (Weston commits each of its pictures twice).
fn pictures(told: &str) -> usize {
    let flushed = told.lines().filter_map(|line| line.split_once(SHOWN)?.1.split(',').next());
    let buffers: Vec<&str> = flushed.collect();
    let changes = buffers.windows(2).filter(|two| two.first() != two.last()).count();
    if changes == 0 { buffers.len() } else { changes }
}

fn at(looks: &[Look], number: usize) -> Result<&Look> {
    match looks.get(number) {
        Some(look) => Ok(look),
        None => bail!("the meter did not look {number} times"),
    }
}

/// Grants the app by an order, and opens it as a child does.
fn open(vm: &mut Vm) -> Result<()> {
    wait_for(vm, Seen::New)?;
    let mut agent = vm.agent()?;
    let mut bearer = |request: Request| agent.ask::<_, Reply>(&request, PATIENCE);
    let mut mum = Guardian::bind(&mut bearer)?;
    let mut policy = family::family()?;
    policy.apps = vec![AppGrant { app: BENCH_APP.into(), until: None, permissions: vec![] }];
    family::revision(family::submit(&mum.set_policy(policy), &mut bearer)?)?;
    wait_for(vm, Seen::Face)?;
    vm.qmp()?.tap(APPS_BUTTON.0, APPS_BUTTON.1)?;
    wait_for(vm, Seen::Drawer)?;
    // The drawer slides in.
    std::thread::sleep(Duration::from_millis(500));
    vm.qmp()?.tap(FIRST_APP.0, FIRST_APP.1)
}

fn wait_for(vm: &mut Vm, wanted: Seen) -> Result<()> {
    vm.wait_for_screen(&format!("the screen {wanted:?}"), PATIENCE, |screen| seen(screen) == wanted).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_is_flushed_twice_is_one_picture() {
        let told = |buffers: &[u8]| {
            let lines =
                buffers.iter().map(|buffer| format!("{SHOWN} res 0x{buffer}, w 466, h 466, x 0, y 0\n"));
            format!("another line\n{}", lines.collect::<String>())
        };
        assert_eq!(pictures(&told(&[3, 3, 4, 4, 3, 4, 4])), 3, "the first was there before");
        assert_eq!(pictures(&told(&[2, 2, 2])), 3);
        assert_eq!(pictures(""), 0);
    }
}
