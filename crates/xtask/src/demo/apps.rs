//! The scenes with apps: one is opened, drawn on, covered by a call and stopped by an order; one floods; one was never
//! signed.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ipc::{AppSession, AppState, CallState};
use nestling_agent::protocol::{Reply, Request};
use policy::{AppGrant, Policy};

use super::family::{self, Guardian, MUM};
use super::picture::{APPS_BUTTON, PAPER, Seen};
use super::report::Report;
use super::scenes::{is_over, picture};
use super::stage::Stage;
use crate::vm::screen::Screen;

/// Where the drawer's pictures are: with two apps side by side, with three the last below.
pub(crate) const DRAW_OF_TWO: (u32, u32) = (305, 215);
const BEADS_OF_THREE: (u32, u32) = (161, 135);
const FLOOD_OF_THREE: (u32, u32) = (233, 285);
/// A stroke across the paper.
const STROKE: ((u32, u32), (u32, u32)) = ((140, 190), (320, 270));
const ON_STROKE: (usize, usize) = (230, 230);
/// How much time the order leaves; what the watch counts aloud are the last ten seconds.
const LEAVES: i64 = 14;

/// Plays them, with Mum's key. `policy` is the one in force.
pub(super) fn play(stage: &mut Stage, report: &mut Report, mum: &mut Guardian, policy: Policy) -> Result<()> {
    let drawn = draws(stage, report)?;
    call_above(stage, report, &drawn)?;
    time_is_up(stage, report, mum, policy.clone())?;
    flood(stage, report, mum, policy)?;
    unsigned(stage, report)
}

/// What a technician with the storage in his hands would have put onto it: a bundle nobody signed, by the name of an
/// app the family granted.
pub(super) fn sideloaded(folder: &Path) -> Result<PathBuf> {
    let bundles = folder.join("lib/nestling/bundles");
    std::fs::create_dir_all(&bundles)?;
    std::fs::write(bundles.join("beads-1.erofs"), crate::image::bundle("flood")?)?;
    Ok(folder.to_owned())
}

fn session(stage: &mut Stage, what: &str, fits: impl Fn(&AppSession) -> bool) -> Result<AppSession> {
    stage.ask_until(what, &Request::App, |reply| match reply {
        Reply::App(session) if fits(session) => Some(session.clone()),
        _ => None,
    })
}

fn open(stage: &mut Stage, app: (u32, u32)) -> Result<Instant> {
    stage.wait_for_screen(Seen::Face)?;
    stage.tap(APPS_BUTTON)?;
    stage.wait_for_screen(Seen::Drawer)?;
    std::thread::sleep(Duration::from_millis(300));
    stage.tap(app)?;
    Ok(Instant::now())
}

fn draws(stage: &mut Stage, report: &mut Report) -> Result<Screen> {
    report.scene("8. An app");
    let line = stage.diary_mark()?;
    stage.wait_for_screen(Seen::Face)?;
    stage.tap(APPS_BUTTON)?;
    stage.wait_for_screen(Seen::Drawer)?;
    picture(stage, report, "8-drawer", "The apps the family granted; one of them nobody signed")?;
    stage.tap(DRAW_OF_TWO)?;
    let touched = Instant::now();
    let paper = stage.wait_for_screen(Seen::App)?;
    report.saw(&format!(
        "a touch opened the drawing pad, on the screen after {:.1} s",
        touched.elapsed().as_secs_f64()
    ));
    stage
        .wait_for_line(line, "app-opened", |line| line.details.get("app").is_some_and(|app| app == "draw"))?;
    report.saw("the diary has it");
    report.check("the paper is empty", is_paper(&paper, ON_STROKE))?;
    stage.vm.qmp()?.swipe(STROKE.0, STROKE.1, 12)?;
    stage.vm.wait_for_screen("a stroke", super::stage::PATIENCE, |screen| !is_paper(screen, ON_STROKE))?;
    report.saw("a finger draws a stroke");
    // Its end is smoothed, and the pad's own buttons follow.
    std::thread::sleep(Duration::from_secs(1));
    picture(stage, report, "8-draw", "The drawing pad, under the watch's own SOS button")?;
    stage.vm.qmp()?.screen()
}

fn is_paper(screen: &Screen, (x, y): (usize, usize)) -> bool {
    screen.pixel(x, y).is_some_and(|pixel| pixel.iter().zip(&PAPER).all(|(a, b)| a.abs_diff(*b) <= 12))
}

