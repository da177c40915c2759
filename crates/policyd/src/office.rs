//! The owner of ledger, log, anchor, store and diary: what happens, in which order, when an order comes.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use daemon::files;
use ipc::{DiaryEntry, DiaryRecord, PolicyState, Refusal};
use orders::{Door, EnrolmentCode, Ledger, Refused, WatchId};
use store::Stamp;

use crate::anchor::{Anchor, AnchorError};
use crate::config::Config;
use crate::core::boot::{AnchorFound, Anchored, Boot, Bound, LogFound, Seal, judge};
use crate::core::gate::Gate;
use crate::device;
use crate::diary::{Diary, DiaryError};
use crate::log::OrderLog;

/// Now, on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Since boot.
    pub boot: Duration,
    /// Seconds since 1970.
    pub unix: i64,
}

impl Now {
    /// Reads both clocks.
    pub fn read() -> Self {
        Self { boot: daemon::clock::boot_time(), unix: daemon::clock::unix_time() }
    }
}

/// Everything policyd holds.
pub struct Office {
    store: PathBuf,
    anchor: Box<dyn Anchor>,
    diary: Diary,
    gate: Gate,
    rules: Rules,
    published: Option<Stamp>,
    /// The last publication failed; it is tried again.
    unpublished: bool,
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
        let mut anchor = config.anchor.anchor();
        let opened = open_rules(config, anchor.as_mut());
        let mut office = Self {
            store: config.store.clone(),
            anchor,
            diary,
            gate: Gate::default(),
            rules: Rules::Sealed,
            published: None,
            unpublished: false,
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
        let taken = self.take(envelope, now);
        if let Err(refusal) = &taken {
            let name = refusal_name(refusal);
            tracing::warn!(reason = name, "an order was refused");
            self.note(now, "order-refused", &[("reason", name)]);
        }
        taken
    }

    fn take(&mut self, envelope: &[u8], now: Now) -> Result<u64, Refusal> {
        let Rules::Open { ledger, log, anchored } = &mut self.rules else {
            return Err(Refusal::Sealed("the watch is sealed".into()));
        };
        if *anchored < log.len() {
            let to = Anchored { epoch: log.len(), bound: Bound::To(log.head(ledger)) };
            self.anchor.raise(to).map_err(|error| failed("the anchor cannot be raised", &error))?;
            *anchored = log.len();
        }
        let mut next = ledger.clone();
        let applied = match next.apply(envelope, Door::Submit(self.gate.code(now.boot))) {
            Ok(applied) => applied,
            Err(refused) => {
                if matches!(refused, Refused::Enrolment) {
                    self.gate.wrong_code();
                }
                return Err(refusal(&refused));
            }
        };
        let revision =
            log.append(now.unix, envelope).map_err(|error| failed("the log takes no order", &error))?;
        *ledger = next;
        // From here on the order stands: what fails now is made good at the next order or boot.
        let to = Anchored { epoch: revision, bound: Bound::To(log.head(ledger)) };
        match self.anchor.raise(to) {
            Ok(()) => *anchored = revision,
            Err(error) => behind(&error),
        }
        if applied.keyring_changed {
            self.gate.close();
        }
        tracing::info!(kind = applied.kind, revision, "an order was taken");
        let revision_text = revision.to_string();
        self.note(now, applied.kind, &[("guardian", &applied.guardian), ("revision", &revision_text)]);
        self.publish();
        Ok(revision)
    }

