//! The owner of ledger, log, anchor, store and diary: what happens, in which order, when an order comes.

mod erase;
mod looks;
mod open;
mod refusals;
mod search;

use std::collections::HashMap;
use std::path::PathBuf;

use daemon::wall::Now;
use ipc::{DiaryEntry, DiaryRecord, Guardian, PolicyState, Refusal};
use orders::{Applied, Change, Door, Effect, EnrolmentCode, Ledger, Refused, Role};
use store::Stamp;

pub use self::erase::{BOOT_KEY, MARK};
use self::looks::Paced;
pub use self::looks::Seen;
use crate::anchor::Anchor;
use crate::config::Config;
use crate::core::boot::{Anchored, Bound, Seal};
use crate::core::gate::Gate;
use crate::core::looks::Looks;
use crate::core::search::Searches;
use crate::diary::{Diary, DiaryError};
use crate::log::OrderLog;

/// Longest envelope of an order that is no policy, bytes.
const SHORT: usize = 16 * 1024;

/// Everything policyd holds.
pub struct Office {
    state: PathBuf,
    store: PathBuf,
    anchor: Box<dyn Anchor>,
    diary: Diary,
    gate: Gate,
    looks: Looks,
    searches: Searches,
    rules: Rules,
    published: Option<Stamp>,
    /// The last publication failed; it is tried again.
    unpublished: bool,
    /// The watch was wiped, and only a restart goes on from here.
    erased: bool,
}

/// The rules, or none.
#[expect(clippy::large_enum_variant, reason = "there is one, and it lives as long as policyd")]
enum Rules {
    Sealed,
    Open { ledger: Ledger, log: OrderLog, anchored: u64 },
}

impl Office {
    /// Opens everything and judges the boot.
    ///
    /// # Errors
    /// Not even a diary can be kept. Everything else seals the watch instead.
    pub fn open(config: &Config, now: Now) -> Result<Self, DiaryError> {
        let diary = Diary::open(&config.state, now.unix)?;
        let looks = looks::of_diary(&diary, now);
        let mut anchor = config.anchor.anchor();
        let searches = Searches::of_diary(looks::lines(&diary, Paced::Search, now), now);
        let marked = erase::is_marked(&config.state);
        let opened = open::rules(config, anchor.as_mut());
        let mut office = Self {
            state: config.state.clone(),
            store: config.store.clone(),
            anchor,
            diary,
            gate: Gate::default(),
            looks,
            searches,
            rules: Rules::Sealed,
            published: None,
            unpublished: false,
            // A mark that was there before is one nestling-tidy could not act upon: another restart would not help.
            erased: matches!(opened, Err(Seal::Erasing)) && !marked,
        };
        match opened {
            Ok(rules) => office.rules = rules,
            Err(seal) => {
                tracing::error!(reason = seal.as_str(), "the watch is sealed");
                office.note(now, "sealed", &[("reason", seal.as_str())]);
            }
        }
        office.publish();
        Ok(office)
    }

    /// Unbound, bound or sealed.
    pub fn state(&self) -> PolicyState {
        match &self.rules {
            Rules::Sealed => PolicyState::Sealed,
            Rules::Open { ledger, .. } if ledger.keyring().is_empty() => PolicyState::Unbound,
            Rules::Open { .. } => PolicyState::Bound,
        }
    }

    /// Number of accepted orders.
    pub fn revision(&self) -> u64 {
        match &self.rules {
            Rules::Sealed => 0,
            Rules::Open { log, .. } => log.len(),
        }
    }

    /// A guardian said that the watch is lost; false while nobody's word is known.
    pub fn is_lost(&self) -> bool {
        matches!(&self.rules, Rules::Open { ledger, .. } if ledger.standing().lost)
    }

    /// The watch's id; empty while sealed.
    pub fn watch(&self) -> &str {
        match &self.rules {
            Rules::Sealed => "",
            Rules::Open { ledger, .. } => ledger.watch().as_str(),
        }
    }

    /// Takes an order or refuses it. Either is in the diary.
    ///
    /// # Errors
    /// As the contract says, see [`Refusal`].
    pub fn submit(&mut self, envelope: &[u8], now: Now) -> Result<u64, Refusal> {
        if !self.gate.admit(now.boot) {
            return Err(Refusal::Busy("too many orders".into()));
        }
        self.take(envelope, now).map_err(|(reason, refusal)| {
            tracing::warn!(reason, "an order was refused");
            // A flood of looks or searches has lines of its own.
            if !Paced::ALL.iter().any(|paced| paced.too_many() == reason) {
                self.note(now, "order-refused", &[("reason", reason)]);
            }
            refusal
        })
    }

