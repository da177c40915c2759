//! What is signed about a bundle, and an app's manifest. The first byte chooses. What is taken is within its limits,
//! and its file has a name that reads back as the same bundle's.
#![no_main]

use catalogue::author::Manifest;
use catalogue::{Entry, limits};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if which % 2 == 0 {
        if let Ok(manifest) = Manifest::parse(text) {
            check(manifest.id(), manifest.version(), &manifest.file_name());
        }
        return;
    }
    // The name of the target comes before the first line break.
    let Some((name, json)) = text.split_once('\n') else { return };
    let Ok(Value::Object(custom)) = serde_json::from_str(json) else { return };
    if let Ok(entry) = Entry::parse(name, custom) {
        assert!(entry.age <= limits::AGE && entry.name.chars().count() <= policy::limits::NAME);
        assert!(!entry.name.chars().any(char::is_control) && policy::is_id(&entry.category));
        assert_eq!(entry.file_name(), name);
        check(entry.id.as_str(), entry.version, name);
    }
});

fn check(id: &str, version: u64, name: &str) {
    assert!(policy::is_id(id) && version > 0);
    assert!(!name.contains('/') && !name.starts_with('.'));
    assert_eq!(name, format!("{id}-{version}.erofs"));
}
