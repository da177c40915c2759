//! The disk: what is safe, what is not yet, and what a power cut makes of it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Step;

/// What a disk writes in one go.
const SECTOR: usize = 512;

/// Files by their paths below the recorded folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Image(BTreeMap<PathBuf, Vec<u8>>);

/// How the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Everything done so far is there, as when the program alone is killed.
    Kept,
    /// Only what was synced is there.
    Synced,
    /// Everything is there, but of the last write only the first half.
    Half,
    /// Everything is there, but of the last write's sectors only a choice.
    Torn(u64),
    /// Of what was not synced, a choice is there.
    Some(u64),
}

/// A disk while a program writes on it.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    files: Vec<File>,
    /// Names that are safe.
    names: Names,
    /// Changes of names that are not, oldest first.
    renamings: Vec<Renaming>,
    /// The last step, if it was a write.
    last: Option<usize>,
}

type Names = BTreeMap<PathBuf, usize>;

#[derive(Debug, Clone, Default)]
struct File {
    safe: Vec<u8>,
    /// Changes that are not safe, oldest first.
    changes: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Debug, Clone)]
enum Renaming {
    Made(PathBuf, usize),
    Moved(PathBuf, PathBuf),
    Removed(PathBuf),
}

impl Disk {
    /// A disk that safely holds what is below `root` now.
    ///
    /// # Errors
    /// Something cannot be read, or is neither a file nor a folder.
    pub fn holding(root: &Path) -> io::Result<Self> {
        let mut disk = Self::default();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(root.join(&folder))? {
                let entry = entry?;
                let path = folder.join(entry.file_name());
                if entry.file_type()?.is_dir() {
                    folders.push(path);
                } else {
                    disk.names.insert(path, disk.files.len());
                    disk.files.push(File { safe: fs::read(entry.path())?, changes: Vec::new() });
                }
            }
        }
        Ok(disk)
    }

    /// One step further.
    ///
    /// # Errors
    /// The step is of a file that is not there: the recording is not whole. The path is returned.
    pub fn step(&mut self, step: &Step) -> Result<(), PathBuf> {
        self.last = None;
        match step {
            Step::Said(_) => {}
            Step::Open { path, create, truncate } => match self.current().get(path) {
                Some(&file) if *truncate => self.change(file, Change::Length(0)),
                Some(_) => {}
                None if *create => {
                    self.renamings.push(Renaming::Made(path.clone(), self.files.len()));
                    self.files.push(File::default());
                }
                None => return Err(path.clone()),
            },
            Step::Write { path, at, bytes } => {
                let file = self.file(path)?;
                self.change(file, Change::Write(*at as usize, bytes.clone()));
                self.last = Some(file);
            }
            Step::Length { path, length } => {
                let file = self.file(path)?;
                self.change(file, Change::Length(*length as usize));
            }
            Step::Sync(path) => match self.current().get(path) {
                Some(&file) => self.files[file] = File { safe: self.files[file].now(), changes: Vec::new() },
                None => self.sync_folder(path),
            },
            Step::Rename { from, to } => {
                self.file(from)?;
                self.renamings.push(Renaming::Moved(from.clone(), to.clone()));
            }
            Step::Remove(path) => {
                self.file(path)?;
                self.renamings.push(Renaming::Removed(path.clone()));
            }
        }
        Ok(())
    }

    /// What the disk holds after a power cut now. `None` where this cut is no other than [`Cut::Kept`].
    pub fn image(&self, cut: Cut) -> Option<Image> {
        let (mut names, mut contents) =
            (self.current(), self.files.iter().map(File::now).collect::<Vec<_>>());
        match cut {
            Cut::Kept => {}
            Cut::Synced => {
                names = self.names.clone();
                contents = self.files.iter().map(|file| file.safe.clone()).collect();
            }
            Cut::Half | Cut::Torn(_) => {
                let file = self.last?;
                let (last, before) = self.files[file].changes.split_last()?;
                let Change::Write(at, bytes) = last else { return None };
                let mut content =
                    File { safe: self.files[file].safe.clone(), changes: before.to_vec() }.now();
                match cut {
                    Cut::Torn(seed) => tear(&mut content, *at, bytes, &mut Dice(seed)),
                    _ => put(&mut content, *at, &bytes[..bytes.len() / 2]),
                }
                contents[file] = content;
            }
            Cut::Some(seed) => {
                let mut dice = Dice(seed);
                names = self.some_names(&mut dice);
                contents = self.files.iter().map(|file| file.some(&mut dice)).collect();
            }
        }
        let files = names.into_iter().map(|(path, file)| (path, contents[file].clone()));
        Some(Image(files.collect()))
    }

    fn current(&self) -> Names {
        let mut names = self.names.clone();
        for renaming in &self.renamings {
            renaming.apply(&mut names);
        }
        names
    }

    fn file(&self, path: &Path) -> Result<usize, PathBuf> {
        self.current().get(path).copied().ok_or_else(|| path.to_owned())
    }

    fn change(&mut self, file: usize, change: Change) {
        self.files[file].changes.push(change);
    }

    fn sync_folder(&mut self, folder: &Path) {
        for renaming in std::mem::take(&mut self.renamings) {
            if renaming.folder() == Some(folder) {
                renaming.apply(&mut self.names);
            } else {
                self.renamings.push(renaming);
            }
        }
    }

    /// Of each folder the oldest of the changes that are not safe, as many as the dice say.
    fn some_names(&self, dice: &mut Dice) -> Names {
        let mut names = self.names.clone();
        let mut stopped: Vec<Option<&Path>> = Vec::new();
        for renaming in &self.renamings {
            let folder = renaming.folder();
            if !stopped.contains(&folder) {
                if dice.below(3) == 0 {
                    stopped.push(folder);
                } else {
                    renaming.apply(&mut names);
                }
            }
        }
        names
    }
}

