//! Who may knock, and how often: the rate of orders, and the window of the first enrolment.

use std::collections::BTreeMap;
use std::time::Duration;

use orders::EnrolmentCode;

/// How long the screen's code is good.
pub const WINDOW: Duration = Duration::from_mins(10);

/// Wrong codes after which the window closes by itself.
const WRONG_CODES: u32 = 5;

/// Orders that may come at once, and how long one more takes.
const BURST: u32 = 20;
const REFILL: Duration = Duration::from_secs(1);

/// Orders of one guardian who is not main, in a day: each is kept for ever, and main must always find room.
const A_DAY: u32 = 100;
const DAY: Duration = Duration::from_hours(24);

/// Lines of one daemon that may come at once, and how long one more takes.
const LINES: u32 = 200;
const LINE: Duration = Duration::from_mins(1);

/// State of all. Times are of the boot-time clock.
#[derive(Debug, Default)]
pub struct Gate {
    orders: Bucket,
    lines: BTreeMap<&'static str, Bucket>,
    guardians: BTreeMap<String, (Duration, u32)>,
    window: Option<Window>,
}

/// So many at once, and one more in each interval.
#[derive(Debug, Default)]
struct Bucket {
    used: u32,
    refilled: Duration,
}

impl Bucket {
    fn admit(&mut self, now: Duration, burst: u32, interval: Duration) -> bool {
        let refills = now.saturating_sub(self.refilled).as_secs() / interval.as_secs();
        if refills > 0 {
            self.used = self.used.saturating_sub(u32::try_from(refills).unwrap_or(u32::MAX));
            self.refilled = now;
        }
        let fits = self.used < burst;
        self.used += u32::from(fits);
        fits
    }
}

#[derive(Debug, Clone, Copy)]
struct Window {
    code: EnrolmentCode,
    closes: Duration,
    wrong: u32,
}

impl Gate {
    /// Whether another order may be looked at now. Each looked at costs one, good or bad: verifying a
    /// signature is what a flood would make the watch do.
    pub fn admit(&mut self, now: Duration) -> bool {
        self.orders.admit(now, BURST, REFILL)
    }

    /// Whether a daemon may write another line into the diary now.
    pub fn admit_line(&mut self, source: &'static str, now: Duration) -> bool {
        self.lines.entry(source).or_default().admit(now, LINES, LINE)
    }

    /// Whether a guardian who is not main may give another order today. It counts as given.
    pub fn has_room(&mut self, guardian: &str, now: Duration) -> bool {
        let (since, given) = self.guardians.entry(guardian.to_owned()).or_insert((now, 0));
        if now.saturating_sub(*since) >= DAY {
            (*since, *given) = (now, 0);
        }
        let fits = *given < A_DAY;
        *given += u32::from(fits);
        fits
    }

    /// Opens the enrolment window, or finds it open: the code and the time left.
    pub fn open(&mut self, now: Duration, fresh: EnrolmentCode) -> (EnrolmentCode, Duration) {
        let window = match self.window {
            Some(window) if now < window.closes => window,
            _ => Window { code: fresh, closes: now + WINDOW, wrong: 0 },
        };
        self.window = Some(window);
        (window.code, window.closes.saturating_sub(now))
    }

    /// The code that is good now.
    pub fn code(&self, now: Duration) -> Option<EnrolmentCode> {
        self.window.filter(|window| now < window.closes).map(|window| window.code)
    }

    /// Somebody was enrolled: the code was used.
    pub fn close(&mut self) {
        self.window = None;
    }

    /// A wrong code came.
    pub fn wrong_code(&mut self) {
        if let Some(window) = &mut self.window {
            window.wrong += 1;
            if window.wrong >= WRONG_CODES {
                self.window = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn code(n: u8) -> EnrolmentCode {
        EnrolmentCode::from_random([n; 8])
    }

    #[test]
    fn a17_the_code_is_good_for_ten_minutes_and_once() {
        let mut gate = Gate::default();
        assert_eq!(gate.code(seconds(1)), None);
        let (shown, left) = gate.open(seconds(1), code(1));
        assert_eq!((shown, left), (code(1), WINDOW));
        assert_eq!(gate.open(seconds(100), code(2)), (code(1), seconds(501)));
        assert_eq!(gate.code(seconds(600)), Some(code(1)));
        assert_eq!(gate.code(seconds(601)), None);
        assert_eq!(gate.open(seconds(601), code(3)).0, code(3));
        gate.close();
        assert_eq!(gate.code(seconds(602)), None);
    }

    #[test]
    fn a29_five_wrong_codes_close_the_window() {
        let mut gate = Gate::default();
        gate.open(seconds(0), code(1));
        for _ in 0..4 {
            gate.wrong_code();
        }
        assert!(gate.code(seconds(1)).is_some());
        gate.wrong_code();
        assert_eq!(gate.code(seconds(1)), None);
    }

    #[test]
    fn a43_a_guardian_who_is_not_main_fills_no_log() {
        let mut gate = Gate::default();
        let given = (0..1000).filter(|n| gate.has_room("dad", seconds(*n))).count();
        assert_eq!(given, 100);
        assert!(gate.has_room("gran", seconds(1000)), "each has his own");
        assert!(gate.has_room("dad", seconds(86_400)));
    }

    #[test]
    fn a43_one_daemon_fills_no_diary_and_takes_no_line_from_another() {
        let mut gate = Gate::default();
        let taken = (0..1000).filter(|_| gate.admit_line("telephony", seconds(60))).count();
        assert_eq!(taken, 200);
        assert!(gate.admit_line("location", seconds(60)));
        assert!(gate.admit_line("telephony", seconds(120)));
        assert!(!gate.admit_line("telephony", seconds(120)));
    }

    #[test]
    fn a43_a_flood_of_orders_is_cut_to_one_a_second() {
        let mut gate = Gate::default();
        let admitted = (0..1000).filter(|_| gate.admit(seconds(5))).count();
        assert_eq!(admitted, 20);
        assert!(gate.admit(seconds(6)));
        assert!(!gate.admit(seconds(6)));
    }
}
