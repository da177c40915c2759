//! What to believe: a fix that follows from those before it.
//!
//! **Invariants:** a fix that does not follow changes nothing by itself; [`CONSISTENT`] of them in a row that
//! follow from each other do, for a watch may have been off in a train; a source that is drowned out by a
//! better one is never believed.

use std::time::Duration;

use super::fix::Fix;

/// Faster than any train, metres a second.
const FASTEST_M_S: f64 = 150.0;
/// How far the receiver's clock may run from ours between two fixes. A busy watch reads late.
const CLOCK_SLACK: Duration = Duration::from_secs(5);
/// Fixes in a row that make a place believed which does not follow from the last.
pub const CONSISTENT: u8 = 3;

/// A fix and when it came, on the boot-time clock.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    fix: Fix,
    at: Duration,
}

/// Why a fix is not believed, yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
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
}

/// How a fix came to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belief {
    /// It follows from the last one.
    Follows,
    /// It does not, but it is the last of [`CONSISTENT`] that agree.
    Insists,
}

/// Judges fixes one by one.
#[derive(Debug, Default)]
pub(super) struct Judge {
    believed: Option<Seen>,
    candidate: Option<(Seen, u8)>,
}

impl Judge {
    /// Judges the next fix.
    ///
    /// # Errors
    /// Why it is not believed, yet.
    pub(super) fn judge(&mut self, fix: Fix, now: Duration) -> Result<Belief, Doubt> {
        let seen = Seen { fix, at: now };
        let doubt = match self.believed.as_ref().map(|last| follows(last, &seen)) {
            Some(Ok(())) => {
                self.believed = Some(seen);
                self.candidate = None;
                return Ok(Belief::Follows);
            }
            Some(Err(Doubt::Repeated)) => return Err(Doubt::Repeated),
            Some(Err(doubt)) => doubt,
            None => Doubt::First,
        };
        let agreeing = match &self.candidate {
            Some((last, count)) => match follows(last, &seen) {
                Ok(()) => count + 1,
                Err(Doubt::Repeated) => return Err(Doubt::Repeated),
                Err(_) => 1,
            },
            None => 1,
        };
        if agreeing < CONSISTENT {
            self.candidate = Some((seen, agreeing));
            return Err(doubt);
        }
        self.believed = Some(seen);
        self.candidate = None;
        Ok(Belief::Insists)
    }
}

/// Whether `next` can be the same watch a moment later. The boot-time clock vouches for the receiver's.
fn follows(last: &Seen, next: &Seen) -> Result<(), Doubt> {
    if next.fix.time == last.fix.time {
        return Err(Doubt::Repeated);
    }
    // Negative when the receiver's clock went back.
    let told = Duration::try_from(next.fix.time.duration_since(last.fix.time)).map_err(|_| Doubt::Clock)?;
    let passed = next.at.saturating_sub(last.at);
    if told.abs_diff(passed) > CLOCK_SLACK {
        return Err(Doubt::Clock);
    }
    let reach = FASTEST_M_S * told.as_secs_f64() + last.fix.accuracy_m() + next.fix.accuracy_m();
    if last.fix.place.distance_m(next.fix.place) > reach { Err(Doubt::Jump) } else { Ok(()) }
}
