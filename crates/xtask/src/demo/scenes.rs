//! The scenes, in order; each leaves the watch as the next one needs it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use ipc::{CallState, ModemState, PolicyState};
use nestling_agent::protocol::{Reply, Request, Unit, Victim};
use sim::{Event, Walk};

use super::apps;
use super::family::{self, AUNT, Guardian, MUM, STRANGER, family_without};
use super::lost;
use super::picture::{
    ASK_PILL, GREEN_BUTTON, HELP_BUTTON, LIST_BACK, LOOKS_TODAY, RED_BUTTON, Seen, looked_at, seen,
};
use super::report::Report;
use super::stage::Stage;
use crate::image::Image;

/// A call's first two seconds, in which a touch does not count, and a little more.
const TOUCH_COUNTS: Duration = Duration::from_millis(2300);
/// Half a minute until it is noticed, and as much for a slow machine to start it.
const RECOVERS: Duration = Duration::from_secs(90);
/// How long a caller who must not ring is watched.
const WATCHED: Duration = Duration::from_secs(4);
/// A look lasts two minutes; and a slow machine.
const LOOKS: Duration = Duration::from_secs(150);
/// The first point of `tests/walks/to-school.walk`.
const WALK_BEGINS: (f64, f64) = (60.1735, 24.941);
/// Share of the screen that the hands of the face may change.
const HANDS: usize = 466 * 466 / 25;

/// All of them. If one fails, the last picture says what was on the screen.
pub(super) fn play(image: &Image, report: &mut Report) -> Result<()> {
    report.scene("1. The watch boots");
    let (mut stage, first_frame) = Stage::boot(image, "demo")?;
    report.saw(&format!("first frame {:.1} s after the machine was switched on", first_frame.as_secs_f64()));
    let outcome = story(&mut stage, report);
    if outcome.is_err() {
        picture(&mut stage, report, "last", "What was on the screen when it failed")?;
    }
    outcome?;
    stage.power_off()
}

fn story(stage: &mut Stage, report: &mut Report) -> Result<()> {
    let mut guardian = binds(stage, report)?;
    stranger(stage, report)?;
    mum(stage, report)?;
    aunt(stage, report, &mut guardian)?;
    school(stage, report, &mut guardian)?;
    lost::play(stage, report, &mut guardian)?;
    telephonyd_killed(stage, report)?;
    modem_manager_stopped(stage, report)?;
    apps::play(stage, report, &mut guardian, family_without("aunt")?)?;
    store_damaged(stage, report)?;
    log_damaged(stage, report)
}

pub(super) fn picture(stage: &mut Stage, report: &mut Report, name: &str, caption: &str) -> Result<()> {
    let file = report.picture(name);
    stage.vm.qmp()?.shot(&file)?;
    report.show(name, caption);
    Ok(())
}

fn binds(stage: &mut Stage, report: &mut Report) -> Result<Guardian> {
    stage.wait_for_screen(Seen::New)?;
    report.saw("it is the face of a watch without a guardian");
    picture(stage, report, "1-new", "A new watch, which has no guardian yet")?;
    stage.tap(ASK_PILL)?;
    stage.vm.wait_for_screen("the first-run screen", super::stage::PATIENCE, |screen| {
        seen(screen) == Seen::Other
    })?;
    std::thread::sleep(Duration::from_millis(500));
    picture(stage, report, "1-code", "A touch shows the code a guardian needs")?;
    let guardian = Guardian::bind(&mut |request| stage.ask(&request))?;
    report.saw("Mum enrolled with the code from the screen and sent the family's rules");
    stage.wait_for_screen(Seen::Face)?;
    stage.ask_until("a registered modem", &Request::World, |reply| {
        matches!(reply, Reply::World { modem: ModemState::Registered, .. }).then_some(())
    })?;
    report.saw("the modem is registered");
    picture(stage, report, "1-face", "The face")?;
    Ok(guardian)
}

