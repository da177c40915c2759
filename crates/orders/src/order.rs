//! What an order says.

use policy::Policy;
use serde::{Deserialize, Serialize};

use crate::code::EnrolmentCode;
use crate::key::PublicKey;
use crate::names::{BootKey, KeyId, PolicyHash, WatchId};
use crate::role::{BodyKind, Role};

/// Keys one guardian may have, the recovery key not among them.
pub const MAX_KEYS: usize = 4;

/// An order: who tells which watch what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The one watch it is for.
    pub watch: WatchId,
    /// The key that signs it.
    pub signer: KeyId,
    /// Greater than in any earlier order of this key.
    pub counter: u64,
    /// When it was written, seconds since 1970 UTC. For people. The ledger compares ends with it where the log must
    /// give the answer the door gave: in a full list, and for the hour of the watch's own key.
    pub issued_at: i64,
    /// What is ordered.
    pub body: Body,
}

/// The things that can be ordered. `docs/orders.md` has an example of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Body {
    /// Puts a policy in the place of the present one.
    SetPolicy {
        /// Hash of the policy this one was made from; `null` for the first. Of two guardians who edit
        /// at once the second is told, and nothing of the first is lost.
        base: Option<PolicyHash>,
        /// All rules.
        policy: Policy,
    },
    /// Answers what the child asked for.
    Answer {
        /// The request's number.
        request: u64,
        /// Yes or no.
        yes: bool,
        /// When the yes is over, seconds since 1970 UTC; `null`: until another order.
        until: Option<i64>,
    },
    /// Gives an app or more time, besides what the policy gives.
    Grant {
        /// What is given.
        what: What,
        /// When it is over, seconds since 1970 UTC; `null`: until another order. More time always ends.
        until: Option<i64>,
    },
    /// Takes an app away, also one the policy grants; a policy does not bring it back, a grant does.
    Revoke {
        /// The app's id.
        app: String,
    },
    /// Enrols a guardian, or further keys of one.
    Enrol(Enrolment),
    /// Takes a guardian or one of his keys away.
    Retire {
        /// Whose.
        guardian: String,
        /// The key; `null`: the guardian with all his keys.
        key: Option<KeyId>,
        /// The guardian who is main from now on: when main himself leaves, and only then.
        heir: Option<String>,
    },
    /// Asks where the child is. The child sees it.
    Locate {},
    /// Makes the watch ring so that it is found.
    Ring {},
    /// The watch is lost, or found again.
    Lost {
        /// Lost or found.
        on: bool,
    },
    /// Nothing but the lifeline and calls.
    Pause {
        /// When it is over, seconds since 1970 UTC; `null`: until another order.
        until: Option<i64>,
    },
    /// Ends a pause.
    Resume {},
    /// Asks for all data of the child.
    Export {},
    /// Erases the watch. It is the last order.
    Wipe {},
    /// Erases the watch and lets its owner boot what he signed himself. It is the last order.
    Unlock {
        /// Hash of the owner's boot key.
        boot_key: BootKey,
    },
}

impl Body {
    /// Which of them it is.
    pub fn kind(&self) -> BodyKind {
        match self {
            Self::SetPolicy { .. } => BodyKind::SetPolicy,
            Self::Answer { .. } => BodyKind::Answer,
            Self::Grant { .. } => BodyKind::Grant,
            Self::Revoke { .. } => BodyKind::Revoke,
            Self::Enrol(_) => BodyKind::Enrol,
            Self::Retire { .. } => BodyKind::Retire,
            Self::Locate {} => BodyKind::Locate,
            Self::Ring {} => BodyKind::Ring,
            Self::Lost { .. } => BodyKind::Lost,
            Self::Pause { .. } => BodyKind::Pause,
            Self::Resume {} => BodyKind::Resume,
            Self::Export {} => BodyKind::Export,
            Self::Wipe {} => BodyKind::Wipe,
            Self::Unlock { .. } => BodyKind::Unlock,
        }
    }
}

/// What a grant gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum What {
    /// The app with this id.
    App(String),
    /// More time than the allowance.
    Time {
        /// Of which category; `null`: of the whole day.
        category: Option<String>,
        /// 1 to 240.
        minutes: u16,
    },
}

/// A guardian's keys, and the proof of having seen the watch's screen. Every key in it signs the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire")]
pub struct Enrolment {
    /// The code on the watch's screen.
    pub code: EnrolmentCode,
    /// The guardian's contact id.
    pub guardian: String,
    /// `main` for the first guardian and for more keys of main's, else `guardian`.
    pub role: Role,
    /// 1 to [`MAX_KEYS`] keys that are not enrolled yet.
    pub keys: Vec<PublicKey>,
    /// A new key on paper, in place of the one before; `null` leaves that one as it is.
    pub recovery: Option<PublicKey>,
}

impl Enrolment {
    /// Every key in it, the recovery key last.
    pub fn all_keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys.iter().chain(&self.recovery)
    }
}

/// An enrolment as it is written. Keys stay texts until they are counted: to read a key costs more than its bytes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    code: EnrolmentCode,
    guardian: String,
    role: Role,
    /// How the first watches wrote one key. Their logs must be read.
    key: Option<String>,
    keys: Option<Vec<String>>,
    recovery: Option<PublicKey>,
}

impl TryFrom<Wire> for Enrolment {
    type Error = &'static str;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        let keys = match (wire.key, wire.keys) {
            (Some(key), None) => vec![key],
            (None, Some(keys)) if (1..=MAX_KEYS).contains(&keys.len()) => keys,
            _ => return Err("an enrolment has 1 to 4 keys"),
        };
        let keys: Option<Vec<_>> = keys.iter().map(|key| PublicKey::parse(key)).collect();
        Ok(Self {
            code: wire.code,
            guardian: wire.guardian,
            role: wire.role,
            keys: keys.ok_or("not the base64 of an Ed25519 key")?,
            recovery: wire.recovery,
        })
    }
}
