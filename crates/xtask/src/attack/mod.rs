//! The attack on a watch that is off: a technician has its storage on his bench and does to every file under `/var`
//! what can be done to a file. After each deed the watch is switched on, with its own TPM, and looked at from outside.
//!
//! Survived means: the rules are those of the family's last order, or the watch is sealed; a stranger, and an aunt whom
//! that order removed, do not ring; nobody can enrol as its first guardian; 112 is dialled. While sealed whoever wrote
//! the list of guardians chooses who rings (design, "Invariants"), and no more.

mod deeds;
mod storage;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use ipc::{Call, CallState, ModemState, PolicyState};
use nestling_agent::protocol::{Reply, Request};
use orders::Envelope;
use sim::Event;

use self::deeds::{Deed, Lives, Watch};
use self::storage::{Found, Storage, copy};
use self::table::Table;
use crate::demo::family::{self, AUNT, Guardian, STRANGER};
use crate::demo::stage::Stage;
use crate::image::{self, Image, Kind};
use crate::vm::Options;
use crate::{paths, process};

/// The folder of the machine below `target/vm`.
const MACHINE: &str = "attack";

/// How many deeds the watch survived, and how many it did not.
///
/// # Errors
/// The watches of the story do not come up.
pub fn run(only: &[String]) -> Result<(u64, u64)> {
    let image = image::build(Kind::Development)?;
    let bench = paths::target().join("attack");
    fs::create_dir_all(&bench)?;
    let story = Story::live(&image, &bench)?;
    let files = Storage::open(&story.lives.now)?.files("/lib")?;
    let deeds = deeds::all(&files);
    let wanted = |deed: &&Deed| only.is_empty() || only.iter().any(|only| deed.whom.contains(only.as_str()));
    let commit = process::text(
        Command::new("git").args(["rev-parse", "--short=10", "HEAD"]).current_dir(paths::root()),
    )?;
    let mut table = Table::load(&deeds);
    let (mut passed, mut failed) = (0, 0);
    for deed in deeds.iter().filter(wanted) {
        let Some((state, verdict)) = story.suffer(&image, deed, &files)? else { continue };
        let word =
            verdict.as_ref().map_or_else(|error| format!("NOT SURVIVED: {error:#}"), |()| "survived".into());
        println!("   {} {}: {state}, {word}", deed.whom, deed.what);
        *if verdict.is_ok() { &mut passed } else { &mut failed } += 1;
        // As far as it came: a machine may be wanted back before the end.
        table.set(deed, &state, verdict.is_ok(), commit.trim());
        table.write()?;
    }
    Ok((passed, failed))
}

/// The lives before the attack.
struct Story {
    lives: Lives,
    /// What the TPMs remember, as it was when the watches were switched off.
    tpms: Tpms,
    /// The family's last order.
    revision: u64,
    /// An order to wipe the watch, which the family signed and has not sent.
    wipe: Envelope,
}

struct Tpms {
    its: PathBuf,
    others: PathBuf,
    new: PathBuf,
}

fn keep() -> Options {
    Options { fresh: false, ..Options::headless(MACHINE) }
}

fn is_registered(watch: &mut Stage) -> Result<()> {
    watch.ask_until("a registered modem", &Request::World, |reply| {
        matches!(reply, Reply::World { modem: ModemState::Registered, .. }).then_some(())
    })
}

/// How long a call has to be noticed. ModemManager misses one that comes while it still sets a modem up; then it comes again.
const NOTICED: Duration = Duration::from_secs(8);
const CALLS: usize = 4;
/// A watch that a deed keeps from starting does so every time; QEMU that ends by a signal of its own does not.
const MACHINES: usize = 2;
const NEVER_UP: &str = "never up";

/// A call that rings, which shows that telephonyd has read the rules.
fn rings(watch: &mut Stage, number: &str) -> Result<()> {
    for _ in 0..CALLS {
        // An order is answered before telephonyd has read what it made.
        std::thread::sleep(Duration::from_secs(1));
        watch.world.call(Some(number))?;
        let called = Instant::now();
        let mut ringing = false;
        while !ringing && called.elapsed() < NOTICED {
            ringing = call_of(watch)?.state == CallState::Ringing;
            std::thread::sleep(Duration::from_millis(50));
        }
        watch.world.hang_up()?;
        is_over(watch)?;
        if ringing {
            return Ok(());
        }
    }
    bail!("{number} does not ring")
}

