//! The track: where the watch was, for as long as the family said and no longer.
//!
//! A file of one size in which every row has a slot. A row is written in its place and goes by zeros in its place, both synced:
//! there is no journal, no copy and no free page in which it could stay, and once the file is there a full disk takes nothing
//! away. docs/adr/0015 says why this is no database.
//!
//! **Invariants:** after [`Track::tidy`] no byte of the folder is of a row that is expired; a watch that lies still makes no
//! rows; there are never more than `SLOTS` of them; whatever stood in the file's place, the track starts anew and nobody else
//! notices; what a power cut left by half is erased at the next start.

mod age;
mod file;
mod keeper;
mod row;

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::path::Path;
use std::time::Duration;

use daemon::wall::Now;
use policy::{Place, Retention};

pub use keeper::Keeper;
pub use row::{Contents, FileError, Row, SIZE, parse};

use crate::core::Whereabouts;
use age::{Ages, INTERVAL};
use file::{File, Found};
use row::{Head, SLOTS};

/// Rows are at least this far apart, unless one must be kept.
const APART: Duration = Duration::from_secs(20);
/// Nor is a watch elsewhere before it is this far away, metres, and further than the fixes may be wrong.
const MOVED_M: f64 = 25.0;

/// The track cannot be kept, for now.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
    /// The disk does not do it.
    #[error("cannot {what} the track")]
    Disk {
        /// What was tried.
        what: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// The rows, and their file.
#[derive(Debug)]
pub struct Track {
    file: File,
    /// The oldest first.
    rows: VecDeque<(usize, Row)>,
    /// Slots that are to be zero and may not be.
    unclean: BTreeSet<usize>,
    next: usize,
    ages: Ages,
    head: Head,
}

impl Track {
    /// Opens the track in `folder`; anything else in its place is erased first. What has expired meanwhile is erased by the
    /// first [`Track::tidy`]. `same_boot`: whether it was opened since the last boot.
    ///
    /// # Errors
    /// The disk cannot be read or written.
    pub fn open(folder: &Path, same_boot: bool, now: Now) -> Result<Self, TrackError> {
        let (file, contents) = match File::open(folder)? {
            Found::Track(file, contents) => (file, contents),
            Found::Nothing => Self::anew(folder, now)?,
            Found::Other(what) => {
                tracing::warn!(what, "the track starts anew");
                file::erase(folder)?;
                Self::anew(folder, now)?
            }
        };
        let mut ages = Ages::after(contents.head.age, same_boot.then_some(contents.head.boot), now);
        ages.read(now);
        let rows: VecDeque<_> = contents.rows.into();
        let next = rows.back().map_or(0, |(slot, _)| (slot + 1) % SLOTS);
        let unclean = contents.stray.into_iter().collect();
        let mut track = Self { file, rows, unclean, next, ages, head: contents.head };
        track.write_head(now)?;
        Ok(track)
    }

    fn anew(folder: &Path, now: Now) -> Result<(File, Contents), TrackError> {
        let retention_h = Retention::default().track_h;
        let head = Head { count: 0, retention_h, age: 0, boot: now.boot.as_secs() };
        Ok((File::make(folder, &head)?, Contents { head, rows: Vec::new(), stray: Vec::new() }))
    }

    /// Other rules. `None` while there are none: what the family said last goes on.
    ///
    /// # Errors
    /// The disk cannot be written; it is tried again with the next call.
    pub fn keep_for(&mut self, hours: Option<u16>, now: Now) -> Result<(), TrackError> {
        if let Some(hours) = hours.filter(|hours| *hours != self.head.retention_h) {
            self.head.retention_h = hours;
            self.write_head(now)?;
        }
        self.tidy(now)
    }

    /// A position that is believed. It becomes a row if the watch has moved; as the last one before the battery dies, so long after it
    /// was believed, in any case, if it is none yet.
    ///
    /// # Errors
    /// The disk cannot be written: the row is lost.
    pub fn seen(&mut self, here: &Whereabouts, last: Option<Duration>, now: Now) -> Result<(), TrackError> {
        let ago = last.unwrap_or_default().as_secs();
        self.ages.fix(here.time.as_second().saturating_add_unsigned(ago), now);
        self.tidy(now)?;
        let at = self.ages.age(now).saturating_sub(ago);
        let micro = |degrees: f64| (degrees * 1e6).round() as i32;
        let row = Row {
            at,
            unix_time: here.time.as_second(),
            latitude_e6: micro(here.place.latitude()),
            longitude_e6: micro(here.place.longitude()),
            accuracy_m: here.accuracy_m.ceil() as u16,
        };
        let needless =
            |before: &Row| Row { at, ..*before } == row || last.is_none() && !has_moved(before, here, at);
        if self.rows.back().is_some_and(|(_, before)| needless(before)) {
            return Ok(());
        }
        // Nor are rows out of order.
        let too_late =
            self.is_expired(&row, now) || self.rows.back().is_some_and(|(_, before)| before.at > at);
        if last.is_some_and(|ago| !ago.is_zero()) && too_late {
            return Ok(());
        }
        self.date(now)?;
        let slot = self.next;
        // Round and round: what was there is the oldest.
        self.rows.retain(|(other, _)| *other != slot);
        self.unclean.insert(slot);
        self.file.write(slot, &row)?;
        self.unclean.remove(&slot);
        self.rows.push_back((slot, row));
        self.next = (slot + 1) % SLOTS;
        Ok(())
    }

    /// Erases what is expired.
    ///
    /// # Errors
    /// The disk cannot be written: it is tried again with the next call, and nobody reads those rows meanwhile.
    pub fn tidy(&mut self, now: Now) -> Result<(), TrackError> {
        self.ages.read(now);
        let expired = self.rows.iter().filter(|(_, row)| self.is_expired(row, now)).map(|(slot, _)| *slot);
        self.unclean.extend(expired.collect::<Vec<_>>());
        self.rows.retain(|(slot, _)| !self.unclean.contains(slot));
        if !self.unclean.is_empty() {
            self.file.erase(&self.unclean)?;
            self.unclean.clear();
        }
        if self.rows.is_empty() { Ok(()) } else { self.date(now) }
    }

    /// Whether nobody may know it any more, or an interval from now: whoever comes late by one still comes in time.
    fn is_expired(&self, row: &Row, now: Now) -> bool {
        let kept = (u64::from(self.head.retention_h) * 3600).saturating_sub(INTERVAL.as_secs());
        let off = self.ages.unix(now).and_then(|unix| u64::try_from(unix.saturating_sub(row.unix_time)).ok());
        self.ages.age(now).saturating_sub(row.at).max(off.unwrap_or_default()) >= kept
    }

    /// The newest `count` places, the newest first.
    pub fn last(&self, count: usize) -> Vec<Row> {
        self.rows.iter().rev().take(count).map(|(_, row)| *row).collect()
    }

    /// When [`Track::tidy`] has to be called again, at the latest; `None` when there is nothing to expire.
    pub fn due(&self) -> Option<Duration> {
        (!self.rows.is_empty() || !self.unclean.is_empty()).then_some(INTERVAL)
    }

    /// Writes the age down if that is due. No row is of an age that is not: see `row::parse`.
    fn date(&mut self, now: Now) -> Result<(), TrackError> {
        let due = self.head.age.saturating_add(INTERVAL.as_secs());
        if self.ages.age(now) < due { Ok(()) } else { self.write_head(now) }
    }

    fn write_head(&mut self, now: Now) -> Result<(), TrackError> {
        let (age, boot) = (self.ages.age(now), now.boot.as_secs());
        let head = Head { count: self.head.count.wrapping_add(1), age, boot, ..self.head };
        self.file.write_head(&head)?;
        self.head = head;
        Ok(())
    }
}

fn has_moved(last: &Row, here: &Whereabouts, at: u64) -> bool {
    let moved = |place: Place| place.distance_m(here.place);
    let doubt = MOVED_M.max(here.accuracy_m).max(f64::from(last.accuracy_m));
    at.saturating_sub(last.at) >= APART.as_secs() && last.place().map_or(f64::INFINITY, moved) > doubt
}

#[cfg(test)]
mod tests;