impl Renaming {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Made(path, file) => {
                names.insert(path.clone(), *file);
            }
            Self::Moved(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
            Self::Removed(path) => {
                names.remove(path);
            }
        }
    }

    /// Renames across folders do not occur in what is recorded here.
    fn folder(&self) -> Option<&Path> {
        let (Self::Made(path, _) | Self::Moved(path, _) | Self::Removed(path)) = self;
        path.parent()
    }
}

impl File {
    fn now(&self) -> Vec<u8> {
        let mut content = self.safe.clone();
        for change in &self.changes {
            match change {
                Change::Write(at, bytes) => put(&mut content, *at, bytes),
                Change::Length(length) => content.resize(*length, 0),
            }
        }
        content
    }

    fn some(&self, dice: &mut Dice) -> Vec<u8> {
        let mut content = self.safe.clone();
        for change in &self.changes {
            match (change, dice.below(5)) {
                (_, 0 | 1) => {}
                (Change::Write(at, bytes), 2) => tear(&mut content, *at, bytes, dice),
                (Change::Write(at, bytes), _) => put(&mut content, *at, bytes),
                (Change::Length(length), _) => content.resize(*length, 0),
            }
        }
        content
    }
}

impl Image {
    /// Its files.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }

    /// Lays the files below `root`, in folders that are there.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn lay(&self, root: &Path) -> io::Result<()> {
        self.0.iter().try_for_each(|(path, content)| fs::write(root.join(path), content))
    }
}

fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}

