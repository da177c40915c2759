//! What the track keeps, what it lets go, and what is left of it on the disk.

use std::fs;
use std::os::unix::fs::symlink;

use jiff::Timestamp;
use proptest::prelude::*;
use tempfile::TempDir;

use super::row::{ROW, offset};
use super::*;

const NOON: i64 = 1_795_435_200;
const HOUR: u64 = 3600;

/// A watch, its clocks, and what it was told.
struct Watch {
    folder: TempDir,
    track: Option<Track>,
    boot: u64,
    /// How far the wall clock is from the truth.
    wrong: i64,
    truth: i64,
    places: i32,
}

/// A folder where a sync costs nothing; what it is worth is another test's matter.
fn quick() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

impl Watch {
    fn new() -> Self {
        let mut watch = Self { folder: quick(), track: None, boot: 15, wrong: 0, truth: NOON, places: 0 };
        watch.start(false);
        watch
    }

    fn now(&self) -> Now {
        Now { boot: Duration::from_secs(self.boot), unix: self.truth + self.wrong }
    }

    fn start(&mut self, same_boot: bool) {
        self.track = None;
        self.track = Some(Track::open(self.folder.path(), same_boot, self.now()).unwrap());
    }

    fn track(&mut self) -> &mut Track {
        self.track.as_mut().unwrap()
    }

    fn pass(&mut self, seconds: u64) {
        self.boot += seconds;
        self.truth += seconds as i64;
    }

    fn tidy(&mut self) {
        let now = self.now();
        self.track().tidy(now).unwrap();
    }

    fn keep_for(&mut self, hours: Option<u16>) {
        let now = self.now();
        self.track().keep_for(hours, now).unwrap();
    }

    fn off(&mut self, seconds: i64) {
        self.truth += seconds;
        self.boot = 15;
        self.start(false);
    }

    fn at(&mut self, metres: f64, must: bool) {
        self.believed(metres, 0, must.then_some(Duration::ZERO));
    }

    /// Of so many seconds ago.
    fn believed(&mut self, metres: f64, ago: u64, last: Option<Duration>) {
        let place = Place::new(60.0 + metres / 111_195.0, 24.94).unwrap();
        let time = Timestamp::from_second(self.truth - ago as i64).unwrap();
        let here = Whereabouts { place, accuracy_m: 5.0, time, zone: None, doubt: None };
        let now = self.now();
        self.track().seen(&here, last, now).unwrap();
    }

    /// A place of its own, and how it is spelled in bytes.
    fn elsewhere(&mut self) -> [u8; 8] {
        self.places += 1;
        self.at(f64::from(self.places) * 100.0, true);
        let row = self.track().last(1)[0];
        spelled(&row)
    }

    fn bytes(&self) -> Vec<u8> {
        let names: Vec<_> = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap()).collect();
        names.iter().flat_map(|entry| fs::read(entry.path()).unwrap()).collect()
    }

    fn count(&mut self) -> usize {
        self.track().last(usize::MAX).len()
    }

    /// No byte of the folder is of anything but the heads and the rows that are left.
    fn holds_nothing_else(&mut self) {
        let mut bytes = self.bytes();
        assert_eq!(bytes.len(), SIZE, "one file of one size");
        let rows = self.track().rows.clone();
        for (slot, row) in rows {
            let place = &mut bytes[offset(slot) as usize..][..ROW];
            assert_eq!(place, row.bytes());
            place.fill(0);
        }
        assert!(bytes[offset(0) as usize..].iter().all(|byte| *byte == 0), "something else is left");
    }
}

fn spelled(row: &Row) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&row.latitude_e6.to_le_bytes());
    bytes[4..].copy_from_slice(&row.longitude_e6.to_le_bytes());
    bytes
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn a53_the_last_place_before_the_battery_dies_is_as_old_as_it_is() {
    let mut watch = Watch::new();
    watch.keep_for(Some(6));
    watch.pass(10 * HOUR);
    watch.believed(100.0, 5 * HOUR, Some(Duration::from_secs(5 * HOUR)));
    let place = spelled(&watch.track().last(1)[0]);
    watch.pass(HOUR - 601);
    watch.tidy();
    assert!(holds(&watch.bytes(), &place));
    watch.pass(2);
    watch.tidy();
    assert!(watch.count() == 0 && !holds(&watch.bytes(), &place));
    watch.believed(200.0, 6 * HOUR, Some(Duration::from_secs(6 * HOUR)));
    assert_eq!(watch.count(), 0, "what is too old does not come back");
}

#[test]
fn a53_a_row_goes_after_the_familys_hours_and_leaves_no_byte() {
    let mut watch = Watch::new();
    let place = watch.elsewhere();
    watch.pass(72 * HOUR - 700);
    watch.tidy();
    assert!(watch.count() == 1 && holds(&watch.bytes(), &place));
    watch.pass(101);
    watch.tidy();
    assert!(watch.count() == 0 && !holds(&watch.bytes(), &place));
    watch.holds_nothing_else();
}

