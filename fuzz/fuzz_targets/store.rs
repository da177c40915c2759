//! Garbage in place of the published store: refused, or a valid policy.
#![no_main]

use std::cell::LazyCell;

use libfuzzer_sys::fuzz_target;
use store::Reader;
use tempfile::TempDir;

thread_local! {
    static FOLDER: LazyCell<TempDir> = LazyCell::new(|| tempfile::tempdir().expect("there is a temporary folder"));
}

fuzz_target!(|bytes: &[u8]| {
    FOLDER.with(|folder| {
        std::fs::write(folder.path().join("policy.db"), bytes).expect("the temporary folder can be written");
        if let Ok(reader) = Reader::open(folder.path()) {
            assert!(reader.policy().validate().is_ok());
        }
    });
});