/// Writes some of the sectors a write goes over. What lies between them and was never written is zero.
fn tear(content: &mut Vec<u8>, at: usize, bytes: &[u8], dice: &mut Dice) {
    let mut from = 0;
    while from < bytes.len() {
        let to = bytes.len().min(from + SECTOR - (at + from) % SECTOR);
        if dice.below(2) == 0 {
            put(content, at + from, &bytes[from..to]);
        }
        from = to;
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &str) -> Step {
        Step::Open { path: path.into(), create: true, truncate: true }
    }

    fn write(path: &str, at: u64, bytes: &[u8]) -> Step {
        Step::Write { path: path.into(), at, bytes: bytes.to_vec() }
    }

    fn rename(from: &str, to: &str) -> Step {
        Step::Rename { from: from.into(), to: to.into() }
    }

    fn after(steps: &[Step]) -> Disk {
        let mut disk = Disk::default();
        for step in steps {
            disk.step(step).unwrap();
        }
        disk
    }

    fn image(files: &[(&str, &[u8])]) -> Image {
        Image(files.iter().map(|(path, content)| (PathBuf::from(path), content.to_vec())).collect())
    }

    #[test]
    fn data_is_safe_after_a_sync_of_its_file_and_a_name_after_one_of_its_folder() {
        let mut steps = vec![open("d/new"), write("d/new", 0, b"data")];
        assert_eq!(after(&steps).image(Cut::Kept), Some(image(&[("d/new", b"data")])));
        assert_eq!(after(&steps).image(Cut::Synced), Some(image(&[])));
        steps.push(Step::Sync("d".into()));
        assert_eq!(after(&steps).image(Cut::Synced), Some(image(&[("d/new", b"")])));
        steps.push(Step::Sync("d/new".into()));
        assert_eq!(after(&steps).image(Cut::Synced), Some(image(&[("d/new", b"data")])));
        steps.push(rename("d/new", "d/name"));
        steps.push(write("d/name", 2, b"TA and more"));
        assert_eq!(after(&steps).image(Cut::Synced), Some(image(&[("d/new", b"data")])));
        steps.push(Step::Sync("other".into()));
        assert_eq!(after(&steps).image(Cut::Synced), Some(image(&[("d/new", b"data")])));
        steps.push(Step::Sync("d".into()));
        assert_eq!(after(&steps).image(Cut::Synced), Some(image(&[("d/name", b"data")])));
        steps.push(Step::Remove("d/name".into()));
        assert_eq!(after(&steps).image(Cut::Kept), Some(image(&[])));
        assert_eq!(after(&steps).image(Cut::Synced), Some(image(&[("d/name", b"data")])));
    }

    #[test]
    fn a_name_never_overtakes_an_older_one_of_its_folder() {
        let disk = after(&[open("d/a"), open("d/b"), rename("d/b", "d/c"), open("e/a")]);
        let mut seen = std::collections::HashSet::new();
        for seed in 0..200 {
            let Image(files) = disk.image(Cut::Some(seed)).unwrap();
            let has = |path: &str| files.contains_key(Path::new(path));
            assert!(!has("d/b") && !has("d/c") || has("d/a"), "{files:?}");
            assert!(!(has("d/b") && has("d/c")), "{files:?}");
            seen.insert(files.into_keys().collect::<Vec<_>>());
        }
        // Four of the folder `d`, each with and without the file of the other folder.
        assert_eq!(seen.len(), 8);
    }

    #[test]
    fn a_write_is_torn_at_sectors() {
        let old = vec![b'o'; 2048];
        let disk = after(&[
            open("d/f"),
            write("d/f", 0, &old),
            Step::Sync("d/f".into()),
            Step::Sync("d".into()),
            write("d/f", 256, &[b'n'; 1024]),
        ]);
        let half = [&old[..256], &[b'n'; 512], &old[768..]].concat();
        assert_eq!(disk.image(Cut::Half), Some(image(&[("d/f", &half)])));
        let mut seen = std::collections::HashSet::new();
        for seed in 0..100 {
            let Image(files) = disk.image(Cut::Torn(seed)).unwrap();
            let content = &files[Path::new("d/f")];
            let pieces = [&content[..256], &content[256..512], &content[512..1024], &content[1024..1280]];
            assert!(pieces.iter().all(|piece| piece.iter().all(|byte| *byte == piece[0])));
            assert!(content[1280..].iter().all(|byte| *byte == b'o') && content.len() == 2048);
            seen.insert(pieces.map(|piece| piece[0]));
        }
        assert_eq!(seen.len(), 8, "three sectors, each old or new");
        assert_eq!(disk.image(Cut::Synced), Some(image(&[("d/f", &old)])));
    }

    #[test]
    fn of_what_was_not_synced_any_choice_may_be_there() {
        let disk = after(&[
            open("d/f"),
            Step::Sync("d".into()),
            write("d/f", 0, b"one"),
            write("d/f", 3, b"two"),
            Step::Length { path: "d/f".into(), length: 4 },
        ]);
        let seen: std::collections::HashSet<_> =
            (0..300).filter_map(|seed| disk.image(Cut::Some(seed))).collect();
        for content in [&b""[..], b"one", b"\0\0\0two", b"onetwo", b"onet", b"\0\0\0t", b"one\0", b"\0\0\0\0"]
        {
            assert!(seen.contains(&image(&[("d/f", content)])), "{content:?}");
        }
        assert_eq!(seen.len(), 8);
    }

    #[test]
    fn a_recording_that_is_not_whole_is_noticed() {
        assert_eq!(Disk::default().step(&write("d/f", 0, b"x")), Err("d/f".into()));
        assert_eq!(Disk::default().step(&Step::Remove("d/f".into())), Err("d/f".into()));
    }
}
