//! Files that an older version, a full disk or somebody unkind left behind.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use draw::store::{Picture, Saver, Store};
use proptest::prelude::*;
use tempfile::TempDir;

const SIZE: (u32, u32) = (466, 466);

fn picture(size: (u32, u32)) -> Picture {
    let pixels = (0..size.0 as usize * size.1 as usize * 3).map(|n| (n * n / 7) as u8).collect();
    Picture { size, pixels }
}

fn kept() -> (TempDir, Store, Vec<u8>) {
    let home = TempDir::new().unwrap();
    let store = Store::new(home.path());
    store.write(&picture(SIZE)).unwrap();
    let bytes = fs::read(home.path().join("drawing.png")).unwrap();
    (home, store, bytes)
}

fn put(home: &TempDir, bytes: &[u8]) {
    fs::write(home.path().join("drawing.png"), bytes).unwrap();
}

fn encoded(path: &Path, size: (u32, u32), colour: png::ColorType, depth: png::BitDepth, bytes: usize) {
    let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), size.0, size.1);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    encoder.write_header().unwrap().write_image_data(&vec![7; bytes]).unwrap();
}

#[test]
fn a_drawing_comes_back_as_it_was() {
    let (home, store, _) = kept();
    assert_eq!(store.read(SIZE), Some(picture(SIZE)));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    let mode = fs::metadata(home.path().join("drawing.png")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn no_file_is_a_new_page() {
    let home = TempDir::new().unwrap();
    assert_eq!(Store::new(home.path()).read(SIZE), None);
    assert_eq!(Store::new(&home.path().join("nowhere")).read(SIZE), None);
    assert!(Store::new(&home.path().join("nowhere")).write(&picture(SIZE)).is_err());
}

#[test]
fn a_picture_of_another_size_or_kind_is_a_new_page() {
    use png::{BitDepth, ColorType};
    let (home, store, _) = kept();
    assert_eq!(store.read((466, 465)), None);
    assert_eq!(store.read((368, 448)), None);
    let path = home.path().join("drawing.png");
    let pixels = 466 * 466;
    for (colour, depth, bytes) in [
        (ColorType::Rgba, BitDepth::Eight, pixels * 4),
        (ColorType::Grayscale, BitDepth::Eight, pixels),
        (ColorType::Rgb, BitDepth::Sixteen, pixels * 6),
    ] {
        encoded(&path, SIZE, colour, depth, bytes);
        assert_eq!(store.read(SIZE), None, "{colour:?}");
    }
    encoded(&path, SIZE, ColorType::Rgb, BitDepth::Eight, pixels * 3);
    assert!(store.read(SIZE).is_some());
}

#[test]
fn a_truncated_file_is_a_new_page_wherever_it_ends() {
    let (home, store, bytes) = kept();
    for part in 0..64 {
        put(&home, &bytes[..bytes.len() * part / 64]);
        assert_eq!(store.read(SIZE), None, "{part}/64");
    }
    put(&home, &bytes[..bytes.len() - 1]);
    assert_eq!(store.read(SIZE), None);
}

#[test]
fn a_picture_that_claims_to_be_huge_costs_nothing() {
    let (home, store, mut bytes) = kept();
    // IHDR: width and height, then its checksum.
    bytes[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    put(&home, &bytes);
    assert_eq!(store.read(SIZE), None);
    let long = fs::File::create(home.path().join("drawing.png")).unwrap();
    long.set_len(1 << 40).unwrap();
    let start = Instant::now();
    assert_eq!(store.read(SIZE), None);
    assert!(start.elapsed().as_millis() < 500);
}

#[test]
fn links_pipes_and_folders_are_not_read() {
    let (home, store, bytes) = kept();
    let path = home.path().join("drawing.png");
    let elsewhere = home.path().join("elsewhere.png");
    fs::write(&elsewhere, bytes).unwrap();
    fs::remove_file(&path).unwrap();
    symlink(&elsewhere, &path).unwrap();
    assert_eq!(store.read(SIZE), None);
    fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert_eq!(store.read(SIZE), None, "and it does not wait");
    // The next drawing takes their place.
    store.write(&picture(SIZE)).unwrap();
    assert!(store.read(SIZE).is_some());
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(store.read(SIZE), None);
    assert!(store.write(&picture(SIZE)).is_err());
    assert!(!home.path().join("drawing.png.new").exists());
}

#[test]
fn what_an_interrupted_write_left_is_replaced_and_a_link_is_not_followed() {
    let (home, store, _) = kept();
    let new = home.path().join("drawing.png.new");
    fs::write(&new, "half").unwrap();
    store.write(&picture(SIZE)).unwrap();
    let precious = home.path().join("precious");
    fs::write(&precious, "mine").unwrap();
    symlink(&precious, &new).unwrap();
    store.write(&picture(SIZE)).unwrap();
    assert_eq!(fs::read_to_string(&precious).unwrap(), "mine");
    assert_eq!(store.read(SIZE), Some(picture(SIZE)));
}

#[test]
fn a_write_that_fails_keeps_the_old_drawing() {
    let (home, store, bytes) = kept();
    // A folder in the way of the new file: it cannot be removed like a file, whoever asks.
    fs::create_dir(home.path().join("drawing.png.new")).unwrap();
    assert!(store.write(&picture((10, 10))).is_err());
    assert_eq!(fs::read(home.path().join("drawing.png")).unwrap(), bytes);
}

#[test]
fn the_saver_writes_the_newest() {
    let home = TempDir::new().unwrap();
    let saver = Saver::start(Store::new(home.path()));
    for side in 1..50 {
        saver.save(picture((side, side)));
    }
    saver.finish();
    assert_eq!(Store::new(home.path()).read((49, 49)), Some(picture((49, 49))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn garbage_never_fails_and_never_is_a_picture(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let home = TempDir::new().unwrap();
        put(&home, &bytes);
        prop_assert_eq!(Store::new(home.path()).read(SIZE), None);
    }

    #[test]
    fn a_flipped_byte_gives_a_whole_picture_or_none(at in any::<prop::sample::Index>(), mask in 1_u8..) {
        let home = TempDir::new().unwrap();
        let store = Store::new(home.path());
        store.write(&picture((64, 64))).unwrap();
        let mut bytes = fs::read(home.path().join("drawing.png")).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        put(&home, &bytes);
        if let Some(read) = store.read((64, 64)) {
            prop_assert_eq!(read.pixels.len(), 64 * 64 * 3);
        }
    }
}