fn call_of(watch: &mut Stage) -> Result<Call> {
    match watch.ask(&Request::Call)? {
        Reply::Call(call) => Ok(call),
        other => bail!("telephonyd does not say which call there is: {other:?}"),
    }
}

/// Waits until ModemManager has forgotten the call too: the next one would wait behind it.
fn is_over(watch: &mut Stage) -> Result<()> {
    watch.ask_until("no call in ModemManager", &Request::Calls, |reply| {
        matches!(reply, Reply::Calls(calls) if calls.is_empty()).then_some(())
    })?;
    watch.wait_for_call(CallState::None).map(drop)
}

impl Story {
    fn live(image: &Image, bench: &Path) -> Result<Self> {
        let var = || paths::vm(MACHINE).join("var.img");
        let at = |name: &str| bench.join(name);
        let lives = Lives {
            now: at("now.img"),
            earlier: at("earlier.img"),
            other: at("other.img"),
            unbound: at("unbound.img"),
        };
        let (mut watch, _) = Stage::start(image, &Options::headless(MACHINE))?;
        is_registered(&mut watch)?;
        watch.power_off()?;
        copy(&var(), &lives.unbound)?;
        let tpm = paths::vm(MACHINE).join("tpm");
        let tpms = Tpms { its: at("tpm"), others: at("tpm-other"), new: at("tpm-unbound") };
        copy_folder(&tpm, &tpms.new)?;

        // The attacker's own watch, whose guardian he is.
        let (mut watch, _) = Stage::start(image, &Options::headless(MACHINE))?;
        is_registered(&mut watch)?;
        let mut attacker = Guardian::bind(&mut |request| watch.ask(&request))?;
        let mut policy = family::family()?;
        for contact in policy.contacts.iter_mut().filter(|contact| contact.id == "dad") {
            contact.numbers = vec![STRANGER.parse()?];
        }
        let order = attacker.set_policy(policy);
        family::revision(family::submit(&order, &mut |request| watch.ask(&request))?)?;
        rings(&mut watch, STRANGER)?;
        watch.power_off()?;
        copy(&var(), &lives.other)?;
        copy_folder(&tpm, &tpms.others)?;

        // The family's watch: with the aunt, and without her.
        let (mut watch, _) = Stage::start(image, &Options::headless(MACHINE))?;
        is_registered(&mut watch)?;
        let mut mum = Guardian::bind(&mut |request| watch.ask(&request))?;
        rings(&mut watch, AUNT)?;
        watch.power_off()?;
        copy(&var(), &lives.earlier)?;
        let (mut watch, _) = Stage::start(image, &keep())?;
        is_registered(&mut watch)?;
        let order = mum.set_policy(family::family_without("aunt")?);
        let revision = family::revision(family::submit(&order, &mut |request| watch.ask(&request))?)?;
        opens_draw(&mut watch)?;
        watch.power_off()?;
        copy(&var(), &lives.now)?;
        copy_folder(&tpm, &tpms.its)?;
        Ok(Self { lives, tpms, revision, wipe: mum.wipe() })
    }

    /// Does it and looks; `None` where there is nothing to do. Where the machine itself fell over it is tried again.
    fn suffer(&self, image: &Image, deed: &Deed, files: &[Found]) -> Result<Option<(String, Result<()>)>> {
        let mut seen = None;
        for _ in 0..MACHINES {
            if !deeds::commit(deed, files, &self.lives, &paths::vm(MACHINE).join("var.img"))? {
                return Ok(None);
            }
            let (state, verdict) = self.examine(image, deed);
            let fell_over = state == NEVER_UP && verdict.is_err();
            seen = Some((state, verdict));
            if !fell_over {
                break;
            }
        }
        Ok(seen)
    }

