//! How much of the guest's time is not the guest's: while a virtual processor is ready but another process of this
//! machine has the real one, the guest's clock goes on, and the guest counts that time for whoever it was running.
//! The host's scheduler knows both times (proc_pid_schedstat: running, waiting to run), so they can be told apart.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::vm::Vm;

/// The threads of a machine's virtual processors.
pub(super) struct Processors(Vec<PathBuf>);

/// Nanoseconds, of all of them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    running: u64,
    waiting: u64,
}

impl Processors {
    pub(super) fn of(vm: &mut Vm) -> Result<Self> {
        let answer = vm.qmp()?.command("query-cpus-fast", &json!({}))?;
        let threads: Vec<PathBuf> = answer
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|processor| processor.get("thread-id").and_then(Value::as_u64))
            // Of whichever process: the folder of a thread is found by its own number.
            .map(|thread| PathBuf::from(format!("/proc/{thread}/schedstat")))
            .collect();
        anyhow::ensure!(!threads.is_empty(), "QEMU names no processor: {answer}");
        Ok(Self(threads))
    }

    /// Until now.
    pub(super) fn times(&self) -> Result<Times> {
        let mut times = Times { running: 0, waiting: 0 };
        for file in &self.0 {
            let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
            let thread = parse(&text).with_context(|| format!("{} holds {text}", file.display()))?;
            times.running += thread.running;
            times.waiting += thread.waiting;
        }
        Ok(times)
    }
}

impl Times {
    /// The part of the guest's time in which it really ran, 0 to 1, between then and now.
    pub(super) fn since(self, then: Self) -> f64 {
        let running = self.running.saturating_sub(then.running) as f64;
        let waiting = self.waiting.saturating_sub(then.waiting) as f64;
        if running > 0.0 { running / (running + waiting) } else { 1.0 }
    }
}

fn parse(text: &str) -> Option<Times> {
    let mut numbers = text.split_whitespace();
    let (running, waiting) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    Some(Times { running, waiting })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_a_processor_is_not_the_guests() {
        let (then, now) = (parse("100 50 7\n").unwrap(), parse("400 150 9\n").unwrap());
        assert!((now.since(then) - 0.75).abs() < 1e-9);
        assert!((then.since(then) - 1.0).abs() < 1e-9);
        assert_eq!(parse("100"), None);
    }

    #[test]
    fn this_kernel_tells() {
        assert!(parse(&fs::read_to_string("/proc/thread-self/schedstat").unwrap()).is_some());
    }
}
