//! Looks: what the diary, the screen and locationd are told of them. Searches are held to the same pace.

use std::collections::HashMap;
use std::time::Duration;

use daemon::wall::Now;
use ipc::{Look, Looked, limits};
use orders::{Effect, Ledger};
use policy::TimeZone;

use super::{Office, Rules, name};
use crate::core::looks::Looks;
use crate::core::past::Past;
use crate::core::search::Searches;
use crate::diary::Diary;

/// What a guardian may order twelve times an hour, each time with a line in the diary before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paced {
    Look,
    Search,
}

impl Paced {
    pub(super) const ALL: [Self; 2] = [Self::Look, Self::Search];

    pub(super) fn of(effect: &Effect) -> Option<Self> {
        match effect {
            Effect::Locate => Some(Self::Look),
            Effect::Ring => Some(Self::Search),
            _ => None,
        }
    }

    /// What was done so far.
    pub(super) fn pace<'a>(self, looks: &'a Looks, searches: &'a Searches) -> &'a Looks {
        match self {
            Self::Look => looks,
            Self::Search => &searches.pace,
        }
    }

    /// Its line in the diary.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Look => "looked",
            Self::Search => "searched",
        }
    }

    /// The line of those that were too many.
    fn flood(self) -> &'static str {
        match self {
            Self::Look => "look-refused",
            Self::Search => "search-refused",
        }
    }

    /// Why one was refused.
    pub(super) fn too_many(self) -> &'static str {
        match self {
            Self::Look => "too-many-looks",
            Self::Search => "too-many-searches",
        }
    }
}

/// Everything `Looks1` tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Who looks now.
    pub looking: Vec<Look>,
    /// Looks since midnight, where the family's clock is.
    pub today: u32,
    /// Those looks, the newest first and not more than the screen shows.
    pub looked: Vec<Looked>,
}

/// What an earlier run of policyd left.
pub(super) fn of_diary(diary: &Diary, now: Now) -> Looks {
    Looks::of_diary(lines(diary, Paced::Look, now), now)
}

/// When it was done, and by whom, as far as that still counts.
pub(super) fn lines(diary: &Diary, paced: Paced, now: Now) -> Vec<Past> {
    let lines = diary.guardians_of(paced.kind(), now.unix);
    lines.unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "what guardians did before is not known");
        Vec::new()
    })
}

/// Who looked, for the child to read; never where the child was.
pub(super) fn line(ledger: &Ledger, guardian: &str, count: Option<u64>) -> HashMap<String, String> {
    let who = [("guardian", guardian.to_owned()), ("name", name(ledger, guardian).to_owned())];
    let count = count.map(|count| ("count", count.to_string()));
    who.into_iter().chain(count).map(|(key, value)| (key.to_owned(), value)).collect()
}

impl Office {
    /// Who looks where the child is, and how often that was done today. Who is no guardian any more sees nothing.
    pub fn seen(&self, now: Now) -> Seen {
        let guardians = self.guardians();
        let look = |open: crate::core::looks::Open| {
            let guardian = guardians.iter().find(|guardian| guardian.id == open.guardian)?;
            let (since_ms, until_ms) = (millis(open.since), millis(open.until));
            Some(Look { guardian: open.guardian, name: guardian.name.clone(), since_ms, until_ms })
        };
        let looking = self.looks.open(now.boot).into_iter().filter_map(look).take(limits::LOOKS).collect();
        let day = self.day(now);
        let looked = self.looks.of_day(&day).take(limits::LOOKED);
        let looked = looked.filter_map(|(guardian, unix_time)| self.looked(guardian, unix_time)).collect();
        Seen { looking, today: self.looks.in_day(&day), looked }
    }

    /// With the name and the picture of now: whoever is no guardian any more looked all the same.
    fn looked(&self, guardian: &str, unix_time: i64) -> Option<Looked> {
        let (name, picture) = self.shown(guardian)?;
        Some(Looked { guardian: guardian.to_owned(), name, picture, unix_time })
    }

    /// What the family calls somebody, and his picture.
    pub(super) fn shown(&self, guardian: &str) -> Option<(String, String)> {
        let Rules::Open { ledger, .. } = &self.rules else { return None };
        let contact = ledger.policy().and_then(|policy| policy.contact(guardian));
        let picture = contact.map(|contact| contact.picture.clone()).unwrap_or_default();
        Some((name(ledger, guardian).to_owned(), picture))
    }

    /// When [`Office::seen`] or [`Office::search`] changes by itself, or [`Office::tell_floods`] has something to tell; on the boot-time clock.
    pub fn due(&self, now: Now) -> Option<Duration> {
        let day = self.day(now);
        let left = u64::try_from(day.end.saturating_sub(now.unix)).unwrap_or_default();
        let midnight =
            (self.looks.in_day(&day) > 0).then(|| now.boot.saturating_add(Duration::from_secs(left)));
        self.looks.due(now.boot).into_iter().chain(midnight).chain(self.searches.due(now.boot)).min()
    }

    /// Writes the floods of looks and searches that are over; at the end of policyd all of them.
    pub fn tell_floods(&mut self, now: Now, is_end: bool) {
        for paced in Paced::ALL {
            for (guardian, count) in self.pace(paced).floods(if is_end { Duration::MAX } else { now.boot }) {
                self.note_flood(paced, &guardian, Some(count), now);
            }
        }
    }

    fn pace(&mut self, paced: Paced) -> &mut Looks {
        match paced {
            Paced::Look => &mut self.looks,
            Paced::Search => &mut self.searches.pace,
        }
    }

    pub(super) fn too_many(&mut self, paced: Paced, guardian: &str, now: Now) {
        if self.pace(paced).refuse(guardian, now) {
            self.note_flood(paced, guardian, None, now);
        }
    }

    fn note_flood(&mut self, paced: Paced, guardian: &str, count: Option<u64>, now: Now) {
        let Rules::Open { ledger, .. } = &self.rules else { return };
        let line = line(ledger, guardian, count);
        let line: Vec<_> = line.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        self.note(now, paced.flood(), &line);
    }

    fn day(&self, now: Now) -> std::ops::Range<i64> {
        let policy = match &self.rules {
            Rules::Open { ledger, .. } => ledger.policy(),
            Rules::Sealed => None,
        };
        policy.map_or_else(|| TimeZone::default().day(now.unix), |policy| policy.time_zone.day(now.unix))
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
