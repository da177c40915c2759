//! A receiver that is led along a walk and writes down what it says, second by second.

use std::time::Duration;

use sim::{LatLon, Now, Sky};

/// 2026-11-23, 08:00:00 UTC: every walk begins then.
pub(crate) const MORNING: i64 = 1_795_420_800;
const DEGREE_M: f64 = 111_195.0;

/// What happens next.
pub(crate) enum Step {
    /// Time passes, and then the receiver says this.
    Say { wait: Duration, text: String, truth: LatLon },
    /// The receiver is taken away.
    Unplug,
    /// And given back.
    Plug,
}

/// Metres are north and east of the school.
pub(crate) struct Receiver {
    pub(crate) base: (f64, f64),
    pub(crate) steps: Vec<Step>,
    here: (f64, f64),
    /// Seconds its clock is ahead of the true time.
    ahead: i64,
    seconds: i64,
    wait: Duration,
    noise_m: f64,
    hdop: f64,
    only: &'static [&'static str],
    talker: &'static str,
    garbage: &'static str,
    random: u32,
}

impl Receiver {
    /// It lies still and hears nothing yet. A good receiver: 17 m by gpsd's reckoning, in truth a metre or two.
    pub(crate) fn at(base: (f64, f64), here: (f64, f64)) -> Self {
        Self {
            base,
            steps: Vec::new(),
            here,
            ahead: 0,
            seconds: 0,
            wait: Duration::ZERO,
            noise_m: 1.5,
            hdop: 0.9,
            only: &["RMC", "GGA", "GSA", "GSV"],
            talker: "GP",
            garbage: "",
            random: 1,
        }
    }

    /// How far a fix strays, and the HDOP it claims: gpsd makes 19 m of each.
    pub(crate) fn noise(&mut self, metres: f64, hdop: f64) -> &mut Self {
        (self.noise_m, self.hdop) = (metres, hdop);
        self
    }

    /// Only these sentences from now on.
    pub(crate) fn only(&mut self, sentences: &'static [&'static str]) -> &mut Self {
        self.only = sentences;
        self
    }

    /// Who speaks: `GP`, or `GN` for several constellations.
    pub(crate) fn talker(&mut self, talker: &'static str) -> &mut Self {
        self.talker = talker;
        self
    }

    /// This between all sentences.
    pub(crate) fn garbage(&mut self, garbage: &'static str) -> &mut Self {
        self.garbage = garbage;
        self
    }

    /// It says that it is elsewhere, from one second to the next.
    pub(crate) fn jump(&mut self, north: f64, east: f64) -> &mut Self {
        self.here = (north, east);
        self
    }

    /// Its clock jumps by so many seconds.
    pub(crate) fn clock(&mut self, seconds: i64) -> &mut Self {
        self.ahead += seconds;
        self
    }

    /// Time passes, and it says nothing at all.
    pub(crate) fn silent(&mut self, seconds: u64) -> &mut Self {
        self.wait += Duration::from_secs(seconds);
        self.seconds += seconds as i64;
        self
    }

    /// It says that it sees no sky.
    pub(crate) fn dark(&mut self, seconds: u64) -> &mut Self {
        for _ in 0..seconds {
            self.say(false);
        }
        self
    }

    pub(crate) fn stand(&mut self, seconds: u64) -> &mut Self {
        for _ in 0..seconds {
            self.say(true);
        }
        self
    }

    /// In a straight line at so many metres a second.
    pub(crate) fn go(&mut self, north: f64, east: f64, speed: f64) -> &mut Self {
        let from = self.here;
        let length = (north - from.0).hypot(east - from.1);
        for step in 1..=(length / speed).ceil() as u64 {
            let share = (step as f64 * speed / length).min(1.0);
            self.here = (from.0 + (north - from.0) * share, from.1 + (east - from.1) * share);
            self.say(true);
        }
        self
    }

    pub(crate) fn unplug(&mut self) -> &mut Self {
        self.steps.push(Step::Unplug);
        self
    }

    pub(crate) fn plug(&mut self) -> &mut Self {
        self.steps.push(Step::Plug);
        self
    }

    /// The noise begins anew, so that what follows can be what was, to the last digit.
    pub(crate) fn rewind(&mut self) -> &mut Self {
        self.random = 1;
        self
    }

    fn say(&mut self, sky: bool) {
        self.silent(1);
        let truth = self.place(self.here);
        let near = (self.here.0 + self.stray(), self.here.1 + self.stray());
        let mut receiver = Sky::new(self.place(near));
        if !sky {
            receiver.set_fix(sim::sky::Fix::None);
        }
        let now = Now { mono: Duration::ZERO, unix_ms: (MORNING + self.seconds + self.ahead) * 1000 };
        let text = receiver.sentences(now).lines().filter_map(|line| self.edited(line)).collect();
        let wait = std::mem::take(&mut self.wait);
        self.steps.push(Step::Say { wait, text, truth });
    }

    fn edited(&self, line: &str) -> Option<String> {
        let body = line.strip_prefix('$')?.split('*').next()?;
        if !self.only.contains(&body.get(2..5)?) {
            return None;
        }
        let hdop = format!("{:.1}", self.hdop);
        let body = body.replace("GP", self.talker).replace(",08,0.9,", &format!(",08,{hdop},"));
        let body = body.replace(",1.6,0.9,", &format!(",1.6,{hdop},"));
        Some(format!("{}{}", sentence(&body), self.garbage))
    }

    fn place(&self, (north, east): (f64, f64)) -> LatLon {
        let latitude = self.base.0 + north / DEGREE_M;
        let longitude = self.base.1 + east / (DEGREE_M * self.base.0.to_radians().cos());
        LatLon::new(latitude, (longitude + 540.0).rem_euclid(360.0) - 180.0).unwrap()
    }

    /// Nearly normal, the same in every run.
    fn stray(&mut self) -> f64 {
        let mut next = || {
            self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(self.random >> 8) / f64::from(1 << 24) - 0.5
        };
        (next() + next() + next() + next()) * 1.73 * self.noise_m
    }
}

/// With its frame and checksum.
pub(crate) fn sentence(body: &str) -> String {
    let sum = body.bytes().fold(0, |sum, byte| sum ^ byte);
    format!("${body}*{sum:02X}\r\n")
}
