//! `./nestling demo`: the first story of the watch, played on a new one without a screen to look at. Everything it
//! says was seen: on the screen, at the network, in the diary, in ModemManager.

mod apps;
pub mod family;
mod lost;
pub mod picture;
mod report;
mod scenes;
pub(crate) mod stage;

use anyhow::Result;

pub(crate) use self::apps::DRAW_OF_TWO;
use self::report::Report;
use crate::image::{self, Kind};
use crate::paths;

/// Plays it. The report is written whether it works or not.
///
/// # Errors
/// The first thing that did not happen.
pub fn run() -> Result<()> {
    let image = image::build(Kind::Development)?;
    let mut report = Report::new(paths::target().join("demo"))?;
    let outcome = scenes::play(&image, &mut report);
    report.finish(&outcome)?;
    outcome
}