    fn take(&mut self, envelope: &[u8], now: Now) -> Result<u64, (&'static str, Refusal)> {
        let with_word = |refusal: Refusal| (refusals::word(&refusal), refusal);
        let Rules::Open { ledger, log, anchored } = &mut self.rules else {
            return Err(with_word(Refusal::Sealed("the watch is sealed".into())));
        };
        if *anchored < log.epoch() {
            let to = Anchored { epoch: log.epoch(), bound: Bound::To(log.head(ledger)) };
            self.anchor
                .raise(to)
                .map_err(|error| with_word(failed("the anchor cannot be raised", &error)))?;
            *anchored = to.epoch;
        }
        let mut next = ledger.clone();
        let door = Door::Submit { code: self.gate.code(now.boot), now: now.unix };
        let applied = next.apply(envelope, door).map_err(|refused| {
            if matches!(refused, Refused::WrongCode) {
                self.gate.wrong_code();
            }
            (refused.name(), refusals::of_ledger(&refused))
        })?;
        if let Some(refused) = refusals::of_effect(&applied.effect) {
            return Err(refused);
        }
        let paced = Paced::of(&applied.effect);
        if let Some(paced) = paced
            && !paced.pace(&self.looks, &self.searches).has_room(&applied.guardian, now)
        {
            self.too_many(paced, &applied.guardian, now);
            return Err((paced.too_many(), Refusal::Busy("too many of this guardian in an hour".into())));
        }
        if applied.role != Role::Main && !self.gate.has_room(&applied.guardian, now.boot) {
            return Err(("too-many-today", Refusal::Busy("too many orders of this guardian today".into())));
        }
        if applied.kind != "set-policy" && envelope.len() > SHORT {
            return Err(("too-long", Refusal::Malformed(format!("such an order has at most {SHORT} bytes"))));
        }
        if let Some(paced) = paced {
            // Before it counts: a look that is in no diary is not given.
            let line = looks::line(ledger, &applied.guardian, None);
            self.diary
                .append(now.unix, "policy", paced.kind(), &line)
                .map_err(|error| with_word(failed("the diary does not take it", &error)))?;
        }
        if let Effect::Unlock { boot_key } = &applied.effect {
            // Before the order stands: a power cut after it would leave a wipe.
            erase::keep(&self.state, boot_key)
                .map_err(|error| with_word(failed("the boot key is not kept", &error)))?;
        }
        let revision = log
            .append(now.unix, envelope)
            .map_err(|error| with_word(failed("the log takes no order", &error)))?;
        *ledger = next;
        // From here on the order stands: what fails now is made good at the next order or boot.
        let bound = if ledger.wiped() { Bound::Released } else { Bound::To(log.head(ledger)) };
        let to = Anchored { epoch: log.epoch(), bound };
        match self.anchor.raise(to) {
            Ok(()) => *anchored = to.epoch,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the anchor is one order behind");
            }
        }
        let is_anchored = *anchored == to.epoch;
        self.after(&applied, revision, is_anchored, now);
        Ok(revision)
    }

    /// What follows from an order that stands.
    fn after(&mut self, applied: &Applied, revision: u64, is_anchored: bool, now: Now) {
        tracing::info!(kind = applied.kind, revision, "an order was taken");
        let (by, number) = (applied.guardian.as_str(), revision.to_string());
        match applied.effect {
            Effect::Locate => return self.looks.give(by, now),
            Effect::Ring => return self.searches.give(by, revision, now),
            _ => {}
        }
        self.note(now, applied.kind, &[("guardian", by), ("revision", &number)]);
        // Who came or went is one line, with all he brought or took.
        let came_or_went = |whose: &str| {
            applied.changes.iter().any(
                |change| matches!(change, Change::Added { guardian } | Change::Removed { guardian } if guardian == whose),
            )
        };
        for change in &applied.changes {
            let (kind, whose) = match change {
                Change::Added { guardian } => ("guardian-added", guardian),
                Change::Removed { guardian } => ("guardian-removed", guardian),
                Change::KeyAdded { guardian, .. }
                | Change::KeyRemoved { guardian, .. }
                | Change::Main { guardian }
                    if came_or_went(guardian) =>
                {
                    continue;
                }
                Change::KeyAdded { guardian, .. } => ("guardian-key-added", guardian),
                Change::KeyRemoved { guardian, .. } => ("guardian-key-removed", guardian),
                Change::Main { guardian } => ("guardian-main", guardian),
            };
            self.note(now, kind, &[("guardian", whose), ("by", by), ("revision", &number)]);
        }
        if applied.keyring_changed {
            self.gate.close();
        }
        let keeps_key = match &applied.effect {
            Effect::Wipe => false,
            Effect::Unlock { .. } => true,
            _ => return self.publish(),
        };
        self.erased = true;
        // Erased while the anchor holds the family's log, the watch would be sealed for ever: then the next start, which
        // finds the order, raises the anchor first.
        if is_anchored && let Err(error) = erase::mark(&self.state, keeps_key) {
            tracing::error!(%error, "the watch is erased at its next start only");
        }
        self.rules = Rules::Sealed;
        self.publish();
    }

    /// Whether only a restart goes on from here: a guardian wiped the watch.
    pub fn is_erased(&self) -> bool {
        self.erased
    }

    /// Who may change the rules, for the child to see.
    pub fn guardians(&self) -> Vec<Guardian> {
        let Rules::Open { ledger, .. } = &self.rules else { return vec![] };
        let of = |guardian: &orders::Guardian| Guardian {
            id: guardian.id.clone(),
            name: name(ledger, &guardian.id).to_owned(),
            main: guardian.role == Role::Main,
        };
        ledger.keyring().guardians().iter().map(of).collect()
    }

    /// Opens the enrolment window: the code in groups, and seconds left. On a bound watch the code is worth nothing without
    /// main's signature.
    ///
    /// # Errors
    /// The watch is sealed, or there are no random numbers.
    pub fn open_enrolment(&mut self, now: Now) -> Result<(String, u32), Refusal> {
        if self.state() == PolicyState::Sealed {
            return Err(Refusal::Enrolment("the watch is sealed".into()));
        }
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| failed("no random numbers", &error))?;
        let (code, left) = self.gate.open(now.boot, EnrolmentCode::from_random(random));
        Ok((code.groups(), u32::try_from(left.as_secs()).unwrap_or(0)))
    }

    /// Writes a line for a daemon.
    ///
    /// # Errors
    /// Over the limits, or the disk does not take it.
    pub fn record(&mut self, source: &'static str, record: &DiaryRecord, now: Now) -> Result<u64, Refusal> {
        if !self.gate.admit_line(source, now.boot) {
            // It comes again, later: daemons keep what was not taken.
            return Err(Refusal::Busy("too many lines".into()));
        }
        self.diary.append(now.unix, source, &record.kind, &record.details).map_err(|error| match error {
            DiaryError::Record => Refusal::Malformed(error.to_string()),
            other => failed("the diary takes no line", &other),
        })
    }

    /// Reads the diary.
    ///
    /// # Errors
    /// The disk does not give it.
    pub fn read_diary(&self, after: u64, limit: u32) -> Result<Vec<DiaryEntry>, Refusal> {
        self.diary.read(after, limit).map_err(|error| failed("the diary cannot be read", &error))
    }

    /// Publishes the store anew if the file in place is not the one policyd made. True if it did.
    pub fn mend_store(&mut self, now: Now) -> bool {
        let in_place = store::Stamp::of_store(&self.store);
        if in_place == self.published && !self.unpublished {
            return false;
        }
        if !self.unpublished {
            tracing::warn!("somebody changed the published store; it is built again");
        }
        self.publish();
        if !self.unpublished {
            self.note(now, "store-rebuilt", &[]);
        }
        true
    }

    fn publish(&mut self) {
        let outcome = match &self.rules {
            Rules::Open { ledger, log, .. } => match ledger.rules() {
                Some(rules) => store::publish(&self.store, log.len(), &rules).map(Some),
                None => store::withdraw(&self.store).map(|()| None),
            },
            Rules::Sealed => store::withdraw(&self.store).map(|()| None),
        };
        self.unpublished = outcome.is_err();
        self.published = outcome.unwrap_or_else(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "the store is not published");
            // Old rules must not stay in force as if nothing had been ordered: no store is sealed.
            if let Err(error) = store::withdraw(&self.store) {
                tracing::error!(error = &error as &dyn std::error::Error, "the old store stays");
            }
            None
        });
    }

    fn note(&mut self, now: Now, kind: &str, details: &[(&str, &str)]) {
        let details: HashMap<_, _> =
            details.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        if let Err(error) = self.diary.append(now.unix, "policy", kind, &details) {
            tracing::error!(kind, error = &error as &dyn std::error::Error, "a line is missing in the diary");
        }
    }
}

/// What the family calls a guardian.
fn name<'a>(ledger: &'a Ledger, guardian: &'a str) -> &'a str {
    let contact = ledger.policy().and_then(|policy| policy.contact(guardian));
    contact.map_or(guardian, |contact| &contact.name)
}

fn failed(text: &str, error: &(dyn std::error::Error + 'static)) -> Refusal {
    tracing::error!(error, "{text}");
    Refusal::Failed(text.to_owned())
}
