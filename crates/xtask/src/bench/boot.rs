//! How long after QEMU's start a new watch shows its first picture, beside the same base without what we add.

use std::time::Duration;

use anyhow::Result;

use super::row::{Row, Target, quantile};
use crate::image::{self, Image, Kind};
use crate::paths;
use crate::vm::{Options, Vm};

const RUNS: usize = 3;
const PATIENCE: Duration = Duration::from_mins(2);
/// As systemd says it, once at the end.
const BOOTED: &str = "Reached target multi-user.target";

/// Product and bare image in turn, each with an empty `/var`.
pub(super) fn run() -> Result<Vec<Row>> {
    let product = image::build(Kind::Product)?;
    let bare = image::build_bare(&paths::target().join("bench/bare"))?;
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(seconds(&product, |vm| vm.wait_for_first_frame(PATIENCE).map(drop))?);
        peer.push(seconds(&bare, |vm| vm.wait_for_console(BOOTED, PATIENCE))?);
    }
    let what = format!("first frame; peer: without our units to multi-user.target: s, median of {RUNS}");
    Ok(vec![Row::new(what, quantile(&ours, 0.5), Some(quantile(&peer, 0.5)), Some(Target::Ratio(1.25)))])
}

fn seconds(image: &Image, wait: impl Fn(&mut Vm) -> Result<()>) -> Result<f64> {
    let mut vm = Vm::boot(image, &Options::headless("bench"))?;
    wait(&mut vm)?;
    let seconds = vm.age().as_secs_f64();
    eprintln!("    {seconds:.1} s");
    vm.power_off()?;
    Ok(seconds)
}