/// Somebody calls who must not ring: from the network's ring to the watch's hang-up, with the screen watched.
fn turned_away(stage: &mut Stage, report: &mut Report, number: &str, face: Seen) -> Result<String> {
    let before = stage.wait_for_screen(face)?;
    let (mark, line) = (stage.world.mark(), stage.diary_mark()?);
    stage.world.call(Some(number))?;
    let watched = Instant::now();
    let mut changed = 0;
    while watched.elapsed() < WATCHED {
        let screen = stage.vm.qmp()?.screen()?;
        ensure!(seen(&screen) == face, "the screen shows {:?} while a call is turned away", seen(&screen));
        changed = changed.max(screen.difference(&before));
        std::thread::sleep(Duration::from_millis(50));
    }
    let is_it = |other: &Option<String>| other.as_deref() == Some(number);
    let rang = stage.network(
        mark,
        "the call reached the watch",
        |event| matches!(event, Event::Ringing { number } if is_it(number)),
    )?;
    let ended = stage.network(
        mark,
        "the watch ended the call",
        |event| matches!(event, Event::HungUpByWatch { number, answered: false, .. } if is_it(number)),
    )?;
    let millis = ended.at_us.saturating_sub(rang.at_us) / 1000;
    report.saw(&format!("the watch ended the call {millis} ms after the network rang"));
    report.check(
        &format!("the screen stayed as it was ({changed} pixels changed: the hands)"),
        changed < HANDS,
    )?;
    let line = stage.wait_for_line(line, "call-refused", |_| true)?;
    Ok(line.details.get("reason").cloned().unwrap_or_default())
}

fn stranger(stage: &mut Stage, report: &mut Report) -> Result<()> {
    report.scene("2. A stranger calls");
    let reason = turned_away(stage, report, STRANGER, Seen::Face)?;
    report.check("the diary has it: unknown-number", reason == "unknown-number")?;
    picture(stage, report, "2-stranger", "After the stranger's call: the face")
}

fn mum(stage: &mut Stage, report: &mut Report) -> Result<()> {
    report.scene("3. Mum calls");
    let (mark, line) = (stage.world.mark(), stage.diary_mark()?);
    stage.world.call(Some(MUM))?;
    let call = stage.wait_for_call(CallState::Ringing)?;
    let rang = Instant::now();
    report.check(&format!("it rings as {}", call.name), call.name == "Mum")?;
    stage.wait_for_screen(Seen::Ringing)?;
    picture(stage, report, "3-ringing", "Mum rings")?;
    report.saw("the screen rings");
    std::thread::sleep(TOUCH_COUNTS.saturating_sub(rang.elapsed()));
    stage.tap(GREEN_BUTTON)?;
    stage.network(mark, "the watch answered", |event| matches!(event, Event::Answered { .. }))?;
    report.saw("a touch on the green button answered");
    stage.wait_for_screen(Seen::Call)?;
    let calls = stage.ask_until("an active call in ModemManager", &Request::Calls, |reply| match reply {
        Reply::Calls(calls) if calls.iter().any(|call| call.state == 4) => Some(calls.clone()),
        _ => None,
    })?;
    report.check("ModemManager has one call, incoming and active, from Mum", {
        calls.len() == 1 && calls.iter().all(|call| call.direction == 1 && call.number == MUM)
    })?;
    // They talk. ModemManager loses a `NO CARRIER` that comes between its command and the answer to it.
    std::thread::sleep(Duration::from_secs(2));
    picture(stage, report, "3-call", "The call runs")?;
    stage.world.hang_up()?;
    stage.wait_for_screen(Seen::Face)?;
    report.saw("she hung up, and the face returned");
    stage.wait_for_line(line, "call-answered", |_| true)?;
    report.saw("the diary has it");
    is_over(stage)
}

/// Waits until the caller's hanging up has come through: ModemManager asks for it every two seconds.
pub(super) fn is_over(stage: &mut Stage) -> Result<()> {
    stage.ask_until("no call in ModemManager", &Request::Calls, |reply| {
        matches!(reply, Reply::Calls(calls) if calls.is_empty()).then_some(())
    })?;
    stage.wait_for_call(CallState::None).map(drop)
}

