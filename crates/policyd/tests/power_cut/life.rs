//! A short life of a watch, and what must hold whenever it was cut short.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail, ensure};
use ipc::{PolicyState, Refusal};
use tempfile::TempDir;
use testkit::power_cut::{Step, say};

use crate::watch::{FOLDERS, Line, Watch, policy};

/// Orders in a life: an enrolment and policies.
pub(crate) const ORDERS: u64 = 4;
/// How often something is tried that the disk does not take.
const TRIES: usize = 12;
const ROOT: &str = "NESTLING_POWER_CUT_ROOT";

/// The program that is recorded, and made to fail, by the others.
#[test]
#[ignore = "what the other tests record"]
fn a_watch_lives() {
    let own = empty(&std::env::temp_dir());
    live(std::env::var_os(ROOT).as_deref().map_or(own.path(), Path::new));
}

/// Runs [`a_watch_lives`] on its own, in `root`.
pub(crate) fn program(root: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "life::a_watch_lives", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(ROOT, root);
    command
}

/// A watch fresh from the factory, in a folder below `place`.
pub(crate) fn empty(place: &Path) -> TempDir {
    let root = tempfile::Builder::new().prefix("power-cut").tempdir_in(place).unwrap();
    for folder in FOLDERS {
        fs::create_dir(root.path().join(folder)).unwrap();
    }
    root
}

/// Where a sync costs nothing. What it is worth is another test's matter, so memory will do.
pub(crate) fn quick_place() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.into() } else { env!("CARGO_TARGET_TMPDIR").into() }
}

/// Enrols, orders, writes a line, boots once between; goes on where an earlier life ended. What the disk does not take is refused, leaves nothing, and
/// is tried again.
fn live(root: &Path) {
    let mut watch = boot(root);
    for revision in watch.revision() + 1..=ORDERS {
        say(&format!("offered {revision}"));
        order(&mut watch, revision);
        say(&format!("accepted {revision}"));
        lines(&watch);
        if revision == 2 {
            insist(|| watch.record("call-refused"));
            lines(&watch);
            drop(watch);
            watch = boot(root);
        }
    }
}

/// As the service manager does: again, until it stands.
fn boot(root: &Path) -> Watch {
    let stands = |watch: &Watch| watch.state() != PolicyState::Sealed;
    (0..TRIES).find_map(|_| Watch::boot(root).ok().filter(stands)).unwrap()
}

fn order(watch: &mut Watch, revision: u64) {
    insist(|| {
        let taken = watch.offer(revision);
        if taken.is_err() {
            assert_eq!(watch.revision(), revision - 1);
            let published = watch.published().map_or(0, |(revision, _)| revision);
            assert!(published < revision, "a refused order is published");
        }
        taken
    });
    assert_eq!((watch.state(), watch.revision()), (PolicyState::Bound, revision));
}

fn insist(mut attempt: impl FnMut() -> Result<u64, Refusal>) {
    for _ in 0..TRIES {
        match attempt() {
            Ok(_) => return,
            Err(Refusal::Failed(_)) => {}
            Err(other) => panic!("a disk that fails is told as {other:?}"),
        }
    }
    panic!("the disk works again, and policyd does not");
}

fn lines(watch: &Watch) {
    // One that cannot be read now was promised to nobody.
    if let Ok(diary) = watch.diary() {
        say(&format!("lines {}", diary.len()));
    }
}

/// What a watch told its callers up to a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Promise {
    /// Orders it was given.
    pub(crate) offered: u64,
    /// Orders it accepted.
    pub(crate) accepted: u64,
    /// Lines it read out of its diary.
    pub(crate) lines: usize,
}

impl Promise {
    pub(crate) fn hear(&mut self, step: &Step) {
        let Step::Said(text) = step else { return };
        match text.split_once(' ').map(|(what, number)| (what, number.parse::<u64>().unwrap())) {
            Some(("offered", number)) => self.offered = number,
            Some(("accepted", number)) => self.accepted = number,
            Some(("lines", number)) => self.lines = number as usize,
            _ => panic!("{text}"),
        }
    }

    /// Boots from `root`: whatever was promised is there, nothing is there by half, and life goes on. `diary` is
    /// what an undisturbed life writes.
    pub(crate) fn is_kept(&self, root: &Path, diary: &[Line]) -> Result<()> {
        let mut watch = Watch::boot(root)?;
        let revision = watch.revision();
        ensure!((self.accepted..=self.offered).contains(&revision), "revision {revision}");
        is_whole(&watch, revision)?;
        let Some(promised) = diary.get(..self.lines) else { bail!("the undisturbed diary is shorter") };
        let lines = watch.diary()?;
        ensure!(lines.starts_with(promised), "the diary is {lines:?}, not {promised:?}");
        ensure!(diary.starts_with(&lines), "the diary says {lines:?}");
        watch.offer(revision + 1)?;
        is_whole(&watch, revision + 1)?;
        let told = watch.diary()?;
        drop(watch);
        let watch = Watch::boot(root)?;
        is_whole(&watch, revision + 1)?;
        ensure!(told.len() > lines.len() && watch.diary()? == told, "the diary is another after a boot");
        Ok(())
    }
}

/// The watch is at `revision`, exactly, and so is what its readers find.
fn is_whole(watch: &Watch, revision: u64) -> Result<()> {
    let state = if revision == 0 { PolicyState::Unbound } else { PolicyState::Bound };
    ensure!(
        watch.state() == state && watch.revision() == revision,
        "{:?} at {}",
        watch.state(),
        watch.revision()
    );
    let policy = (revision > 1).then(|| (revision, policy(revision)));
    ensure!(
        watch.published() == policy,
        "{:?} is published at {revision}",
        watch.published().map(|(at, _)| at)
    );
    Ok(())
}
