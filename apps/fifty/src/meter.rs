//! The meter: every five seconds, to standard output, a line for every process of the userland, and a bare `meter`
//! after the last:
//! `meter MILLISECONDS PID PROGRAM CPU VOLUNTARY WRITTEN`, with the monotonic time, nanoseconds on a processor
//! (proc_pid_schedstat of all threads), voluntary context switches (proc_pid_status of all threads), and bytes
//! written (`wchar` of proc_pid_io).
//!
//! **Invariants:** runs as root, or it sees nothing; a process that ends while it is looked at has no line.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

use rustix::time::{ClockId, clock_gettime};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(5);

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let ours = std::process::id().to_string();
    loop {
        let now = clock_gettime(ClockId::Monotonic);
        let milliseconds = now.tv_sec * 1000 + now.tv_nsec / 1_000_000;
        let mut text = String::new();
        for entry in fs::read_dir("/proc")? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(pid) = name.to_str().filter(|pid| pid.bytes().all(|byte| byte.is_ascii_digit())) else {
                continue;
            };
            if pid != ours
                && let Some(line) = line(&entry.path())
            {
                writeln!(text, "meter {milliseconds} {pid} {line}")?;
            }
        }
        text.push_str("meter\n");
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        drop(out);
        thread::sleep(EVERY);
    }
}

/// What one process used; nothing of a thread of the kernel, which has no program.
fn line(process: &Path) -> Option<String> {
    let program = fs::read_link(process.join("exe")).ok()?;
    let program = program.file_name()?.to_str()?;
    let (mut cpu, mut voluntary) = (0, 0);
    for task in fs::read_dir(process.join("task")).ok()? {
        let task = task.ok()?.path();
        cpu += first_number(&fs::read_to_string(task.join("schedstat")).ok()?)?;
        voluntary += field(&fs::read_to_string(task.join("status")).ok()?, "voluntary_ctxt_switches:")?;
    }
    let written = field(&fs::read_to_string(process.join("io")).ok()?, "wchar:")?;
    Some(format!("{program} {cpu} {voluntary} {written}"))
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| first_number(line.strip_prefix(name)?))
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_voluntary_switches_are_not_the_others() {
        let status = "Threads:\t1\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t9\n";
        assert_eq!(field(status, "voluntary_ctxt_switches:"), Some(7));
    }

    #[test]
    fn this_process_has_used_something() {
        let line = line(Path::new("/proc/self")).unwrap();
        let numbers: Vec<u64> = line.split(' ').skip(1).map(|number| number.parse().unwrap()).collect();
        assert!(numbers.len() == 3 && numbers[0] > 0, "{line}");
    }
}
