//! policyd as these tests see it: the only file that knows its interface.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use daemon::wall::Now;
use ipc::{DiaryRecord, PolicyState, Refusal};
use nestling_policyd::anchor::HomeConfig;
use nestling_policyd::config::Config;
use nestling_policyd::office::Office;
use orders::{Body, Enrolment, EnrolmentCode, PolicyHash, Role, Signer, WatchId};
use policy::Policy;
use store::Reader;

/// The folders of a watch, below its root.
pub(crate) const FOLDERS: [&str; 3] = ["state", "anchor", "store"];

/// Its files, also those that are there for a moment.
pub(crate) const FILES: [&str; 11] = [
    "state/device.key",
    "state/device.building",
    "state/orders.db",
    "state/orders.db-journal",
    "state/diary.db",
    "state/diary.db-journal",
    "anchor/anchor.json",
    "anchor/anchor.key",
    "anchor/anchor.building",
    "store/policy.db",
    "store/policy.db.building",
];

/// Seconds since 1970.
const UNIX: i64 = 1_790_000_000;

/// The policy that order number `revision` sets, from 2 on; order 1 is the enrolment.
pub(crate) fn policy(revision: u64) -> Policy {
    let mut policy: Policy = serde_json::from_str(include_str!("../../../../tests/family.json")).unwrap();
    policy.contacts.last_mut().unwrap().name = format!("friend {revision}");
    policy
}

/// A guardian far away. Her order of a revision is always the same bytes.
pub(crate) struct Mum {
    watch: WatchId,
    /// Hashes of the policies of the revisions from 2 on.
    bases: Vec<PolicyHash>,
}

impl Mum {
    pub(crate) fn of(watch: &str) -> Self {
        Self { watch: WatchId::parse(watch).unwrap(), bases: Vec::new() }
    }

    /// The first order: `code` is what the screen shows.
    pub(crate) fn enrolment(&self, code: &str) -> Vec<u8> {
        let mut mum = Self::signer(1);
        let enrolment = Enrolment {
            code: EnrolmentCode::parse(&code.replace(' ', "")).unwrap(),
            keys: vec![mum.public()],
            recovery: None,
            guardian: "mum".into(),
            role: Role::Main,
        };
        mum.order(&self.watch, 0, Body::Enrol(enrolment)).to_bytes()
    }

    /// The order that makes `revision`, from 2.
    pub(crate) fn order(&mut self, revision: u64) -> Vec<u8> {
        loop {
            let next = self.bases.len() as u64 + 2;
            let body = |of: u64| Body::SetPolicy {
                base: of.checked_sub(3).map(|index| self.bases[index as usize].clone()),
                policy: policy(of),
            };
            if next > revision {
                return Self::signer(revision).order(&self.watch, 0, body(revision)).to_bytes();
            }
            let envelope = Self::signer(next).order(&self.watch, 0, body(next));
            self.bases.push(PolicyHash::of_payload(&envelope.payload));
        }
    }

    fn signer(counter: u64) -> Signer {
        Signer::from_secret(&[1; 32]).after(counter - 1)
    }
}

/// A line of the diary, without its time.
pub(crate) type Line = (String, String, Vec<(String, String)>);

/// A running watch.
pub(crate) struct Watch {
    root: PathBuf,
    office: Office,
    clock: Duration,
}

impl Watch {
    /// Boots from what is below `root`.
    pub(crate) fn boot(root: &Path) -> anyhow::Result<Self> {
        let config = Config {
            state: root.join("state"),
            anchor: HomeConfig::File { directory: root.join("anchor") },
            store: root.join("store"),
            // What is played back lies in memory, to be quick.
            allow_memory: true,
            ..Config::default()
        };
        let clock = Duration::from_secs(5);
        let office =
            Office::open(&config, Now { boot: clock, unix: UNIX }).context("policyd does not start")?;
        Ok(Self { root: root.to_owned(), office, clock })
    }

    /// A minute passes between any two things, so that nothing is asked too often.
    fn now(&mut self) -> Now {
        self.clock += Duration::from_mins(1);
        Now { boot: self.clock, unix: UNIX }
    }

    pub(crate) fn state(&self) -> PolicyState {
        self.office.state()
    }

    pub(crate) fn revision(&self) -> u64 {
        self.office.revision()
    }

    /// Offers the order that makes `revision`.
    pub(crate) fn offer(&mut self, revision: u64) -> Result<u64, Refusal> {
        let now = self.now();
        let mut mum = Mum::of(self.office.watch());
        let order = if revision == 1 {
            mum.enrolment(&self.office.open_enrolment(now)?.0)
        } else {
            mum.order(revision)
        };
        self.office.submit(&order, now)
    }

    /// A line that a daemon writes.
    pub(crate) fn record(&mut self, kind: &str) -> Result<u64, Refusal> {
        let now = self.now();
        let record =
            DiaryRecord { kind: kind.into(), details: [("number".into(), "+358405559999".into())].into() };
        self.office.record("telephony", &record, now)
    }

    pub(crate) fn diary(&self) -> Result<Vec<Line>, Refusal> {
        let lines = self.office.read_diary(0, 1000)?.into_iter().map(|line| {
            let mut details: Vec<_> = line.details.into_iter().collect();
            details.sort();
            (line.source, line.kind, details)
        });
        Ok(lines.collect())
    }

    /// What readers find.
    pub(crate) fn published(&self) -> Option<(u64, Policy)> {
        let reader = Reader::open(&self.root.join("store")).ok()?;
        Some((reader.revision(), reader.policy().clone()))
    }
}
