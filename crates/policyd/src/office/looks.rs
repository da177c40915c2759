//! Looks: what the diary, the screen and locationd are told of them.

use std::collections::HashMap;
use std::time::Duration;

use daemon::wall::Now;
use ipc::{Look, Looked, limits};
use orders::Ledger;
use policy::TimeZone;

use super::{Office, Rules, name};
use crate::core::looks::{Looks, REMEMBERED};
use crate::diary::Diary;

/// Why a look was refused.
pub(super) const TOO_MANY: &str = "too-many-looks";

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
    let lines = diary.looks(now.unix.saturating_sub(REMEMBERED)).unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "earlier looks are not known");
        Vec::new()
    });
    Looks::of_diary(lines, now)
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
        let Rules::Open { ledger, .. } = &self.rules else { return None };
        let contact = ledger.policy().and_then(|policy| policy.contact(guardian));
        let picture = contact.map(|contact| contact.picture.clone()).unwrap_or_default();
        let name = name(ledger, guardian).to_owned();
        Some(Looked { guardian: guardian.to_owned(), name, picture, unix_time })
    }

    /// When [`Office::seen`] changes by itself, or [`Office::tell_floods`] has something to tell; on the boot-time clock.
    pub fn due(&self, now: Now) -> Option<Duration> {
        let day = self.day(now);
        let left = u64::try_from(day.end.saturating_sub(now.unix)).unwrap_or_default();
        let midnight =
            (self.looks.in_day(&day) > 0).then(|| now.boot.saturating_add(Duration::from_secs(left)));
        self.looks.due(now.boot).into_iter().chain(midnight).min()
    }

    /// Writes the floods of looks that are over; at the end of policyd all of them.
    pub fn tell_floods(&mut self, now: Now, is_end: bool) {
        for (guardian, count) in self.looks.floods(if is_end { Duration::MAX } else { now.boot }) {
            self.note_flood(&guardian, Some(count), now);
        }
    }

    pub(super) fn too_many_looks(&mut self, guardian: &str, now: Now) {
        if self.looks.refuse(guardian, now) {
            self.note_flood(guardian, None, now);
        }
    }

    fn note_flood(&mut self, guardian: &str, count: Option<u64>, now: Now) {
        let Rules::Open { ledger, .. } = &self.rules else { return };
        let line = line(ledger, guardian, count);
        let line: Vec<_> = line.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        self.note(now, "look-refused", &line);
    }

    fn day(&self, now: Now) -> std::ops::Range<i64> {
        let policy = match &self.rules {
            Rules::Open { ledger, .. } => ledger.policy(),
            Rules::Sealed => None,
        };
        policy.map_or_else(|| TimeZone::default().day(now.unix), |policy| policy.time_zone.day(now.unix))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