#[test]
fn a_row_after_a_long_time_without_any_is_there_after_a_restart() {
    let mut watch = Watch::new();
    watch.pass(100 * HOUR);
    watch.elsewhere();
    watch.start(true);
    assert_eq!(watch.count(), 1);
}

#[test]
fn t16_a_seal_keeps_no_row_longer() {
    let mut watch = Watch::new();
    watch.keep_for(Some(5));
    watch.elsewhere();
    watch.keep_for(None);
    watch.start(true);
    watch.keep_for(None);
    watch.pass(4 * HOUR);
    watch.tidy();
    assert_eq!(watch.count(), 1);
    watch.pass(HOUR);
    watch.tidy();
    assert_eq!(watch.count(), 0);
}

#[test]
fn t16_fewer_hours_take_rows_at_once() {
    let mut watch = Watch::new();
    let old = watch.elsewhere();
    watch.pass(3 * HOUR);
    watch.elsewhere();
    watch.keep_for(Some(3));
    assert!(watch.count() == 1 && !holds(&watch.bytes(), &old));
    watch.pass(2 * HOUR);
    watch.keep_for(Some(72));
    assert_eq!(watch.count(), 1, "more hours bring nothing back and take nothing");
    watch.holds_nothing_else();
}

#[test]
fn a53_a_wall_clock_set_back_keeps_nothing_longer() {
    let mut watch = Watch::new();
    watch.elsewhere();
    watch.wrong = -1000 * HOUR as i64;
    watch.pass(40 * HOUR);
    watch.tidy();
    // Off for no time at all, as far as that clock says.
    watch.off(0);
    watch.pass(32 * HOUR);
    watch.tidy();
    assert_eq!(watch.count(), 0);
    watch.holds_nothing_else();
}

#[test]
fn a53_boots_too_short_to_write_the_age_down_count_all_the_same() {
    let mut watch = Watch::new();
    watch.wrong = -1000 * HOUR as i64;
    watch.elsewhere();
    for _ in 0..72 * 60 / 9 {
        watch.pass(540);
        watch.off(0);
    }
    watch.tidy();
    assert_eq!(watch.count(), 0);
}

#[test]
fn a_clock_that_jumps_ahead_alone_takes_nothing_within_twelve_hours() {
    let mut watch = Watch::new();
    watch.elsewhere();
    watch.wrong = 1000 * HOUR as i64;
    watch.pass(11 * HOUR);
    watch.tidy();
    assert_eq!(watch.count(), 1);
    watch.off(0);
    watch.pass(11 * HOUR);
    watch.tidy();
    assert_eq!(watch.count(), 1);
    watch.pass(HOUR);
    watch.tidy();
    assert_eq!(watch.count(), 0, "nobody said otherwise for twelve hours");
}

#[test]
fn a53_days_for_which_the_watch_was_off_count_when_two_clocks_agree() {
    let mut watch = Watch::new();
    let old = watch.elsewhere();
    watch.off(80 * HOUR as i64);
    watch.tidy();
    assert_eq!(watch.count(), 1, "the wall clock alone says so");
    watch.elsewhere();
    assert!(watch.count() == 1 && !holds(&watch.bytes(), &old), "the receiver says so too");
    watch.holds_nothing_else();
}

#[test]
fn a_watch_that_lies_still_makes_no_rows_and_one_that_moves_a_few() {
    let mut watch = Watch::new();
    watch.at(0.0, false);
    for second in 0..2000 {
        watch.pass(1);
        watch.at(f64::from(second % 20), false);
    }
    assert_eq!(watch.count(), 1);
    assert!(watch.track().due().is_some(), "there is a row to expire");
    // A train: no more than one in twenty seconds.
    for second in 0..200 {
        watch.pass(1);
        watch.at(f64::from(second) * 50.0, false);
    }
    assert_eq!(watch.count(), 11);
    watch.at(9950.0, true);
    assert_eq!(watch.count(), 12, "one that must be kept");
    watch.at(9950.0, true);
    assert_eq!(watch.count(), 12, "and is");
}

#[test]
fn the_newest_come_first_and_a_full_track_forgets_the_oldest() {
    let mut watch = Watch::new();
    watch.keep_for(Some(8760));
    let first = watch.elsewhere();
    for _ in 0..SLOTS {
        watch.pass(21);
        watch.elsewhere();
    }
    assert_eq!(watch.count(), SLOTS);
    assert!(!holds(&watch.bytes(), &first));
    watch.holds_nothing_else();
    watch.start(true);
    let last = watch.track().last(3);
    assert_eq!(last.len(), 3);
    assert!(last[0].latitude_e6 > last[1].latitude_e6 && last[1].latitude_e6 > last[2].latitude_e6);
    assert_eq!(last[0].unix_time, watch.truth);
    watch.elsewhere();
    assert_eq!(watch.count(), SLOTS);
}

