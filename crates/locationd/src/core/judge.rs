//! What to believe: a fix that follows from those before it.
//!
//! **Invariants:** a fix that does not follow changes nothing by itself; what insists on another place or another time is
//! believed only after [`AGREEMENT`] of fixes that follow from each other, and bears a mark for [`PROBATION`]: a
//! watch may have been off in a train, and a liar can wait a minute; a source that is drowned out by a better one is
//! never believed; a receiver that repeats itself is not believed however long it insists.

use std::time::Duration;

use jiff::Timestamp;

use super::fix::Fix;
use super::habit::Habit;

/// Faster than any train, metres a second.
const FASTEST_M_S: f64 = 100.0;
/// How far the receiver's clock may run from ours between two fixes: a busy watch reads late.
const CLOCK_SLACK: Duration = Duration::from_secs(5);
/// And for each second between them, one part of so many: our crystal drifts over a night under a roof.
const CLOCK_DRIFT: u32 = 5000;
/// Fixes in a row that follow from each other before any is believed.
pub const CONSISTENT: u8 = 3;
/// For how long they must, where another place or time was believed before.
pub const AGREEMENT: Duration = Duration::from_mins(1);
/// How long a place that was reached by insisting is marked.
pub const PROBATION: Duration = Duration::from_mins(10);

/// A fix and when it came, on the boot-time clock.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    fix: Fix,
    at: Duration,
}

/// Fixes that follow from each other, but not from what is believed.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    since: Duration,
    last: Seen,
    count: u8,
}

/// Why a fix is not believed, yet; or, on a position, what to think of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Doubt {
    /// The very instant that was judged already: gpsd tells one instant more than once.
    #[error("told before")]
    Repeated,
    /// Nothing before it: it needs company.
    #[error("the first of its kind")]
    First,
    /// The receiver's clock went back, stood, or ran ahead.
    #[error("the receiver's clock jumped")]
    Clock,
    /// No watch moves that fast.
    #[error("the place jumped")]
    Jump,
    /// The same place to the last digit for long: a receiver's noise never stands still.
    #[error("the place is frozen")]
    Frozen,
    /// The same way, point for point, a second time.
    #[error("the way was told before")]
    Replayed,
}

impl Doubt {
    /// The word on the bus and in the diary.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Repeated => "repeated",
            Self::First => "first",
            Self::Clock => "clock",
            Self::Jump => "jump",
            Self::Frozen => "frozen",
            Self::Replayed => "replayed",
        }
    }
}

/// How a fix came to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belief {
    /// It follows from the last one.
    Follows,
    /// Nothing was believed before; it is the last of [`CONSISTENT`] that agree.
    Begins,
    /// It does not follow, but those before it agreed for [`AGREEMENT`].
    Insists,
}

/// Judges fixes one by one.
#[derive(Debug, Default)]
pub(super) struct Judge {
    believed: Option<Seen>,
    candidate: Option<Candidate>,
    /// The instant that was judged last, whatever came of it.
    newest: Option<Timestamp>,
    habit: Habit,
    /// What had to be overlooked, and until when it is remembered.
    mark: Option<(Doubt, Duration)>,
}

impl Judge {
    /// Judges the next fix.
    ///
    /// # Errors
    /// Why it is not believed, yet.
    pub(super) fn judge(&mut self, fix: Fix, now: Duration) -> Result<Belief, Doubt> {
        let seen = Seen { fix, at: now };
        let judged = [self.believed, self.candidate.map(|candidate| candidate.last)];
        let judged = judged.into_iter().flatten().map(|judged| judged.fix.time);
        if judged.chain(self.newest.replace(fix.time)).any(|time| time == fix.time) {
            return Err(Doubt::Repeated);
        }
        if let Some(doubt) = self.habit.look(fix.place, now) {
            self.candidate = None;
            return Err(doubt);
        }
        let doubt = match self.believed.as_ref().map(|last| follows(last, &seen)) {
            Some(Ok(())) => return Ok(self.believe(seen, Belief::Follows)),
            Some(Err(doubt)) => doubt,
            None => Doubt::First,
        };
        let (since, count) = match self.candidate.filter(|other| follows(&other.last, &seen).is_ok()) {
            Some(other) => (other.since, other.count.saturating_add(1)),
            None => (now, 1),
        };
        self.candidate = Some(Candidate { since, last: seen, count });
        if count < CONSISTENT {
            return Err(doubt);
        }
        if doubt == Doubt::First {
            return Ok(self.believe(seen, Belief::Begins));
        }
        if now.saturating_sub(since) < AGREEMENT {
            return Err(doubt);
        }
        self.mark = Some((doubt, now + PROBATION));
        Ok(self.believe(seen, Belief::Insists))
    }

    /// Whether a fix too coarse to be judged can be of the same watch as what is believed.
    pub(super) fn could_be(&self, fix: Fix, now: Duration) -> bool {
        self.believed.is_none_or(|last| follows(&last, &Seen { fix, at: now }).is_ok())
    }

    /// What had to be overlooked to believe what is believed now.
    pub(super) fn mark(&self, now: Duration) -> Option<Doubt> {
        self.mark.filter(|(_, until)| now < *until).map(|(doubt, _)| doubt)
    }

    fn believe(&mut self, seen: Seen, belief: Belief) -> Belief {
        self.believed = Some(seen);
        self.candidate = None;
        belief
    }
}

/// Whether `next` can be the same watch a moment later. The boot-time clock vouches for the receiver's.
fn follows(last: &Seen, next: &Seen) -> Result<(), Doubt> {
    // Negative when the receiver's clock went back.
    let told = Duration::try_from(next.fix.time.duration_since(last.fix.time)).map_err(|_| Doubt::Clock)?;
    let passed = next.at.saturating_sub(last.at);
    if told.abs_diff(passed) > CLOCK_SLACK + passed / CLOCK_DRIFT {
        return Err(Doubt::Clock);
    }
    let reach = FASTEST_M_S * told.as_secs_f64() + last.fix.accuracy_m() + next.fix.accuracy_m();
    if last.fix.place.distance_m(next.fix.place) > reach { Err(Doubt::Jump) } else { Ok(()) }
}
