//! The power goes, at every step of a life.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use testkit::power_cut::{Cut, Disk, Image, Step, record};

use crate::life::{self, ORDERS, Promise};
use crate::long;
use crate::watch::{Line, Watch};

/// What was done in a folder, and what was there and promised before.
pub(crate) struct Recording {
    before: Disk,
    promise: Promise,
    steps: Vec<Step>,
}

impl Recording {
    /// Lives in `root` from what is there to the end.
    fn make(root: &Path, promise: Promise) -> Self {
        let log = tempfile::NamedTempFile::new().unwrap();
        let before = Disk::holding(root).unwrap();
        let steps = record(&life::program(root), root, log.path()).unwrap();
        Self { before, promise, steps }
    }

    /// A whole life, and the diary it leaves. It is lived on a disk, not in memory: SQLite and policyd may look
    /// where they are.
    pub(crate) fn of_a_life() -> (Self, Vec<Line>) {
        let root = life::empty(Path::new(env!("CARGO_TARGET_TMPDIR")));
        let recording = Self::make(root.path(), Promise::default());
        (recording, Watch::boot(root.path()).unwrap().diary().unwrap())
    }

    /// Cuts the power before the first step and after each, in the ways that `cuts` says for a step's number, and
    /// has a look at each disk that is different. Returns what was promised in the end.
    fn cut(&self, cuts: impl Fn(u64) -> Vec<Cut>, mut look: impl FnMut(&Image, Promise, &str)) -> Promise {
        let (mut disk, mut promise, mut seen) = (self.before.clone(), self.promise, HashSet::new());
        for number in 0..=self.steps.len() {
            let step = number.checked_sub(1).map(|index| &self.steps[index]);
            if let Some(step) = step {
                disk.step(step).unwrap();
                promise.hear(step);
            }
            for cut in cuts(number as u64) {
                if let Some(image) = disk.image(cut).filter(|image| seen.insert(hash(&(promise, image)))) {
                    look(
                        &image,
                        promise,
                        &format!("{number} {}, {cut:?}", step.map(described).unwrap_or_default()),
                    );
                }
            }
        }
        promise
    }
}

/// A step without its bytes.
fn described(step: &Step) -> String {
    match step {
        Step::Write { path, at, bytes } => format!("{} bytes at {at} of {}", bytes.len(), path.display()),
        other => format!("{other:?}"),
    }
}

pub(crate) fn laid(image: &Image) -> TempDir {
    let root = life::empty(&life::quick_place());
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

/// Disks that were looked at, and what is wrong with some of them.
#[derive(Default)]
struct Tally {
    disks: usize,
    broken: Vec<String>,
}

impl Tally {
    fn look(&mut self, image: &Image, promise: Promise, diary: &[Line], what: &str) {
        self.disks += 1;
        let root = laid(image);
        if let Err(error) = promise.is_kept(root.path(), diary) {
            self.broken.push(format!("{what}, {promise:?}: {error:#}"));
        }
    }

    fn end(self) {
        println!("{} different disks", self.disks);
        assert!(self.broken.is_empty(), "{} lose something:\n{}", self.broken.len(), self.broken.join("\n"));
        assert!(self.disks > 20, "{} disks are too few to mean something", self.disks);
    }
}

fn nothing_is_lost(cuts: impl Fn(u64) -> Vec<Cut>) {
    let (recording, diary) = Recording::of_a_life();
    let mut tally = Tally::default();
    let promised = recording.cut(cuts, |image, promise, what| tally.look(image, promise, &diary, what));
    assert_eq!(promised.accepted, ORDERS, "the life was lived to its end");
    tally.end();
}

#[test]
fn a46_a_program_killed_at_any_write_loses_nothing() {
    nothing_is_lost(|_| vec![Cut::Kept]);
}

#[test]
fn a46_nothing_accepted_waits_for_a_sync() {
    nothing_is_lost(|_| vec![Cut::Synced]);
}

#[test]
fn a46_a_torn_write_is_not_half_an_order() {
    nothing_is_lost(|step| [Cut::Half].into_iter().chain(seeds(step, 2, 10).map(Cut::Torn)).collect());
}

#[test]
fn a46_writes_that_overtake_each_other_lose_nothing() {
    nothing_is_lost(|step| seeds(step, 4, 40).map(Cut::Some).collect());
}

/// Every start that is a different one after a power cut. What it has to do depends on which files are there, so the
/// short lane takes one disk of each set of files that a cut leaves.
pub(crate) fn starts(recording: &Recording) -> Vec<(Image, Promise, String)> {
    let (mut starts, mut sets) = (Vec::new(), HashSet::<BTreeSet<PathBuf>>::new());
    let cuts = |step| [Cut::Synced, Cut::Kept].into_iter().chain(seeds(step, 1, 1).map(Cut::Some)).collect();
    recording.cut(cuts, |image, promise, what| {
        if long() || sets.insert(image.paths().map(Path::to_owned).collect()) {
            starts.push((image.clone(), promise, what.to_owned()));
        }
    });
    starts
}

#[test]
fn a46_a_power_cut_while_starting_after_a_power_cut_loses_nothing() {
    let (recording, diary) = Recording::of_a_life();
    let mut tally = Tally::default();
    for (image, promise, first) in starts(&recording) {
        let root = laid(&image);
        let mut start = Recording::make(root.path(), promise);
        let offers = |step: &Step| matches!(step, Step::Said(text) if text.starts_with("offered"));
        start.steps.truncate(start.steps.iter().position(offers).unwrap_or(start.steps.len()));
        let cuts = |step| {
            [Cut::Synced, Cut::Kept, Cut::Half].into_iter().chain(seeds(step, 1, 3).map(Cut::Some)).collect()
        };
        start.cut(cuts, |image, promise, what| {
            tally.look(image, promise, &diary, &format!("{first}, then {what}"));
        });
    }
    tally.end();
}

/// Twice, in a second that is told twice: neither diary is lost.
#[test]
fn a46_a_damaged_diary_is_kept_and_told_wherever_the_power_goes() {
    let root = life::empty(Path::new(env!("CARGO_TARGET_TMPDIR")));
    let mut promise = Promise::default();
    Recording::make(root.path(), promise).steps.iter().for_each(|step| promise.hear(step));
    for kept in 1..=2 {
        fs::write(root.path().join("state/diary.db"), format!("garbage {kept} ").repeat(100)).unwrap();
        let start = Recording::make(root.path(), promise);
        let mut disks = 0;
        let cuts = |step| {
            [Cut::Synced, Cut::Kept, Cut::Half].into_iter().chain(seeds(step, 3, 30).map(Cut::Some)).collect()
        };
        start.cut(cuts, |image, _, what| {
            let root = laid(image);
            let diary = Watch::boot(root.path()).unwrap().diary().unwrap();
            assert_eq!(diary.first().map(|(_, kind, _)| kind.as_str()), Some("diary-damaged"), "{what}");
            let files = fs::read_dir(root.path().join("state")).unwrap();
            let damaged = |name: &OsString| name.to_string_lossy().ends_with(".damaged");
            assert_eq!(files.map(|file| file.unwrap().file_name()).filter(damaged).count(), kept, "{what}");
            disks += 1;
        });
        assert!(disks > 10, "{disks} disks are too few to mean something");
    }
}
