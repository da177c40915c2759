//! A guardian's look is an order, and so is his search for the watch: the diary has it, there are not too many, and it ends.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::fs;
use std::time::Duration;

use daemon::wall::Now;
use ipc::{DiaryEntry, Refusal};
use nestling_policyd::anchor::HomeConfig;
use nestling_policyd::config::Config;
use nestling_policyd::office::Office;
use orders::{Body, Enrolment, EnrolmentCode, Role, Signer, WatchId};
use tempfile::TempDir;

/// A quarter past ten in the family's morning, and so many seconds.
fn at(seconds: u64) -> Now {
    Now { boot: Duration::from_secs(500 + seconds), unix: 1_790_061_300 + i64::try_from(seconds).unwrap() }
}

struct Home {
    dir: TempDir,
    mum: Signer,
    dad: Signer,
}

impl Home {
    /// Mum is main, Dad a guardian, and the family's rules are in force.
    fn new() -> (Self, Office) {
        let dir = tempfile::tempdir().unwrap();
        for name in ["state", "anchor", "store"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let mut home = Self { dir, mum: Signer::from_secret(&[1; 32]), dad: Signer::from_secret(&[2; 32]) };
        let mut office = home.boot(0);
        let watch = WatchId::parse(office.watch()).unwrap();
        for (guardian, role) in [("mum", Role::Main), ("dad", Role::Guardian)] {
            let (code, _) = office.open_enrolment(at(0)).unwrap();
            let code = EnrolmentCode::parse(&code.replace(' ', "")).unwrap();
            let key = if role == Role::Main { home.mum.public() } else { home.dad.public() };
            let enrolment =
                Enrolment { code, guardian: guardian.into(), role, keys: vec![key], recovery: None };
            let mut order = home.mum.order(&watch, 0, Body::Enrol(enrolment));
            home.dad.cosign(&mut order);
            office.submit(&order.to_bytes(), at(0)).unwrap();
        }
        let policy = serde_json::from_str(include_str!("../../../tests/family.json")).unwrap();
        let order = home.mum.order(&watch, 0, Body::SetPolicy { base: None, policy });
        office.submit(&order.to_bytes(), at(0)).unwrap();
        (home, office)
    }

    fn boot(&self, seconds: u64) -> Office {
        self.boot_at(at(seconds))
    }

    fn boot_at(&self, now: Now) -> Office {
        let path = |name: &str| self.dir.path().join(name);
        let config = Config {
            state: path("state"),
            anchor: HomeConfig::File { directory: path("anchor") },
            store: path("store"),
            allow_memory: true,
            ..Config::default()
        };
        Office::open(&config, now).unwrap()
    }
}

fn look(office: &mut Office, who: &mut Signer, seconds: u64) -> Result<u64, Refusal> {
    look_at(office, who, at(seconds))
}

fn look_at(office: &mut Office, who: &mut Signer, now: Now) -> Result<u64, Refusal> {
    let watch = WatchId::parse(office.watch()).unwrap();
    office.submit(&who.order(&watch, 0, Body::Locate {}).to_bytes(), now)
}

/// Lines from the fourth on: what is before was the binding.
fn lines(office: &Office) -> Vec<DiaryEntry> {
    office.read_diary(5, 100).unwrap()
}

/// Who looked today and when, the newest first.
fn looked(office: &Office, seconds: u64) -> Vec<(String, i64)> {
    office.seen(at(seconds)).looked.into_iter().map(|look| (look.name, look.unix_time)).collect()
}

fn looking(office: &Office, seconds: u64) -> Vec<String> {
    office.seen(at(seconds)).looking.into_iter().map(|look| look.name).collect()
}

#[test]
fn t25_the_diary_says_in_words_who_looked_and_never_where_the_child_was() {
    let (mut home, mut office) = Home::new();
    let revision = office.revision();
    assert_eq!(look(&mut office, &mut home.mum, 10).unwrap(), revision + 1);
    look(&mut office, &mut home.dad, 20).unwrap();
    let told: Vec<_> = lines(&office)
        .into_iter()
        .map(|line| {
            let mut details: Vec<_> =
                line.details.into_iter().map(|(key, value)| format!("{key} {value}")).collect();
            details.sort();
            (line.source, line.kind, line.unix_time, details)
        })
        .collect();
    let line = |seconds, guardian: &str, name: &str| {
        let details = vec![format!("guardian {guardian}"), format!("name {name}")];
        ("policy".to_owned(), "looked".to_owned(), at(seconds).unix, details)
    };
    assert_eq!(told, [line(10, "mum", "Mum"), line(20, "dad", "Dad")]);
    assert_eq!(
        (looking(&office, 21), office.seen(at(21)).today),
        (vec!["Dad".to_owned(), "Mum".to_owned()], 2)
    );
}

#[test]
fn t25_a_look_the_diary_does_not_take_is_not_given() {
    let (mut home, mut office) = Home::new();
    let revision = office.revision();
    let path = home.dir.path().join("state/diary.db");
    // Nothing can be written there any more.
    let diary = rusqlite::Connection::open(&path).unwrap();
    diary
        .execute_batch("CREATE TRIGGER full BEFORE INSERT ON line BEGIN SELECT RAISE(ABORT, 'full'); END;")
        .unwrap();
    assert!(matches!(look(&mut office, &mut home.mum, 10), Err(Refusal::Failed(_))));
    assert_eq!((looking(&office, 11), office.revision()), (vec![], revision));
    diary.execute_batch("DROP TRIGGER full").unwrap();
    look(&mut office, &mut home.mum, 12).unwrap();
    assert_eq!(looking(&office, 13), ["Mum"]);
}

#[test]
fn t16_a_look_ends_without_an_order_and_with_its_guardian() {
    let (mut home, mut office) = Home::new();
    look(&mut office, &mut home.mum, 10).unwrap();
    look(&mut office, &mut home.dad, 100).unwrap();
    assert_eq!(office.due(at(101)), Some(at(130).boot));
    assert_eq!(looking(&office, 129), ["Dad", "Mum"]);
    assert_eq!(looking(&office, 130), ["Dad"]);
    // A guardian who is gone sees nothing, from that moment on.
    let watch = WatchId::parse(office.watch()).unwrap();
    let retire = Body::Retire { guardian: "dad".into(), key: None, heir: None };
    office.submit(&home.mum.order(&watch, 0, retire).to_bytes(), at(131)).unwrap();
    assert_eq!(looking(&office, 132), Vec::<String>::new());
    assert_eq!(office.seen(at(132)).today, 2);
}

#[test]
fn a54_a_thousand_looks_are_twelve_an_hour_and_two_lines() {
    let (mut home, mut office) = Home::new();
    let before = office.revision();
    for second in 0..1000 {
        let taken = look(&mut office, &mut home.mum, 10 + second);
        assert!(if second < 12 { taken.is_ok() } else { matches!(taken, Err(Refusal::Busy(_))) }, "{second}");
    }
    assert_eq!(
        (office.revision(), office.seen(at(1010)).today),
        (before + 12, 12),
        "what is refused does not count"
    );
    let kinds = |office: &Office| lines(office).into_iter().map(|line| line.kind).collect::<Vec<_>>();
    let mut expected = vec!["looked"; 12];
    expected.push("look-refused");
    assert_eq!(kinds(&office), expected);
    office.tell_floods(at(22 + 3599), false);
    assert_eq!(kinds(&office), expected);
    office.tell_floods(at(22 + 3600), false);
    expected.push("look-refused");
    assert_eq!(kinds(&office), expected);
    let last = lines(&office).pop().unwrap().details;
    assert_eq!((last["count"].as_str(), last["name"].as_str()), ("987", "Mum"));
    look(&mut office, &mut home.dad, 1011).unwrap();
}

#[test]
fn a54_a_restart_of_policyd_forgets_no_look() {
    let (mut home, mut office) = Home::new();
    for second in 0..12 {
        look(&mut office, &mut home.mum, 10 + second).unwrap();
    }
    drop(office);
    let mut office = home.boot(60);
    assert_eq!((looking(&office, 60), office.seen(at(60)).today), (vec!["Mum".to_owned()], 12));
    assert_eq!(looked(&office, 60).first(), Some(&("Mum".to_owned(), at(21).unix)));
    assert!(matches!(look(&mut office, &mut home.mum, 61), Err(Refusal::Busy(_))));
    assert_eq!(looking(&office, 130), Vec::<String>::new());
    look(&mut office, &mut home.mum, 3700).unwrap();
}

/// The battery was flat, and the clock begins anew a minute after the last line, or years before it.
#[test]
fn a54_a_lost_clock_opens_no_look_and_refuses_nobody_for_what_was_long_ago() {
    for years in [0, 20] {
        let (mut home, mut office) = Home::new();
        for hour in 0..30 {
            look(&mut office, &mut home.mum, hour * 3600).unwrap();
        }
        look(&mut office, &mut home.dad, 30 * 3600).unwrap();
        drop(office);
        let lost = |seconds: u64| Now {
            boot: Duration::from_secs(seconds),
            unix: at(30 * 3600 + seconds).unix - years * 31_557_600,
        };
        let mut office = home.boot_at(lost(20));
        let seen = office.seen(lost(20));
        assert_eq!(seen.looking, [], "nobody looks");
        assert_eq!((seen.today, seen.looked.len()), if years == 0 { (17, 16) } else { (0, 0) });
        for second in 30..41 {
            look_at(&mut office, &mut home.mum, lost(second)).unwrap();
        }
        assert_eq!(office.seen(lost(41)).looking.len(), 1);
    }
}

#[test]
fn a54_a_clock_that_jumps_neither_gives_more_looks_nor_closes_an_open_one() {
    for days in [-2, 2] {
        let (mut home, mut office) = Home::new();
        let jumped = |seconds| Now { unix: at(seconds).unix + days * 86_400, ..at(seconds) };
        look(&mut office, &mut home.dad, 10).unwrap();
        for second in 10..21 {
            look(&mut office, &mut home.mum, second).unwrap();
        }
        look_at(&mut office, &mut home.mum, jumped(30)).unwrap();
        assert_eq!(office.seen(jumped(31)).looking.len(), 2);
        assert!(matches!(look_at(&mut office, &mut home.mum, jumped(40)), Err(Refusal::Busy(_))));
    }
}

#[test]
fn t25_the_list_of_the_day_is_the_newest_sixteen_looks_and_ends_at_midnight() {
    let (mut home, mut office) = Home::new();
    for second in 10..20 {
        look(&mut office, &mut home.mum, second).unwrap();
    }
    for second in 30..40 {
        look(&mut office, &mut home.dad, second).unwrap();
    }
    let seen = office.seen(at(60));
    let (dad, mum) = (("Dad", "dad", "face:dad"), ("Mum", "mum", "face:mum"));
    let expected = (0..10).rev().map(|n| (dad, 30 + n)).chain((0..10).rev().map(|n| (mum, 10 + n))).take(16);
    let told: Vec<_> = seen
        .looked
        .iter()
        .map(|look| ((look.name.as_str(), look.guardian.as_str(), look.picture.as_str()), look.unix_time))
        .collect();
    assert_eq!(told, expected.map(|(who, seconds)| (who, at(seconds).unix)).collect::<Vec<_>>());
    assert_eq!(seen.today, 20, "the counter counts all of them");
    // Whoever is no guardian any more looked all the same.
    let watch = WatchId::parse(office.watch()).unwrap();
    let retire = Body::Retire { guardian: "dad".into(), key: None, heir: None };
    office.submit(&home.mum.order(&watch, 0, retire).to_bytes(), at(61)).unwrap();
    assert_eq!(office.seen(at(62)).looked, seen.looked);
    assert_eq!(looked(&office, 13 * 3600 + 45 * 60), []);
}

#[test]
fn a54_the_counter_of_the_day_begins_at_the_familys_midnight() {
    let (mut home, mut office) = Home::new();
    look(&mut office, &mut home.mum, 0).unwrap();
    // 10:15 in Helsinki; midnight is 13 hours and 45 minutes away.
    let midnight = 13 * 3600 + 45 * 60;
    assert_eq!(office.due(at(300)), Some(at(midnight).boot));
    assert_eq!([midnight - 1, midnight].map(|seconds| office.seen(at(seconds)).today), [1, 0]);
}

fn search(office: &mut Office, who: &mut Signer, seconds: u64) -> Result<u64, Refusal> {
    let watch = WatchId::parse(office.watch()).unwrap();
    office.submit(&who.order(&watch, 0, Body::Ring {}).to_bytes(), at(seconds))
}

fn searching(office: &Office, seconds: u64) -> Option<String> {
    Some(office.search(at(seconds)).name).filter(|name| !name.is_empty())
}

#[test]
fn t25_a_search_is_in_the_diary_and_one_the_diary_does_not_take_is_not_given() {
    let (mut home, mut office) = Home::new();
    let revision = office.revision();
    let path = home.dir.path().join("state/diary.db");
    let diary = rusqlite::Connection::open(&path).unwrap();
    diary
        .execute_batch("CREATE TRIGGER full BEFORE INSERT ON line BEGIN SELECT RAISE(ABORT, 'full'); END;")
        .unwrap();
    assert!(matches!(search(&mut office, &mut home.mum, 10), Err(Refusal::Failed(_))));
    assert_eq!((searching(&office, 11), office.revision()), (None, revision));
    diary.execute_batch("DROP TRIGGER full").unwrap();
    assert_eq!(search(&mut office, &mut home.mum, 12).unwrap(), revision + 1);
    let line = lines(&office).pop().unwrap();
    assert_eq!(
        (line.source.as_str(), line.kind.as_str(), line.unix_time),
        ("policy", "searched", at(12).unix)
    );
    assert_eq!((line.details["guardian"].as_str(), line.details["name"].as_str()), ("mum", "Mum"));
    let told = office.search(at(13));
    assert_eq!((told.id, told.picture.as_str(), told.screen.as_str()), (revision + 1, "face:mum", ""));
    assert_eq!(office.seen(at(13)).today, 0, "it is no look");
}

#[test]
fn t16_a_search_ends_without_an_order_with_a_touch_and_with_its_guardian() {
    let (mut home, mut office) = Home::new();
    let id = search(&mut office, &mut home.dad, 10).unwrap();
    search(&mut office, &mut home.mum, 40).unwrap();
    assert_eq!(office.due(at(41)), Some(at(70).boot));
    assert_eq!([69, 70].map(|seconds| searching(&office, seconds)), [Some("Dad".into()), None]);
    assert!(matches!(office.shows_search(id, ":1.7", at(70)), Err(Refusal::NotFound(_))));
    let id = search(&mut office, &mut home.dad, 80).unwrap();
    office.shows_search(id, ":1.7", at(81)).unwrap();
    assert_eq!(office.search(at(81)).screen, ":1.7");
    office.stop_search(id, at(82)).unwrap();
    assert_eq!(searching(&office, 82), None);
    // A guardian who is gone searches no more.
    search(&mut office, &mut home.dad, 90).unwrap();
    let watch = WatchId::parse(office.watch()).unwrap();
    let retire = Body::Retire { guardian: "dad".into(), key: None, heir: None };
    office.submit(&home.mum.order(&watch, 0, retire).to_bytes(), at(91)).unwrap();
    assert_eq!(searching(&office, 92), None);
}

#[test]
fn a54_a_thousand_searches_are_twelve_an_hour_and_two_lines_also_over_a_restart() {
    let (mut home, mut office) = Home::new();
    for second in 0..500 {
        let taken = search(&mut office, &mut home.mum, 10 + second);
        assert!(if second < 12 { taken.is_ok() } else { matches!(taken, Err(Refusal::Busy(_))) }, "{second}");
    }
    // Looks have a count of their own.
    look(&mut office, &mut home.mum, 511).unwrap();
    office.tell_floods(at(511), true);
    drop(office);
    let mut office = home.boot(520);
    assert_eq!(searching(&office, 520), None, "it does not ring again by itself");
    assert!(matches!(search(&mut office, &mut home.mum, 521), Err(Refusal::Busy(_))));
    search(&mut office, &mut home.dad, 522).unwrap();
    let kinds: Vec<_> = lines(&office).into_iter().map(|line| line.kind).collect();
    let mut expected = vec!["searched"; 12];
    expected.extend(["search-refused", "looked", "search-refused", "search-refused", "searched"]);
    assert_eq!(kinds, expected);
    search(&mut office, &mut home.mum, 3700).unwrap();
}

#[test]
fn a54_of_searches_before_the_clock_was_lost_half_an_hours_count_is_left() {
    let (mut home, mut office) = Home::new();
    for second in 10..22 {
        search(&mut office, &mut home.mum, second).unwrap();
    }
    drop(office);
    let lost =
        |seconds: u64| Now { boot: Duration::from_secs(seconds), unix: i64::try_from(seconds).unwrap() };
    let mut office = home.boot_at(lost(20));
    assert_eq!(office.search(lost(20)), ipc::Search::none());
    let watch = WatchId::parse(office.watch()).unwrap();
    for second in 30..43 {
        let order = home.mum.order(&watch, 0, Body::Ring {}).to_bytes();
        assert_eq!(office.submit(&order, lost(second)).is_ok(), second < 36, "{second}");
    }
}
