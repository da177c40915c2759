//! What gpsd says, line by line, to the core that judges, smooths and looks for zones: a fix that is taken is a place on
//! Earth, a doubted one moves nothing, and a zone is entered and left by turns.
//!
//! Each line begins with a byte of time that passes before it. A line of `@` and four bytes more is made a fix near the zone, so that
//! the core is reached without a parser's luck.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use nestling_locationd::core::{Core, Effect, Event, Whereabouts};
use nestling_locationd::gpsd::{LIMIT, Lines, parse_line};
use policy::Zone;

fn zone() -> Zone {
    Zone {
        id: "school".into(),
        name: "School".into(),
        latitude_e6: 60_170_000,
        longitude_e6: 24_940_000,
        radius_m: 100,
        expect: Vec::new(),
    }
}

/// `@`, receiver's clock against ours, north, east, accuracy: a byte each, as gpsd writes it.
fn near(bytes: &[u8], now: Duration) -> Option<Vec<u8>> {
    let [b'@', clock, north, east, accuracy] = bytes else { return None };
    let second = 1_795_420_800 + now.as_secs() as i64 + i64::from(*clock as i8) / 8;
    let time = format!("2026-11-23T{:02}:{:02}:{:02}Z", second / 3600 % 24, second / 60 % 60, second % 60);
    let degrees = |middle: f64, byte: u8| middle + f64::from(byte as i8).powi(3) / 4e8;
    let (latitude, longitude) = (degrees(60.17, *north), degrees(24.94, *east));
    let text = format!(
        r#"{{"class":"TPV","mode":3,"time":"{time}","lat":{latitude:.7},"lon":{longitude:.7},"eph":{accuracy}}}"#
    );
    Some(text.into_bytes())
}

struct Watch {
    core: Core,
    now: Duration,
    inside: bool,
    last: Option<Whereabouts>,
}

impl Watch {
    fn hear(&mut self, line: &[u8]) {
        let Some((wait, line)) = line.split_first() else { return };
        self.now += Duration::from_secs(u64::from(wait % 64));
        let made = near(line, self.now);
        let Ok(Some(fix)) = parse_line(made.as_deref().unwrap_or(line)) else { return };
        assert!(fix.place.latitude().abs() <= 90.0 && fix.place.longitude().abs() <= 180.0);
        let effects = self.core.handle(Event::Fix(fix), self.now);
        let doubted = effects.iter().any(|effect| matches!(effect, Effect::Doubted(_)));
        for effect in effects {
            match effect {
                Effect::Record(line) => {
                    assert!(!doubted, "a doubted fix crossed a zone");
                    assert_eq!(line.kind == "zone-left", self.inside, "{} twice", line.kind);
                    self.inside = !self.inside;
                }
                Effect::PositionChanged(here) => {
                    match &self.last {
                        Some(last) if doubted => assert_eq!((here.place, here.time), (last.place, last.time)),
                        _ => assert!(here.place.distance_m(fix.place) <= fix.accuracy_m() * 1.001 + 0.01),
                    }
                    self.last = Some(here);
                }
                _ => {}
            }
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut core = Core::default();
    core.handle(Event::Rules(Some(vec![zone()])), Duration::ZERO);
    let mut watch = Watch { core, now: Duration::from_secs(1), inside: false, last: None };
    let mut lines = Lines::default();
    lines.feed(bytes, |line| {
        assert!(line.len() <= LIMIT);
        watch.hear(line);
    });
});