    /// Opens the enrolment window: the code in groups, and seconds left.
    ///
    /// # Errors
    /// The watch is bound or sealed, or there are no random numbers.
    pub fn open_enrolment(&mut self, now: Now) -> Result<(String, u32), Refusal> {
        if self.state() != PolicyState::Unbound {
            return Err(Refusal::Enrolment("the watch has a guardian, or is sealed".into()));
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
    pub fn record(&mut self, source: &str, record: &DiaryRecord, now: Now) -> Result<u64, Refusal> {
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
            Rules::Open { ledger, log, .. } => match ledger.policy() {
                Some(policy) => store::publish(&self.store, log.len(), policy),
                None => store::withdraw(&self.store),
            },
            Rules::Sealed => store::withdraw(&self.store),
        };
        self.unpublished = outcome.is_err();
        if let Err(error) = outcome {
            tracing::error!(error = &error as &dyn std::error::Error, "the store is not published");
            // Old rules must not stay in force as if nothing had been ordered: no store is sealed.
            if let Err(error) = store::withdraw(&self.store) {
                tracing::error!(error = &error as &dyn std::error::Error, "the old store stays");
            }
        }
        self.published = Stamp::of_store(&self.store);
    }

    fn note(&mut self, now: Now, kind: &str, details: &[(&str, &str)]) {
        let details: HashMap<_, _> =
            details.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        if let Err(error) = self.diary.append(now.unix, "policy", kind, &details) {
            tracing::error!(kind, error = &error as &dyn std::error::Error, "a line is missing in the diary");
        }
    }
}

fn open_rules(config: &Config, anchor: &mut dyn Anchor) -> Result<Rules, Seal> {
    if !config.allow_memory && files::is_in_memory(&config.state) {
        return Err(Seal::NoStorage);
    }
    let held = anchor.read();
    let watch = watch_id(config, held)?;
    let mut ledger = Ledger::new(watch);
    let mut heads = Vec::new();
    let opened = OrderLog::open(&config.state, &mut ledger, |head| heads.push(head));
    let log = match opened {
        Ok(log) => log,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the order log is not trusted");
            return Err(Seal::LogDamaged);
        }
    };
    let mut anchored = log.len();
    match judge(held, &LogFound::Verified(heads)) {
        Boot::Sealed(seal) => return Err(seal),
        Boot::Unbound | Boot::Bound { raise: None } => {}
        Boot::Bound { raise: Some(to) } => {
            if let Err(error) = anchor.raise(to) {
                behind(&error);
                anchored = to.epoch - 1;
            }
        }
    }
    Ok(Rules::Open { ledger, log, anchored })
}

fn watch_id(config: &Config, held: AnchorFound) -> Result<WatchId, Seal> {
    let key = device::load(&config.state).and_then(|key| match key {
        Some(watch) => Ok(Some(watch)),
        // A bound watch had a key: making another would make it another watch.
        None if held == AnchorFound::Empty => device::create(&config.state).map(Some),
        None => Ok(None),
    });
    match key {
        Ok(Some(watch)) => Ok(watch),
        Ok(None) => Err(Seal::NoDeviceKey),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "no device key");
            Err(Seal::NoDeviceKey)
        }
    }
}

fn behind(error: &AnchorError) {
    tracing::error!(error = error as &dyn std::error::Error, "the anchor is one order behind");
}

fn failed(text: &str, error: &(dyn std::error::Error + 'static)) -> Refusal {
    tracing::error!(error, "{text}");
    Refusal::Failed(text.to_owned())
}

fn refusal(refused: &Refused) -> Refusal {
    let text = refused.to_string();
    match refused {
        Refused::Envelope(_) | Refused::Payload(_) | Refused::Policy(_) => Refusal::Malformed(text),
        Refused::Signature | Refused::Signer => Refusal::BadSignature(text),
        Refused::Watch => Refusal::WrongWatch(text),
        Refused::Replayed { .. } => Refusal::Replayed(text),
        Refused::Role(_) => Refusal::RoleForbids(text),
        Refused::StaleBase => Refusal::StaleBase(text),
        Refused::EnrolmentClosed | Refused::Enrolment => Refusal::Enrolment(text),
    }
}

fn refusal_name(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Malformed(_) => "malformed",
        Refusal::BadSignature(_) => "bad-signature",
        Refusal::WrongWatch(_) => "wrong-watch",
        Refusal::Replayed(_) => "replayed",
        Refusal::RoleForbids(_) => "role-forbids",
        Refusal::StaleBase(_) => "stale-base",
        Refusal::Enrolment(_) => "enrolment",
        Refusal::Sealed(_) => "sealed",
        _ => "failed",
    }
}
