//! The scene of a watch that is not at hand: a guardian looks for it, then says that it is lost.

use std::time::{Duration, Instant};

use anyhow::Result;
use orders::Envelope;
use sim::Event;

use super::family::{self, Guardian, MUM};
use super::picture::{FOUND_PILL, GUARDIAN_PILL, Seen};
use super::report::Report;
use super::scenes::{is_over, picture};
use super::stage::Stage;

/// Plays it: the watch shows its face before and after.
pub(super) fn play(stage: &mut Stage, report: &mut Report, mum: &mut Guardian) -> Result<()> {
    report.scene("6. The watch is not at hand");
    searched_for(stage, report, mum)?;
    lost(stage, report, mum)
}

fn take(stage: &mut Stage, order: &Envelope) -> Result<u64> {
    family::revision(family::submit(order, &mut |request| stage.ask(&request))?)
}

fn searched_for(stage: &mut Stage, report: &mut Report, mum: &mut Guardian) -> Result<()> {
    let line = stage.diary_mark()?;
    take(stage, &mum.ring())?;
    let taken = Instant::now();
    stage.wait_for_screen(Seen::SearchedFor)?;
    report.saw(&format!(
        "Mum looks for the watch: it says so {:.2} s after her order was taken",
        taken.elapsed().as_secs_f64()
    ));
    picture(stage, report, "6-searched-for", "Mum looks for the watch")?;
    let searched = stage.wait_for_line(line, "searched", |_| true)?;
    let is_hers = searched.details.get("name").is_some_and(|name| name == "Mum");
    report.check("the diary says that Mum did", is_hers)?;
    stage.tap(FOUND_PILL)?;
    stage.wait_for_screen(Seen::Face)?;
    report.saw("a touch on Found! ended it");
    Ok(())
}

fn lost(stage: &mut Stage, report: &mut Report, mum: &mut Guardian) -> Result<()> {
    let (mark, line) = (stage.world.mark(), stage.diary_mark()?);
    take(stage, &mum.lost(true))?;
    stage.wait_for_screen(Seen::Lost)?;
    stage.wait_for_line(line, "lost", |_| true)?;
    report.saw("she says that it is lost: the screen has help and her, and the diary has it");
    picture(stage, report, "6-lost", "For whoever found it")?;
    stage.tap(GUARDIAN_PILL)?;
    stage.network(
        mark,
        "the finder calls Mum",
        |event| matches!(event, Event::Dialled { number } if number == MUM),
    )?;
    stage.wait_for_screen(Seen::Call)?;
    report.saw("the finder's touch calls her");
    stage.world.answer()?;
    // They talk. ModemManager loses a `NO CARRIER` that comes between its command and the answer to it.
    std::thread::sleep(Duration::from_secs(2));
    stage.world.hang_up()?;
    is_over(stage)?;
    stage.wait_for_screen(Seen::Lost)?;
    take(stage, &mum.lost(false))?;
    stage.wait_for_screen(Seen::Face)?;
    report.saw("it is lost until she says that it was found");
    Ok(())
}
