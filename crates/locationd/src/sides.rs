//! What is known of the zones, in a small file of locationd's folder: whoever starts a watch again hides no leaving by it.
//!
//! **Invariants:** replaced by rename, never written in place; it holds ids and hashes and no coordinate; a file that is not wholly what
//! this version writes is as good as none; what it says of a crossing is in the diary before; telling the keeper never blocks.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon::diary::Diary;
use daemon::files;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::core::KeptSide;

const FILE: &str = "sides.json";
const VERSION: u32 = 1;
/// Fifty zones with the longest ids take less than half.
const MAX_BYTES: u64 = 16 * 1024;

/// Why nothing is known, or kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SidesError {
    /// The file cannot be read or written, or is longer than it can be.
    #[error("cannot {action} what is known of the zones")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Not the JSON it should be.
    #[error("what was known of the zones is damaged")]
    Format(#[from] serde_json::Error),
    /// Another version's.
    #[error("what was known of the zones has version {0}")]
    Version(u32),
    /// A time that cannot be.
    #[error("what was known of the zones is of no time")]
    Time(#[source] jiff::Error),
}

fn io_error(action: &'static str) -> impl FnOnce(io::Error) -> SidesError {
    move |source| SidesError::Io { action, source }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    sides: Vec<KeptSide>,
}

/// What was kept in `folder`; no file is nothing.
///
/// # Errors
/// See [`SidesError`].
pub(crate) fn load(folder: &Path) -> Result<Vec<KeptSide>, SidesError> {
    let found = files::read_small(&folder.join(FILE), MAX_BYTES).map_err(io_error("read"))?;
    found.map_or_else(|| Ok(vec![]), |text| parse(&text))
}

fn parse(text: &[u8]) -> Result<Vec<KeptSide>, SidesError> {
    let Document { version, sides } = serde_json::from_slice(text)?;
    if version != VERSION {
        return Err(SidesError::Version(version));
    }
    sides
        .iter()
        .try_for_each(|side| Timestamp::from_second(side.agreed).map(drop))
        .map_err(SidesError::Time)?;
    Ok(sides)
}

fn save(folder: &Path, sides: Vec<KeptSide>) -> Result<(), SidesError> {
    let text = serde_json::to_vec(&Document { version: VERSION, sides })?;
    files::write_whole(&folder.join(FILE), &text).map_err(io_error("write"))
}

/// Writes the file in a task of its own: neither a disk that hangs nor a policyd that is away keeps anybody waiting.
#[derive(Debug)]
pub(crate) struct Sides(watch::Sender<Vec<KeptSide>>);

impl Sides {
    /// Starts with the file in `folder`; `diary` has the lines of what is kept first.
    pub(crate) fn start(folder: PathBuf, diary: Diary) -> Self {
        let (sender, sides) = watch::channel(Vec::new());
        tokio::spawn(write(folder, diary, sides));
        Self(sender)
    }

    /// Replaces what is kept, once every line so far is in the diary.
    pub(crate) fn keep(&self, sides: Vec<KeptSide>) {
        self.0.send_replace(sides);
    }
}

async fn write(folder: PathBuf, diary: Diary, mut sides: watch::Receiver<Vec<KeptSide>>) {
    let mut failed = false;
    while sides.changed().await.is_ok() {
        let newest = sides.borrow_and_update().clone();
        // Should the power go before, a crossing is told again.
        if !diary.flush(Duration::MAX).await {
            return;
        }
        let folder = folder.clone();
        let done = tokio::task::spawn_blocking(move || save(&folder, newest)).await;
        if let Ok(Err(error)) = &done
            && !failed
        {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::warn!(%error, cause, "the next start may not know of a leaving");
        }
        failed = !matches!(done, Ok(Ok(())));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn side(zone: String) -> KeptSide {
        KeptSide { zone, circle: u32::MAX, inside: false, agreed: 4_102_444_799 }
    }

    #[test]
    fn what_was_kept_is_read_again_and_the_next_replaces_it() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(load(folder.path()).unwrap(), []);
        save(folder.path(), vec![side("school".into()), side("home".into())]).unwrap();
        std::fs::write(folder.path().join("sides.building"), "left by a crash").unwrap();
        save(folder.path(), vec![side("home".into())]).unwrap();
        assert_eq!(load(folder.path()).unwrap(), [side("home".into())]);
    }

    #[test]
    fn the_longest_file_fits() {
        let folder = tempfile::tempdir().unwrap();
        let sides: Vec<_> = (0..50).map(|at| side(format!("{at:032}"))).collect();
        save(folder.path(), sides.clone()).unwrap();
        assert_eq!(load(folder.path()).unwrap(), sides);
        let length = std::fs::metadata(folder.path().join(FILE)).unwrap().len();
        assert!(length < MAX_BYTES / 2, "{length}");
    }

    #[test]
    fn a31_a_file_that_is_not_wholly_valid_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        save(folder.path(), vec![side("school".into())]).unwrap();
        let good = std::fs::read_to_string(&path).unwrap();
        for bad in [
            String::new(),
            good.replace("\"version\":1", "\"version\":2"),
            good.replace("\"inside\":false", "\"inside\":0"),
            good.replace("\"inside\"", "\"place\":1,\"inside\""),
            good.replace("4102444799", "9223372036854775807"),
            good.replace('{', &" ".repeat(20_000)),
            format!("{good}{}", " ".repeat(20_000)),
            good[..good.len() / 2].to_owned(),
        ] {
            std::fs::write(&path, &bad).unwrap();
            assert!(load(folder.path()).is_err(), "{bad:.200}");
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(load(folder.path()).is_err());
    }

    proptest! {
        #[test]
        fn a26_no_file_panics(text in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&text);
        }
    }
}
