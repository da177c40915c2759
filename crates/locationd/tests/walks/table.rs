//! What became of a walk, as lines a parent can read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use nestling_locationd::core::{Core, Doubt, Effect, Event, Line, PROMISED};
use nestling_locationd::gpsd::parse_line;
use policy::{Days, Expect, Place, TimeZone, Zone};
use sim::LatLon;

use super::gpsd::Lockstep;
use super::receiver::{MORNING, Step};
use super::walk::Walk;

/// School, where the child is to be by 08:15, and home 800 m south of it.
fn zones((latitude, longitude): (f64, f64)) -> Vec<Zone> {
    let by_quarter_past = Expect { days: Days::ALL, by: "08:15".parse().unwrap() };
    let zone = |id: &str, north: f64, radius_m, expect| Zone {
        id: id.into(),
        name: id.to_uppercase(),
        latitude_e6: ((latitude + north / 111_195.0) * 1e6).round() as i32,
        longitude_e6: (longitude * 1e6).round() as i32,
        radius_m,
        expect,
    };
    vec![zone("school", 0.0, 120, vec![by_quarter_past]), zone("home", -800.0, 80, vec![])]
}

/// The boot-time clock of every watch when its walk begins.
const START: Duration = Duration::from_secs(100);

#[derive(Default)]
struct Outcome {
    believed: u64,
    doubts: BTreeMap<&'static str, u64>,
    refused: BTreeMap<String, u64>,
    events: Vec<String>,
    furthest: f64,
    zone: Option<String>,
    doubt: Option<Doubt>,
}

/// Walks it and writes what came of it.
pub(crate) async fn walked(walk: Walk) -> String {
    let mut gpsd = Lockstep::start().await;
    let mut core = Core::default();
    let mut now = START;
    core.handle(Event::Rules(Some(zones(walk.receiver.base))), now);
    let mut outcome = Outcome::default();
    for step in walk.receiver.steps {
        match step {
            Step::Unplug => gpsd.unplug().await,
            Step::Plug => gpsd.plug().await,
            Step::Say { wait, text, truth } => {
                outcome.clock(&mut core, now, wait);
                now += wait;
                for line in gpsd.say(&text).await {
                    outcome.report(&mut core, line.trim_end(), now, truth);
                }
            }
        }
    }
    // What fell due on the way is judged a while later.
    outcome.clock(&mut core, now, PROMISED.saturating_sub(Duration::from_secs(1)));
    outcome.text(walk.name, walk.story)
}

impl Outcome {
    /// What the clock alone brings within so much time.
    fn clock(&mut self, core: &mut Core, now: Duration, wait: Duration) {
        let utc: TimeZone = "Etc/UTC".parse().unwrap();
        let unix = MORNING + now.saturating_sub(START).as_secs() as i64;
        let Some(at) = core.next_expected(&utc, unix) else { return };
        let passed = Duration::from_secs((at - unix) as u64);
        if passed > wait {
            return;
        }
        for effect in core.handle(Event::Clock(at, utc), now + passed) {
            if let Effect::Record(line) = effect {
                self.events.push(told(&line));
            }
        }
    }

    fn report(&mut self, core: &mut Core, line: &str, now: Duration, truth: LatLon) {
        let fix = match parse_line(line.as_bytes()) {
            Ok(Some(fix)) => fix,
            Ok(None) => return,
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                *self.refused.entry(cause.unwrap_or_else(|| error.to_string())).or_default() += 1;
                return;
            }
        };
        for effect in core.handle(Event::Fix(fix), now) {
            match effect {
                Effect::Record(line) => self.events.push(told(&line)),
                // gpsd tells an instant again when it learns more of it.
                Effect::Doubted(Doubt::Repeated) | Effect::CellChanged(_) => {}
                Effect::Doubted(doubt) => *self.doubts.entry(doubt.as_str()).or_default() += 1,
                Effect::Coarse(_) => *self.doubts.entry("coarse").or_default() += 1,
                Effect::Jumped => self
                    .events
                    .push(format!("{} the receiver insists and is believed, with a mark", clock(fix.time))),
                Effect::PositionChanged(here) => {
                    if here.time == fix.time {
                        self.believed += 1;
                        let truth = Place::new(truth.lat(), truth.lon()).unwrap();
                        self.furthest = self.furthest.max(here.place.distance_m(truth));
                    }
                    (self.zone, self.doubt) = (here.zone, here.doubt);
                }
            }
        }
    }

    fn text(&self, name: &str, story: &str) -> String {
        let mut text = format!("{name}: {story}\n");
        let _ = write!(text, "    believed {}", self.believed);
        if self.believed > 0 {
            let _ = write!(text, " (at most {:.0} m off)", self.furthest);
        }
        let counted = |(what, count): (&str, &u64)| format!("{what} {count}");
        let doubts: Vec<_> = self.doubts.iter().map(|(name, count)| counted((name, count))).collect();
        let refused: Vec<_> = self.refused.iter().map(|(why, count)| counted((why, count))).collect();
        for (title, what) in [("doubted", doubts), ("refused", refused)] {
            if !what.is_empty() {
                let _ = write!(text, "; {title}: {}", what.join(", "));
            }
        }
        text.push('\n');
        for event in &self.events {
            let _ = writeln!(text, "    {event}");
        }
        let zone = match (&self.zone, self.believed) {
            (_, 0) => "unknown",
            (Some(zone), _) => zone,
            (None, _) => "in no zone",
        };
        let doubt = self.doubt.map_or_else(String::new, |doubt| format!(", in doubt: {}", doubt.as_str()));
        let _ = writeln!(text, "    at last: {zone}{doubt}");
        text
    }
}

fn told(line: &Line) -> String {
    let detail =
        |key: &str| line.details.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str());
    let time = |text: &str| clock(text.parse().unwrap());
    if let Some(watch) = detail("watch") {
        let (time, zone) = (time(detail("time").unwrap()), detail("zone").unwrap());
        return format!("{time} not at {zone}: the watch is {watch}");
    }
    let verb = if line.kind == "zone-left" { "left" } else { "entered" };
    let mut text = format!("{} {verb} {}", time(detail("time").unwrap()), detail("zone").unwrap());
    if detail("found").is_some() {
        text += ", was found there";
    }
    if let Some(after) = detail("after") {
        let _ = write!(text, ", after {}: nobody saw it", time(after));
    }
    if let Some(doubt) = detail("doubt") {
        let _ = write!(text, ", in doubt: {doubt}");
    }
    text
}

fn clock(time: Timestamp) -> String {
    time.strftime("%H:%M:%S").to_string()
}