fn aunt(stage: &mut Stage, report: &mut Report, mum: &mut Guardian) -> Result<()> {
    report.scene("4. An order removes an aunt");
    stage.world.call(Some(AUNT))?;
    stage.wait_for_call(CallState::Ringing)?;
    stage.wait_for_screen(Seen::Ringing)?;
    stage.world.hang_up()?;
    is_over(stage)?;
    stage.wait_for_missed()?;
    report.saw("before the order her call rings, and the face says that she called");

    let without = family_without("aunt")?;
    let order = mum.set_policy(without.clone());
    let revision = family::revision(family::submit(&order, &mut |request| stage.ask(&request))?)?;
    report.saw(&format!("the signed order was taken as revision {revision}"));
    let reason = turned_away(stage, report, AUNT, Seen::Face)?;
    report.check("her next call was turned away", reason == "unknown-number")?;

    let line = stage.diary_mark()?;
    let attacks = [
        ("the same order again", order, "Replayed"),
        ("an order signed by an unknown key", mum.forged(family::family()?), "BadSignature"),
        ("Mum's order for another watch", mum.for_another_watch(family::family()?), "WrongWatch"),
    ];
    for (what, envelope, expected) in attacks {
        let reply = family::submit(&envelope, &mut |request| stage.ask(&request))?;
        let refused = matches!(&reply, Reply::Refused { name, .. } if name == expected);
        report.check(&format!("{what} was refused: {expected}"), refused)?;
    }
    let refused = stage.diary(line)?.iter().filter(|line| line.kind == "order-refused").count();
    report.check("the diary has all three", refused == 3)
}

/// The receiver sleeps between looks: a watch without a motion sensor looks every 78 seconds.
const LOOK: Duration = Duration::from_mins(3);

fn school(stage: &mut Stage, report: &mut Report, mum: &mut Guardian) -> Result<()> {
    report.scene("5. The watch walks into the school zone");
    let line = stage.diary_mark()?;
    let walk = Walk::parse(include_str!("../../../../tests/walks/to-school.walk"))?;
    if let Some(start) = walk.points().first() {
        stage.world.move_to(*start);
    }
    stage.ask_for(LOOK, "a position outside the zone", &Request::World, |reply| {
        matches!(reply, Reply::World { position, .. } if position.known && position.zone.is_empty() && position.latitude > 60.173)
            .then_some(())
    })?;
    report.saw("locationd knows where it is, outside the zone");
    mum_looks(stage, report, mum)?;
    stage.world.walk(walk);
    let started = Instant::now();
    let entered = loop {
        if let Some(entered) = stage.diary(line)?.into_iter().find(|line| line.kind == "zone-entered") {
            break entered;
        }
        ensure!(started.elapsed() < Duration::from_mins(5), "no zone was entered");
        std::thread::sleep(Duration::from_millis(500));
    };
    let detail = |name: &str| entered.details.get(name).cloned().unwrap_or_default();
    report.check("the zone is the school", detail("zone") == "school")?;
    report.check(&format!("the event has a time: {}", detail("time")), !detail("time").is_empty())?;
    let nowhere = !entered.details.contains_key("latitude") && !entered.details.contains_key("longitude");
    report.check("the diary does not keep the place", nowhere)?;
    let school = policy::Place::new(60.171, 24.941)?;
    let place = stage.ask_for(LOOK, "a position in the zone", &Request::World, |reply| match reply {
        Reply::World { position, .. } if position.zone == "school" => {
            policy::Place::new(position.latitude, position.longitude).ok()
        }
        _ => None,
    })?;
    let distance = place.distance_m(school);
    report.check(&format!("the position is {distance:.0} m from its middle"), distance <= 140.0)?;
    stage.vm.wait_for_screen("a face nobody looks at", LOOKS, |screen| {
        seen(screen) == Seen::Face && !looked_at(screen)
    })?;
    report.saw("the eye went by itself");
    picture(stage, report, "5-looks-today", "The face counts the looks of the day")?;
    stage.tap(LOOKS_TODAY)?;
    let patience = super::stage::PATIENCE;
    stage.vm.wait_for_screen("who looked today", patience, |screen| seen(screen) == Seen::Other)?;
    picture(stage, report, "5-who-looked", "A touch on the eye says who looked, and when")?;
    stage.tap(LIST_BACK)?;
    stage.wait_for_screen(Seen::Face).map(drop)
}