#[test]
fn whatever_stands_in_its_place_is_erased_and_the_track_starts_anew() {
    let things: [&dyn Fn(&Path); 6] = [
        &|path| fs::write(path, "60.170000 24.940000").unwrap(),
        &|path| fs::write(path, vec![0; SIZE]).unwrap(),
        &|path| fs::create_dir_all(path.join("deep/er")).unwrap(),
        &|path| symlink("/nowhere", path).unwrap(),
        &|path| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRUSR).unwrap(),
        &|path| fs::File::create(path).unwrap().set_len(1 << 40).unwrap(),
    ];
    for thing in things {
        let mut watch = Watch::new();
        watch.track = None;
        let path = watch.folder.path().join("track");
        fs::remove_file(&path).unwrap();
        thing(&path);
        watch.start(true);
        watch.elsewhere();
        assert_eq!(watch.count(), 1);
        watch.holds_nothing_else();
    }
}

#[test]
fn a53_a_damaged_track_is_overwritten_before_its_name_goes() {
    let mut watch = Watch::new();
    watch.elsewhere();
    let (path, elsewhere) = (watch.folder.path().join("track"), quick());
    let other = elsewhere.path().join("other");
    fs::hard_link(&path, &other).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[..1024].fill(7);
    fs::write(&path, bytes).unwrap();
    watch.start(true);
    assert_eq!(watch.count(), 0);
    assert!(fs::read(&other).unwrap().iter().all(|byte| *byte == 0));
}

#[test]
fn a_disk_without_room_is_told_and_the_next_try_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let now = Now { boot: Duration::from_secs(15), unix: NOON };
    let missing = folder.path().join("missing");
    let error = Track::open(&missing, false, now).unwrap_err();
    assert_eq!(error.to_string(), "cannot make the track");
    fs::create_dir(&missing).unwrap();
    assert!(Track::open(&missing, false, now).is_ok());
}

#[derive(Debug, Clone)]
enum Step {
    Elsewhere,
    Pass(u64),
    Wall(i64),
    KeepFor(Option<u16>),
    Crash,
    Off(i64),
    /// The power goes in the middle of a write over a slot, or of a head.
    Torn(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Elsewhere),
        6 => (0_u64..9000).prop_map(Step::Pass),
        1 => (-200_000_i64..200_000).prop_map(Step::Wall),
        1 => prop::option::of(1_u16..10).prop_map(Step::KeepFor),
        1 => Just(Step::Crash),
        1 => (0_i64..20_000).prop_map(Step::Off),
        1 => (0..40_usize, 1..ROW).prop_map(|(slot, cut)| Step::Torn(slot, cut)),
    ]
}

proptest! {
    #[test]
    fn a53_no_expired_coordinate_is_in_any_byte(steps in prop::collection::vec(step(), 1..60)) {
        let mut watch = Watch::new();
        let (mut on, mut kept) = (0_u64, 72_u16);
        let mut told: Vec<([u8; 8], u64)> = Vec::new();
        for step in steps {
            match step {
                Step::Elsewhere => told.push((watch.elsewhere(), on)),
                Step::Pass(seconds) => {
                    watch.pass(seconds);
                    on += seconds;
                }
                Step::Wall(wrong) => watch.wrong = wrong,
                Step::KeepFor(hours) => {
                    kept = hours.unwrap_or(kept);
                    watch.keep_for(hours);
                }
                Step::Crash => watch.start(true),
                Step::Off(seconds) => watch.off(seconds),
                Step::Torn(slot, cut) => {
                    watch.track = None;
                    let path = watch.folder.path().join("track");
                    let mut bytes = fs::read(&path).unwrap();
                    bytes[offset(slot) as usize..][..cut].fill(0x5a);
                    fs::write(&path, bytes).unwrap();
                    watch.start(true);
                }
            }
            watch.tidy();
            watch.holds_nothing_else();
            let bytes = watch.bytes();
            let text = String::from_utf8_lossy(&bytes);
            prop_assert!(!text.contains("60.") && !text.contains("24.9"));
            for (place, since) in &told {
                if on - since >= u64::from(kept) * HOUR {
                    prop_assert!(!holds(&bytes, place));
                }
            }
            told.retain(|(place, _)| holds(&bytes, place));
        }
    }

    #[test]
    fn no_row_goes_before_its_time_on_a_watch_with_a_right_clock(passes in prop::collection::vec(0_u64..9000, 1..40)) {
        let mut watch = Watch::new();
        watch.keep_for(Some(9));
        let (mut on, mut told) = (0, Vec::new());
        for (place, pass) in passes.into_iter().enumerate() {
            told.push((watch.elsewhere(), on));
            watch.pass(pass);
            on += pass;
            if place % 5 == 0 {
                watch.start(true);
            }
            watch.tidy();
            let left = told.iter().filter(|(_, since)| on - since < 9 * HOUR - INTERVAL.as_secs()).count();
            prop_assert_eq!(watch.count(), left);
        }
    }
}