    /// Switches the watch on and looks at it.
    fn examine(&self, image: &Image, deed: &Deed) -> (String, Result<()>) {
        let mut state = NEVER_UP.to_owned();
        let verdict = (|| {
            let tpm = match deed.watch() {
                Watch::Its => &self.tpms.its,
                Watch::Others => &self.tpms.others,
                Watch::New => &self.tpms.new,
            };
            copy_folder(tpm, &paths::vm(MACHINE).join("tpm"))?;
            if deed.is_a_wipe() {
                self.wiped(image)?;
            }
            let (mut watch, _) = Stage::start(image, &keep())?;
            is_registered(&mut watch)?;
            let found = watch.ask_until("a state", &Request::Status, |reply| match reply {
                Reply::Status { state, revision, .. } => Some((*state, *revision)),
                _ => None,
            })?;
            state = format!("{:?}", found.0).to_lowercase();
            if deed.is_a_wipe() {
                nobodys(&mut watch, found.0)?;
            } else {
                self.judge(&mut watch, found, deed)?;
            }
            watch.power_off()
        })();
        (state, verdict)
    }

    /// The family's order comes, and the watch ends to begin anew.
    fn wiped(&self, image: &Image) -> Result<()> {
        let (mut watch, _) = Stage::start(image, &keep())?;
        is_registered(&mut watch)?;
        // The answer may be lost with the machine that gives it.
        let _ = family::submit(&self.wipe, &mut |request| watch.ask(&request));
        watch.vm.wait_for_end(Duration::from_mins(1)).context("the watch goes on")?;
        Ok(())
    }

    fn judge(&self, watch: &mut Stage, found: (PolicyState, u64), deed: &Deed) -> Result<()> {
        match found {
            (PolicyState::Bound, revision) if revision == self.revision => {}
            (PolicyState::Sealed, _) => {
                let reply = watch.ask(&Request::OpenEnrolment)?;
                ensure!(matches!(reply, Reply::Refused { .. }), "a sealed watch shows a code");
            }
            other => bail!("it is {other:?}"),
        }
        for number in [STRANGER, AUNT] {
            if !deed.chooses_who_rings() {
                turned_away(watch, number)?;
            }
        }
        if found.0 == PolicyState::Bound {
            rings(watch, family::MUM).context("Mum")?;
        }
        let mark = watch.world.mark();
        let reply = watch.ask(&Request::DialEmergency("112".into()))?;
        ensure!(matches!(reply, Reply::Done), "112: {reply:?}");
        let dialled = |event: &Event| matches!(event, Event::Dialled { number } if number == "112");
        watch.network(mark, "112 was dialled", dialled).map(drop)
    }
}

/// As it left the factory: whoever holds it may bind it, and there is nobody who rings.
fn nobodys(watch: &mut Stage, state: PolicyState) -> Result<()> {
    ensure!(state == PolicyState::Unbound, "it is {state:?}");
    let reply = watch.ask(&Request::OpenEnrolment)?;
    ensure!(matches!(reply, Reply::Code(_)), "no code: {reply:?}");
    for number in [STRANGER, AUNT, family::MUM] {
        turned_away(watch, number)?;
    }
    Ok(())
}

fn turned_away(watch: &mut Stage, number: &str) -> Result<()> {
    for _ in 0..CALLS {
        let mark = watch.world.mark();
        watch.world.call(Some(number))?;
        let called = Instant::now();
        let ended = |event: &Event| matches!(event, Event::HungUpByWatch { answered: false, .. });
        while called.elapsed() < NOTICED {
            let call = call_of(watch)?;
            ensure!(call.state == CallState::None, "{number} rings as {}", call.contact);
            if watch.world.events(mark).iter().any(|stamped| ended(&stamped.event)) {
                return is_over(watch);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        watch.world.hang_up()?;
        is_over(watch)?;
    }
    bail!("{number} was never ended")
}

/// Opens the drawing pad, so that an app's files are on the storage too.
fn opens_draw(watch: &mut Stage) -> Result<()> {
    use crate::demo::picture::{APPS_BUTTON, Seen};
    watch.wait_for_screen(Seen::Face)?;
    watch.tap(APPS_BUTTON)?;
    watch.wait_for_screen(Seen::Drawer)?;
    watch.tap(crate::demo::DRAW_OF_TWO)?;
    watch.wait_for_screen(Seen::App).map(drop)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    process::run(Command::new("cp").arg("-r").arg("--").arg(from).arg(to))
}
