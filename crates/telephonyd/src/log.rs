//! The list of calls, in telephonyd's own folder.
//!
//! **Invariants:** replaced by rename, never written in place, and what a power cut left of one that was being written is removed at
//! the start: a call that is gone from the list is in no file of ours. A file that is not wholly valid is an empty list.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::core::{LOG_LONGEST, Log};

const FILE: &str = "calls.json";
const LEFT: &str = "calls.building";
const VERSION: u32 = 1;
const MAX_BYTES: u64 = 256 * 1024;
/// Longest contact's id (`policy`), and longer than any emergency number.
const MAX_ID: usize = 32;

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    /// The file cannot be read or written.
    #[error("cannot {action} the list of calls")]
    Io {
        action: &'static str,
        #[source]
        source: io::Error,
    },
    /// Not the JSON it should be.
    #[error("the list of calls is damaged")]
    Format(#[from] serde_json::Error),
    /// Another version's, or more than this one writes.
    #[error("the list of calls is not valid")]
    Invalid,
}

fn io_error(action: &'static str) -> impl FnOnce(io::Error) -> LogError {
    move |source| LogError::Io { action, source }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    log: Log,
}

/// Reads the list in `folder`; no file is an empty list.
///
/// # Errors
/// See [`LogError`].
pub(crate) fn load(folder: &Path) -> Result<Log, LogError> {
    match fs::remove_file(folder.join(LEFT)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error("tidy")(error)),
        _ => {}
    }
    let found = daemon::files::read_small(&folder.join(FILE), MAX_BYTES).map_err(io_error("read"))?;
    found.map_or_else(|| Ok(Log::default()), |text| parse(&text))
}

fn parse(text: &[u8]) -> Result<Log, LogError> {
    let Document { version, log } = serde_json::from_slice(text)?;
    let short = |text: &str| text.len() <= MAX_ID;
    let fits =
        log.calls.iter().all(|call| short(&call.contact) && short(&call.emergency) && call.seq <= log.newest);
    let days = (1..=3650).contains(&log.days);
    let room = log.calls.len() <= LOG_LONGEST && log.newest < u64::MAX / 2;
    if version == VERSION && fits && days && room { Ok(log) } else { Err(LogError::Invalid) }
}

/// Replaces the list in `folder`; after an error the old one is still there.
///
/// # Errors
/// See [`LogError`].
pub(crate) fn save(folder: &Path, log: &Log) -> Result<(), LogError> {
    let text = serde_json::to_vec(&Document { version: VERSION, log: log.clone() })?;
    daemon::files::write_whole(&folder.join(FILE), &text).map_err(io_error("write"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use testkit::power_cut::{Cut, Disk, record, say};

    use super::*;
    use crate::core::{Outcome, Past};

    fn log(calls: u64) -> Log {
        let past = |seq| Past {
            seq,
            at: 1_781_503_200 + seq as i64,
            contact: format!("aunt-{seq}"),
            emergency: String::new(),
            incoming: true,
            outcome: Outcome::Missed,
            seconds: 0,
            unseen: true,
        };
        Log { newest: calls, calls: (1..=calls).map(past).collect(), ..Log::default() }
    }

    #[test]
    fn a_list_that_was_saved_is_read_again_and_what_was_half_written_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(load(folder.path()).unwrap(), Log::default());
        save(folder.path(), &log(LOG_LONGEST as u64)).unwrap();
        fs::write(folder.path().join(LEFT), "aunt-9").unwrap();
        assert_eq!(load(folder.path()).unwrap(), log(LOG_LONGEST as u64), "the longest fits");
        assert!(!folder.path().join(LEFT).exists());
    }

    #[test]
    fn t16_a_call_that_is_gone_from_the_list_is_in_no_file() {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), &log(9)).unwrap();
        let mut left = log(9);
        left.calls.retain(|call| call.contact != "aunt-5");
        save(folder.path(), &left).unwrap();
        for file in fs::read_dir(folder.path()).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            assert!(text.contains("aunt-4") && !text.contains("aunt-5"));
        }
    }

    #[test]
    fn a31_a_list_that_is_not_wholly_valid_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), &log(2)).unwrap();
        let good = fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(parse(good.as_bytes()).is_ok());
        for bad in [
            String::new(),
            good.replace("\"version\":1", "\"version\":2"),
            good.replace("aunt-1", &"x".repeat(33)),
            good.replace("\"seq\":2", "\"seq\":3"),
            good.replace("\"days\":30", "\"days\":0"),
            good.replace("missed", "liked"),
            good.replace("\"unseen\"", "\"likes\":1,\"unseen\""),
            good[..good.len() / 2].to_owned(),
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    const ROOT: &str = "NESTLING_CALLS_POWER_CUT_ROOT";
    const SAVES: u64 = 4;

    #[test]
    #[ignore = "what the next test records"]
    fn calls_are_logged() {
        let Some(root) = std::env::var_os(ROOT) else { return };
        for calls in 1..=SAVES {
            save(Path::new(&root), &log(calls)).unwrap();
            say(&format!("saved {calls}"));
        }
    }

    #[test]
    fn a46_a_power_cut_at_any_write_leaves_the_old_list_or_the_new_one() {
        let root = tempfile::tempdir().unwrap();
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args([
            "--exact",
            "log::tests::calls_are_logged",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ]);
        program.env(ROOT, root.path());
        let trace = tempfile::NamedTempFile::new().unwrap();
        let mut disk = Disk::holding(root.path()).unwrap();
        let steps = record(&program, root.path(), trace.path()).unwrap();
        let (mut saved, mut looked) = (0, 0);
        for step in steps {
            if let testkit::power_cut::Step::Said(said) = &step {
                saved = said.strip_prefix("saved ").unwrap().parse().unwrap();
            }
            disk.step(&step).unwrap();
            for image in [Cut::Kept, Cut::Synced, Cut::Half, Cut::Torn(1), Cut::Some(1), Cut::Some(2)]
                .into_iter()
                .filter_map(|cut| disk.image(cut))
            {
                let laid = tempfile::tempdir().unwrap();
                image.lay(laid.path()).unwrap();
                let found = load(laid.path()).unwrap().newest;
                assert!(found == saved || found == saved + 1, "{found} after {saved} at {step:?}");
                looked += 1;
            }
        }
        assert_eq!(saved, SAVES);
        assert!(looked > 20, "{looked}");
    }
}