/// A look is an order; the child sees it.
fn mum_looks(stage: &mut Stage, report: &mut Report, mum: &mut Guardian) -> Result<()> {
    let line = stage.diary_mark()?;
    family::revision(family::submit(&mum.locate(), &mut |request| stage.ask(&request))?)?;
    let taken = Instant::now();
    stage.vm.wait_for_screen("an eye above the face", super::stage::PATIENCE, |screen| {
        seen(screen) == Seen::Face && looked_at(screen)
    })?;
    report.saw(&format!(
        "Mum looks: the eye was seen {:.2} s after her order was taken",
        taken.elapsed().as_secs_f64()
    ));
    picture(stage, report, "5-looked-at", "Mum looks where the watch is")?;
    let looked = stage.wait_for_line(line, "looked", |_| true)?;
    let is_hers = looked.details.get("name").is_some_and(|name| name == "Mum");
    report.check(
        "the diary says that Mum looked, and not where it was",
        is_hers && looked.details.len() == 2,
    )?;
    let Reply::World { position, .. } = stage.ask(&Request::World)? else {
        anyhow::bail!("the agent does not say where it is")
    };
    let told = policy::Place::new(position.latitude, position.longitude)?;
    let distance = told.distance_m(policy::Place::new(WALK_BEGINS.0, WALK_BEGINS.1)?);
    report.check(
        &format!("the position is {distance:.0} m from where the watch is"),
        position.known && distance < 30.0,
    )
}

fn telephonyd_killed(stage: &mut Stage, report: &mut Report) -> Result<()> {
    report.scene("7. telephonyd is killed during a ring");
    let mark = stage.world.mark();
    stage.world.call(Some(MUM))?;
    stage.wait_for_call(CallState::Ringing)?;
    stage.wait_for_screen(Seen::Ringing)?;
    let pid = stage.pid(Unit::Telephonyd)?;
    stage.ask(&Request::Kill { unit: Unit::Telephonyd, signal: 9 })?;
    let killed = Instant::now();
    let again =
        stage.ask_until("another telephonyd", &Request::Pid(Unit::Telephonyd), |reply| match reply {
            Reply::Pid(now) if *now != pid && *now != 0 => Some(*now),
            _ => None,
        })?;
    stage.wait_for_call(CallState::Ringing)?;
    let back = killed.elapsed();
    report.check(
        &format!(
            "SIGKILL: process {pid} became {again}, and the call rings again after {:.2} s",
            back.as_secs_f64()
        ),
        back < Duration::from_secs(2),
    )?;
    stage.wait_for_screen(Seen::Ringing)?;
    picture(stage, report, "7-still-rings", "The call still rings")?;
    let hung_up =
        stage.world.events(mark).iter().any(|event| matches!(event.event, Event::HungUpByWatch { .. }));
    report.check("the call itself never ended", !hung_up)?;
    std::thread::sleep(TOUCH_COUNTS);
    stage.tap(RED_BUTTON)?;
    stage.network(mark, "the watch hung up", |event| matches!(event, Event::HungUpByWatch { .. }))?;
    report.saw("a touch on the red button turned it away");
    stage.wait_for_screen(Seen::Face).map(drop)
}