fn call_above(stage: &mut Stage, report: &mut Report, drawn: &Screen) -> Result<()> {
    report.scene("9. Mum calls while the child draws");
    stage.world.call(Some(MUM))?;
    stage.wait_for_call(CallState::Ringing)?;
    stage.wait_for_screen(Seen::Ringing)?;
    picture(stage, report, "9-call-above", "The call is above the app")?;
    let frozen = session(stage, "an app that stands still", |session| session.state == AppState::Frozen)?;
    report.check("the app stands still while it is covered", frozen.reason == "hidden")?;
    // Across her picture and the paper under it, away from the two buttons.
    stage.vm.qmp()?.swipe((150, 110), (320, 110), 8)?;
    stage.world.hang_up()?;
    is_over(stage)?;
    let after = stage.wait_for_screen(Seen::App)?;
    let changed = after.difference(drawn);
    report.check(
        &format!("she hung up, and the drawing is as it was ({changed} pixels changed): no touch reached it"),
        changed == 0,
    )
}

fn time_is_up(stage: &mut Stage, report: &mut Report, mum: &mut Guardian, mut policy: Policy) -> Result<()> {
    report.scene("10. Time is up, by order");
    for grant in &mut policy.apps {
        grant.until = (grant.app == "draw").then(|| family::now() + LEAVES);
    }
    order(stage, mum, policy)?;
    report.saw(&format!("Mum's order leaves {LEAVES} seconds"));
    session(stage, "an end", |session| session.until_ms > 0)?;
    std::thread::sleep(Duration::from_secs(u64::try_from(LEAVES - 5)?));
    picture(stage, report, "10-seconds", "The last seconds are counted")?;
    let frozen = session(stage, "time is up", |session| session.reason == "time-up")?;
    report.check("the app stands still: time-up", frozen.state == AppState::Frozen)?;
    std::thread::sleep(Duration::from_millis(500));
    picture(stage, report, "10-time-up", "Time is up, above the drawing")?;
    let before = stage.vm.qmp()?.screen()?;
    stage.vm.qmp()?.swipe((150, 120), (320, 120), 6)?;
    let changed = stage.vm.qmp()?.screen()?.difference(&before);
    report.check("a finger draws nothing any more", changed == 0)?;
    session(stage, "the app's end", |session| session.state == AppState::None)?;
    stage.wait_for_screen(Seen::Face)?;
    report.saw("the app was ended, and the face returned");
    Ok(())
}

fn order(stage: &mut Stage, mum: &mut Guardian, policy: Policy) -> Result<u64> {
    let order = mum.set_policy(policy);
    family::revision(family::submit(&order, &mut |request| stage.ask(&request))?)
}

fn flood(stage: &mut Stage, report: &mut Report, mum: &mut Guardian, mut policy: Policy) -> Result<()> {
    report.scene("11. An app that floods the screen");
    policy.apps.push(AppGrant { app: "flood".into(), until: None, permissions: vec![] });
    order(stage, mum, policy)?;
    let line = stage.diary_mark()?;
    let touched = open(stage, FLOOD_OF_THREE)?;
    let closed = stage.wait_for_line(line, "app-closed", |line| {
        line.details.get("app").is_some_and(|app| app == "flood")
    })?;
    let after = touched.elapsed();
    let reason = closed.details.get("reason").cloned().unwrap_or_default();
    report.check(
        &format!("it was ended for `{reason}`, {:.1} s after the touch", after.as_secs_f64()),
        reason == "flood",
    )?;
    stage.wait_for_screen(Seen::Sorry)?;
    picture(stage, report, "11-flood", "It stopped")?;
    stage.wait_for_screen(Seen::Face)?;
    report.saw("the face returned");
    Ok(())
}

fn unsigned(stage: &mut Stage, report: &mut Report) -> Result<()> {
    report.scene("12. An app nobody signed");
    let line = stage.diary_mark()?;
    open(stage, BEADS_OF_THREE)?;
    stage.wait_for_screen(Seen::NotChecked)?;
    picture(stage, report, "12-unsigned", "Put onto the storage, granted, and not signed")?;
    let refused = stage.wait_for_line(line, "app-refused", |_| true)?;
    let reason = refused.details.get("reason").context("a refusal has a reason")?;
    report.check(&format!("the diary has why: {reason}"), reason == "not-signed")?;
    stage.wait_for_screen(Seen::Face)?;
    report.saw("the face returned");
    Ok(())
}
