//! What the meter of the bench image (`apps/fifty`, `nestling-bench-meter.service`) writes into the journal, read
//! from the machine's console.
//!
//! **Invariants:** a look that is not whole, because the console ends in it, is none; a line that the kernel wrote
//! into is left out, and its process is then missing in that look.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::vm::Vm;

/// Between two looks of the meter, seconds.
pub(super) const EVERY: usize = 5;

/// What all processes have used at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Milliseconds since the machine started.
    at: u64,
    processes: BTreeMap<u32, Used>,
}

/// What one process has used since it started.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Used {
    program: String,
    /// Nanoseconds on a processor.
    cpu: u64,
    /// Voluntary context switches.
    voluntary: u64,
    /// Bytes.
    written: u64,
}

/// What one process used between two looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Use {
    /// For how long it was looked at, seconds.
    pub(super) seconds: f64,
    /// Seconds on a processor.
    pub(super) cpu: f64,
    /// Voluntary context switches.
    pub(super) voluntary: u64,
    /// Bytes written.
    pub(super) written: u64,
}

impl Look {
    fn find(&self, programs: &[&str]) -> Option<(u32, &Used)> {
        let found = self.processes.iter().find(|(_, used)| programs.contains(&used.program.as_str()))?;
        Some((*found.0, found.1))
    }

    /// What the first process of these names has written so far.
    pub(super) fn written(&self, programs: &[&str]) -> Option<u64> {
        self.find(programs).map(|(_, used)| used.written)
    }

    /// The programs whose names begin so.
    pub(super) fn programs(&self, beginning: &str) -> Vec<String> {
        let names = self.processes.values().map(|used| &used.program);
        names.filter(|name| name.starts_with(beginning)).cloned().collect()
    }

    /// What the process of one of these names used from this look to a later one.
    ///
    /// # Errors
    /// It is not the same process all the time.
    pub(super) fn until(&self, later: &Self, programs: &[&str]) -> Result<Use> {
        let (pid, before) = self.find(programs).with_context(|| format!("{programs:?} does not run"))?;
        let after = later.processes.get(&pid).with_context(|| format!("{programs:?} ended"))?;
        Ok(Use {
            seconds: later.at.saturating_sub(self.at) as f64 / 1e3,
            cpu: after.cpu.saturating_sub(before.cpu) as f64 / 1e9,
            voluntary: after.voluntary.saturating_sub(before.voluntary),
            written: after.written.saturating_sub(before.written),
        })
    }
}

/// Waits for the first look that `fits`, beginning at number `from`, and returns its number and all looks so far.
///
/// # Errors
/// It did not come.
pub(super) fn wait(
    vm: &mut Vm,
    from: usize,
    what: &str,
    patience: Duration,
    fits: impl Fn(&[Look]) -> bool,
) -> Result<(usize, Vec<Look>)> {
    vm.wait_for(patience, what, |vm| {
        let looks = parse(&vm.console());
        let found = (from..looks.len()).find(|last| looks.get(..=*last).is_some_and(&fits));
        Ok(found.map(|number| (number, looks)))
    })
}

/// Reads all whole looks of a console.
fn parse(console: &str) -> Vec<Look> {
    let (mut looks, mut look) = (Vec::new(), Look::default());
    for line in console.lines() {
        let Some((_, text)) = line.split_once("]: meter") else { continue };
        if text.trim().is_empty() {
            looks.push(std::mem::take(&mut look));
        } else if let Some((at, pid, used)) = process(text) {
            look.at = at;
            look.processes.insert(pid, used);
        }
    }
    looks
}

fn process(text: &str) -> Option<(u64, u32, Used)> {
    let [at, pid, program, cpu, voluntary, written] = text.split_whitespace().collect::<Vec<_>>()[..] else {
        return None;
    };
    let used = Used {
        program: program.to_owned(),
        cpu: cpu.parse().ok()?,
        voluntary: voluntary.parse().ok()?,
        written: written.parse().ok()?,
    };
    Some((at.parse().ok()?, pid.parse().ok()?, used))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSOLE: &str = "[    5.1] fifty[80]: meter 5000 7 weston 1000000000 10 0\n\
                           [    5.1] fifty[80]: meter 5000 8 app 5 6 7\n\
                           [    5.1] fifty[80]: meter\n\
                           [    5.2] systemd[1]: Something else.\n\
                           [   10.1] fifty[80]: meter 10000 7 weston 1500000000 14 3\n\
                           [   10.1] fifty[80]: meter 10000 8 ap[   10.2] kernel: oh\n\
                           [   10.1] fifty[80]: meter\n\
                           [   15.1] fifty[80]: meter 15000 7 weston 2000000000 19 9\n";

    #[test]
    fn whole_looks_are_read_and_subtracted() {
        let looks = parse(CONSOLE);
        assert_eq!(looks.len(), 2, "the third is not whole");
        let used = looks[0].until(&looks[1], &["x", "weston"]).unwrap();
        assert_eq!(used, Use { seconds: 5.0, cpu: 0.5, voluntary: 4, written: 3 });
        assert_eq!(looks[0].written(&["app"]), Some(7));
        assert_eq!(looks[0].programs("we"), ["weston"]);
    }

    #[test]
    fn a_process_that_is_not_there_all_the_time_is_no_measurement() {
        let looks = parse(CONSOLE);
        assert!(looks[0].until(&looks[1], &["app"]).is_err());
        assert!(looks[1].until(&looks[0], &["app"]).is_err());
    }
}
