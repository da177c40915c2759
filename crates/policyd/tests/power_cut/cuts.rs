//! The power goes, at every step of a life.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use tempfile::TempDir;
use testkit::power_cut::{Cut, Disk, Image, Step, record};

use crate::life::{self, ORDERS, Promise};
use crate::long;
use crate::watch::{Line, Watch};

/// A recorded life.
struct Recording {
    before: Disk,
    steps: Vec<Step>,
    diary: Vec<Line>,
}

impl Recording {
    fn make() -> Self {
        // On a disk, not in memory: SQLite and policyd may look where they are.
        let root = life::empty(Path::new(env!("CARGO_TARGET_TMPDIR")));
        let (before, steps) = recorded(root.path());
        let diary = Watch::boot(root.path()).unwrap().diary().unwrap();
        Self { before, steps, diary }
    }

    /// Cuts the power before the first step and after each, in the ways that `cuts` says for a step's number.
    fn cut(&self, cuts: impl Fn(u64) -> Vec<Cut>) {
        let (mut disk, mut promise) = (self.before.clone(), Promise::default());
        let (mut seen, mut broken) = (HashSet::new(), Vec::new());
        for number in 0..=self.steps.len() {
            if let Some(step) = number.checked_sub(1).map(|index| &self.steps[index]) {
                disk.step(step).unwrap();
                promise.hear(step);
            }
            for cut in cuts(number as u64) {
                let Some(image) = disk.image(cut) else { continue };
                if !seen.insert(hash(&(promise, &image))) {
                    continue;
                }
                let root = laid(&image);
                if let Err(error) = promise.is_kept(root.path(), &self.diary) {
                    let step = number.checked_sub(1).map(|index| described(&self.steps[index]));
                    broken.push(format!("{number} {step:?}, {cut:?}, {promise:?}: {error:#}"));
                }
            }
        }
        assert_eq!(promise.accepted, ORDERS, "the life was lived to its end");
        println!("{} steps, {} different disks", self.steps.len(), seen.len());
        assert!(seen.len() > 20, "too few disks to mean something");
        assert!(broken.is_empty(), "{} disks lose something:\n{}", broken.len(), broken.join("\n"));
    }
}

/// Lives a life in `root`, and says what was there before and what was done.
fn recorded(root: &Path) -> (Disk, Vec<Step>) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let before = Disk::holding(root).unwrap();
    (before, record(&life::program(root), root, log.path()).unwrap())
}

/// A step without its bytes.
fn described(step: &Step) -> String {
    match step {
        Step::Write { path, at, bytes } => format!("{} bytes at {at} of {}", bytes.len(), path.display()),
        other => format!("{other:?}"),
    }
}

fn laid(image: &Image) -> TempDir {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory } else { Path::new(env!("CARGO_TARGET_TMPDIR")) };
    let root = life::empty(place);
    image.lay(root.path()).unwrap();
    root
}

fn hash(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// Some seeds of a step, others than those of any other step.
fn seeds(step: u64, short_lane: u64, long_lane: u64) -> impl Iterator<Item = u64> {
    (0..if long() { long_lane } else { short_lane }).map(move |n| (step << 16) + n)
}

#[test]
fn a46_a_program_killed_at_any_write_loses_nothing() {
    Recording::make().cut(|_| vec![Cut::Kept]);
}

#[test]
fn a46_nothing_accepted_waits_for_a_sync() {
    Recording::make().cut(|_| vec![Cut::Synced]);
}

#[test]
fn a46_a_torn_write_is_not_half_an_order() {
    Recording::make().cut(|step| [Cut::Half].into_iter().chain(seeds(step, 1, 8).map(Cut::Torn)).collect());
}

#[test]
fn a46_writes_that_overtake_each_other_lose_nothing() {
    Recording::make().cut(|step| seeds(step, 3, 40).map(Cut::Some).collect());
}
