//! A receiver that repeats itself: frozen at one place, or a recorded way played again.
//!
//! Noise of radio never gives the same digits for long, nor the same points in the same order twice. Places are compared
//! to the last digit.
//!
//! **Invariants:** remembers at most [`REMEMBERED`] places; one other place ends a freeze, and one new place a replay.

use std::collections::VecDeque;
use std::time::Duration;

use policy::Place;

use super::judge::Doubt;

/// A place told for so long, and so often, is frozen. Receivers that hold still on purpose (static hold) are known
/// to for minutes.
const FROZEN: (Duration, u32) = (Duration::from_mins(10), 30);
/// Points in a row that were told in this order before make a replay...
const REPLAYED: usize = 20;
/// ...of a way that is at least as long; and the longest way that is noticed: a quarter of an hour.
const REMEMBERED: usize = 900;

/// What was told, believed or not.
#[derive(Debug, Default)]
pub(super) struct Habit {
    /// How often the last place was told, and since when.
    still: Option<(Duration, u32)>,
    /// Each differs from the one before it; the newest last.
    places: VecDeque<Place>,
    /// Where in `places` the newest was told before, and how many in a row were.
    again: Option<(usize, usize)>,
}

impl Habit {
    /// Takes the next place, and says what is odd about it.
    pub(super) fn look(&mut self, place: Place, now: Duration) -> Option<Doubt> {
        match (self.places.back(), &mut self.still) {
            (Some(last), Some((since, times))) if *last == place => {
                *times = times.saturating_add(1);
                if now.saturating_sub(*since) >= FROZEN.0 && *times >= FROZEN.1 {
                    return Some(Doubt::Frozen);
                }
            }
            _ => {
                self.still = Some((now, 1));
                self.remember(place);
            }
        }
        self.again.filter(|(_, run)| *run >= REPLAYED).map(|_| Doubt::Replayed)
    }

    fn remember(&mut self, place: Place) {
        let goes_on = self.again.filter(|(at, _)| self.places.get(at + 1) == Some(&place));
        self.again = if let Some((at, run)) = goes_on {
            Some((at + 1, run + 1))
        } else {
            let newest = self.places.iter().rposition(|other| *other == place);
            // Forth and back within a few points is pacing.
            newest.filter(|at| self.places.len() - at >= REPLAYED).map(|at| (at, 1))
        };
        self.places.push_back(place);
        if self.places.len() > REMEMBERED {
            self.places.pop_front();
            self.again = self.again.and_then(|(at, run)| Some((at.checked_sub(1)?, run)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place of a way whose points are metres apart.
    fn point(number: u32) -> Place {
        Place::new(60.0 + f64::from(number) * 1e-5, 25.0).unwrap()
    }

    fn look(habit: &mut Habit, points: impl IntoIterator<Item = u32>) -> Vec<Option<Doubt>> {
        let mut now = Duration::ZERO;
        let mut next = |number| {
            now += Duration::from_secs(1);
            habit.look(point(number), now)
        };
        points.into_iter().map(&mut next).collect()
    }

    #[test]
    fn a51_the_same_digits_for_ten_minutes_are_frozen_until_one_changes() {
        let mut habit = Habit::default();
        let said = look(&mut habit, [7; 700]);
        assert_eq!(said.iter().position(Option::is_some), Some(600));
        assert!(said[600..].iter().all(|doubt| *doubt == Some(Doubt::Frozen)));
        assert_eq!(look(&mut habit, [8, 7, 8]), [None; 3]);
    }

    #[test]
    fn a_few_words_an_hour_are_not_frozen() {
        let mut habit = Habit::default();
        for hour in 0..29 {
            assert_eq!(habit.look(point(1), Duration::from_hours(hour)), None);
        }
    }

    #[test]
    fn a51_a_way_told_twice_is_a_replay_until_a_new_point() {
        for length in [20, 300, 899] {
            let mut habit = Habit::default();
            assert!(look(&mut habit, 0..length).iter().all(Option::is_none));
            let again = look(&mut habit, (0..length).chain(0..length));
            assert_eq!(again.iter().position(Option::is_some), Some(19), "{length}");
            assert!(again[19..].iter().all(|doubt| *doubt == Some(Doubt::Replayed)), "{length}");
            assert_eq!(look(&mut habit, [100_000]), [None]);
        }
    }

    #[test]
    fn pacing_and_the_way_back_are_no_replay() {
        let mut habit = Habit::default();
        let pacing = (0..10).chain((1..9).rev());
        assert!(look(&mut habit, pacing.cycle().take(60)).iter().all(Option::is_none));
        assert!(look(&mut habit, (1000..1300).chain((1000..1299).rev())).iter().all(Option::is_none));
    }

    #[test]
    fn a51_what_is_remembered_is_bounded() {
        let mut habit = Habit::default();
        look(&mut habit, 0..5000);
        assert_eq!(habit.places.len(), REMEMBERED);
    }
}
