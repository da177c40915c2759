//! The first program of the virtual machine that `./nestling test probes` starts: brings up what tests of the sandbox
//! and the catalogue need of the watch's kernel, runs every test program of its disk, and switches off.
//!
//! What it says goes to the second serial line, where no kernel message cuts a line in two: `probe: begin NAME`, the
//! test program's own lines, `probe: end NAME: HOW`, and at the very end `probe: finished`. Without that last line the
//! run does not count.
//!
//! **Invariants:** never in an image; no network, no shell; one test program at a time, and nothing of it is left when
//! the next begins.

mod machine;
mod run;

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use nix::libc::O_NOCTTY;
use nix::sys::reboot::{RebootMode, reboot};

/// Where the report goes.
const LINE: &str = "/dev/ttyS1";
/// Where the disk with the programs is: each under the path it has where it was built.
const PROGRAMS: &str = "/programs";
/// What is on it, a line each: `test PATH` is run, `program PATH` is what a test starts.
const LIST: &str = "/programs/list";

/// Why the tests did not run.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot {step} {name}")]
    File { step: &'static str, name: String, source: std::io::Error },
    #[error("cannot {step} {name}")]
    Kernel { step: &'static str, name: String, source: nix::Error },
}

fn main() {
    if let Err(error) = probe() {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        let report = format!("probe: {error}: {cause}\n");
        let _ = fs::write("/dev/kmsg", &report);
        let _ = fs::write(LINE, report);
    }
    // What is on the line has to leave the machine.
    sleep(Duration::from_millis(300));
    let _ = reboot(RebootMode::RB_POWER_OFF);
    // A kernel that cannot switch off panics when the first program ends, and QEMU ends with it.
}

fn probe() -> Result<(), Error> {
    machine::mount_basics()?;
    machine::load_modules()?;
    machine::leave_initramfs()?;
    machine::mount_the_rest()?;
    machine::delegate_cgroups()?;
    machine::loopback_up()?;
    let failed = |step| move |source| Error::File { step, name: LINE.to_owned(), source };
    let mut line =
        OpenOptions::new().write(true).custom_flags(O_NOCTTY).open(LINE).map_err(failed("open"))?;
    let list = fs::read_to_string(LIST).map_err(|source| Error::File {
        step: "read",
        name: LIST.to_owned(),
        source,
    })?;
    for program in list.lines().filter_map(|line| line.strip_prefix("program ")) {
        link(program)?;
    }
    for test in list.lines().filter_map(|line| line.strip_prefix("test ")) {
        let name = test.rsplit('/').next().unwrap_or(test);
        say(&mut line, &format!("probe: begin {name}"))?;
        let end = run::run(&format!("{PROGRAMS}{test}"), &line);
        say(&mut line, &format!("probe: end {name}: {end}"))?;
    }
    say(&mut line, "probe: finished")?;
    line.sync_all().or(Ok(()))
}

/// Lets a program be found under the path that was compiled into the tests.
fn link(program: &str) -> Result<(), Error> {
    let failed = |source| Error::File { step: "link", name: program.to_owned(), source };
    let path = Path::new(program);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    symlink(format!("{PROGRAMS}{program}"), path).map_err(failed)
}

fn say(line: &mut File, text: &str) -> Result<(), Error> {
    line.write_all(format!("{text}\n").as_bytes()).map_err(|source| Error::File {
        step: "write to",
        name: LINE.to_owned(),
        source,
    })
}