/// Nobody ends a process that stands still but systemd, at telephonyd's wish.
fn modem_manager_stopped(stage: &mut Stage, report: &mut Report) -> Result<()> {
    let pid = stage.pid(Unit::ModemManager)?;
    stage.ask(&Request::Kill { unit: Unit::ModemManager, signal: 19 })?;
    let stopped = Instant::now();
    let again =
        stage.ask_for(RECOVERS, "another ModemManager", &Request::Pid(Unit::ModemManager), |reply| {
            if let Reply::Pid(now) = reply { Some(*now).filter(|now| ![0, pid].contains(now)) } else { None }
        })?;
    let replaced = stopped.elapsed().as_secs_f64();
    stage.ask_for(RECOVERS, "a registered modem", &Request::World, |reply| {
        matches!(reply, Reply::World { modem: ModemState::Registered, .. }).then_some(())
    })?;
    report.saw(&format!(
        "SIGSTOP: ModemManager {pid} became {again} after {replaced:.1} s, the modem is back after {:.1} s",
        stopped.elapsed().as_secs_f64()
    ));
    stage.world.call(Some(MUM))?;
    stage.wait_for_call(CallState::Ringing)?;
    stage.world.hang_up()?;
    is_over(stage)?;
    report.saw("Mum can call again");
    Ok(())
}

fn status(stage: &mut Stage) -> Result<(PolicyState, u64)> {
    match stage.ask(&Request::Status)? {
        Reply::Status { state, revision, .. } => Ok((state, revision)),
        other => anyhow::bail!("no status: {other:?}"),
    }
}

fn store_damaged(stage: &mut Stage, report: &mut Report) -> Result<()> {
    report.scene("13. Garbage in the published policy, then in the order log");
    let before = status(stage)?;
    let line = stage.diary_mark()?;
    stage.ask(&Request::Damage(Victim::PolicyStore))?;
    let damaged = Instant::now();
    stage.wait_for_line(line, "store-rebuilt", |_| true)?;
    report.saw(&format!("garbage in policy.db: built again after {:.2} s", damaged.elapsed().as_secs_f64()));
    report.check(&format!("nothing was lost: {before:?}"), status(stage)? == before)?;
    let reason = turned_away(stage, report, AUNT, Seen::Face)?;
    report.check("the aunt is still turned away", reason == "unknown-number")
}

fn log_damaged(stage: &mut Stage, report: &mut Report) -> Result<()> {
    stage.ask(&Request::Damage(Victim::OrderLog))?;
    let pid = stage.pid(Unit::Policyd)?;
    stage.ask(&Request::Kill { unit: Unit::Policyd, signal: 9 })?;
    stage.ask_until("another policyd", &Request::Pid(Unit::Policyd), |reply| {
        matches!(reply, Reply::Pid(now) if *now != pid && *now != 0).then_some(())
    })?;
    stage.ask_until("a sealed watch", &Request::Status, |reply| {
        matches!(reply, Reply::Status { state: PolicyState::Sealed, .. }).then_some(())
    })?;
    report.saw("garbage in the order log and a restart of policyd: sealed");
    stage.wait_for_screen(Seen::Locked)?;
    picture(stage, report, "13-sealed", "Sealed")?;
    let reason = turned_away(stage, report, STRANGER, Seen::Locked)?;
    report.check(&format!("a stranger still does not ring ({reason})"), !reason.is_empty())?;

    let mark = stage.world.mark();
    stage.world.call(Some(MUM))?;
    stage.wait_for_call(CallState::Ringing)?;
    stage.wait_for_screen(Seen::Ringing)?;
    report.saw("Mum still rings");
    stage.world.hang_up()?;
    is_over(stage)?;
    stage.wait_for_screen(Seen::Locked)?;

    stage.tap(HELP_BUTTON)?;
    std::thread::sleep(Duration::from_millis(800));
    picture(stage, report, "13-help", "Help is on the way unless it was a mistake")?;
    stage.network(
        mark,
        "112 was dialled",
        |event| matches!(event, Event::Dialled { number } if number == "112"),
    )?;
    report.saw("112 still dials");
    stage.wait_for_screen(Seen::Call)?;
    picture(stage, report, "13-112", "112 is being called")?;
    stage.world.answer()?;
    stage.world.hang_up()?;
    stage.wait_for_screen(Seen::Locked).map(drop)
}
