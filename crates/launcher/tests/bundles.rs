//! What lies below /var is not what should be there: the launcher serves all the same.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::fs;

use catalogue::Places;
use launch::{AppId, Refusal};
use nestling_launcher::bundles::{Bundles, Installed};

#[test]
fn a43_a_file_in_place_of_a_folder_is_no_catalogue_and_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::below(folder.path());
    fs::create_dir_all(places.seen.parent().unwrap()).unwrap();
    let mut bundles = Installed::new(places.clone(), &folder.path().join("mounts"));
    let draw = AppId::parse("draw").unwrap();
    for wrong in [&places.seen, &places.bundles] {
        fs::write(wrong, "").unwrap();
        for _ in 0..2 {
            assert_eq!(bundles.apps(), Err(Refusal::Storage));
            assert_eq!(bundles.tree(&draw).unwrap_err(), Refusal::Storage);
        }
        fs::remove_file(wrong).unwrap();
    }
    // The folders can be made now; there is still nothing signed.
    assert_eq!(bundles.apps(), Err(Refusal::Catalogue));
    assert!(places.seen.is_dir() && places.bundles.is_dir());
}
