//! Why an order is not taken.

use policy::PolicyError;

use crate::envelope::EnvelopeError;
use crate::names::KeyId;
use crate::role::{BodyKind, Role};

/// Why an order is not taken. The variants stand in the order in which they are looked for, see [`crate::Ledger::apply`].
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The watch was erased by an order; none comes after it.
    #[error("the watch was erased")]
    Wiped,
    /// Not an envelope.
    #[error("the envelope cannot be read")]
    Envelope(#[from] EnvelopeError),
    /// No enrolment code is on the screen.
    #[error("no enrolment code is on the screen")]
    NoWindow,
    /// No signature of an enrolled key fits the payload.
    #[error("no enrolled key signed this")]
    Signature,
    /// Signed, but not an order of this version.
    #[error("the payload is not an order")]
    Payload(#[source] serde_json::Error),
    /// The order names another key than one that signed it.
    #[error("the order names another signer")]
    Signer,
    /// For another watch.
    #[error("the order is for another watch")]
    Watch,
    /// The counter is not greater than the last one.
    #[error("the counter {got} was used: the last one is {last}")]
    Replayed {
        /// In the order.
        got: u64,
        /// Of the last order taken from this key.
        last: u64,
    },
    /// The role may not sign this.
    #[error("a key of role {} may not sign {}", .role.as_str(), .body.as_str())]
    Role {
        /// The signer's.
        role: Role,
        /// What he signed.
        body: BodyKind,
    },
    /// A value out of its bounds.
    #[error("{field}: {rule}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// What is ordered would be over before it began.
    #[error("until {until} is past")]
    Past {
        /// In the order.
        until: i64,
    },
    /// The watch itself gives an hour at most.
    #[error("the watch itself grants at most 60 minutes, and until an hour from now")]
    WatchLimit,
    /// Made from another policy than the present one.
    #[error("the order was made from another policy than the present one")]
    StaleBase,
    /// The policy is not valid.
    #[error("the policy is not valid")]
    Policy(#[source] PolicyError),
    /// The policy does not name main as a guardian, so nobody could call him.
    #[error("the policy does not have {main}, who is main, as a guardian")]
    MainMissing {
        /// Main's contact id.
        main: String,
    },
    /// Somebody who is not main changes who is a guardian, or another guardian's entry.
    #[error(
        "only main changes which contacts are guardians, and each guardian his own name, numbers and picture"
    )]
    GuardiansChanged,
    /// Somebody who is not main changes whose law applies, and with it what is kept from everybody, guardians included.
    #[error("only main changes the region")]
    RegionChanged,
    /// Another code than the one on the screen.
    #[error("the code is not the one on the screen")]
    WrongCode,
    /// A guardian's name that is no contact's id, or the watch's own.
    #[error("this cannot be a guardian's id")]
    GuardianId,
    /// Not for this signer to do: only for main, or only for the guardian himself.
    #[error("the signer may not do this for {guardian}")]
    NotHis {
        /// For whom it would be done.
        guardian: String,
    },
    /// The enrolment names another role than it gives.
    #[error("this enrolment is one of role {}", .expected.as_str())]
    EnrolRole {
        /// What it gives.
        expected: Role,
    },
    /// Too many guardians, or keys of one.
    #[error("at most {limit} {what}")]
    TooMany {
        /// `guardians` or `keys`.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// The key is enrolled, is the watch's, or stands in the order twice.
    #[error("the key {key} is somebody's already")]
    KeyTaken {
        /// Which.
        key: KeyId,
    },
    /// A new key did not sign its own enrolment: nobody showed that he has it.
    #[error("the key {key} did not sign its enrolment")]
    Possession {
        /// Which.
        key: KeyId,
    },
    /// No such guardian, or no such key of his.
    #[error("{what} is not enrolled")]
    NotEnrolled {
        /// The guardian's id or the key's name.
        what: String,
    },
    /// Main is removed by nobody else, and leaves an heir when he goes.
    #[error("main leaves by his own order alone, and names an heir")]
    MainStays,
    /// An heir where none is asked for, or one who cannot be main.
    #[error("an heir is another enrolled guardian whom the policy has as one, and is named when main leaves")]
    Heir,
    /// A guardian keeps a key as long as he is one.
    #[error("the last key of a guardian goes with him")]
    LastKey,
    /// A list of standing orders is full, and nothing in it is over.
    #[error("the list {list} is full")]
    Full {
        /// Which.
        list: &'static str,
    },
}

impl Refused {
    /// The reason in one word, for the diary and for programs; `docs/orders.md` lists them.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Wiped => "wiped",
            Self::Envelope(_) => "not-an-envelope",
            Self::NoWindow => "no-window",
            Self::Signature => "bad-signature",
            Self::Payload(_) => "not-an-order",
            Self::Signer => "other-signer",
            Self::Watch => "wrong-watch",
            Self::Replayed { .. } => "replayed",
            Self::Role { .. } => "role-forbids",
            Self::Field { .. } => "out-of-bounds",
            Self::Past { .. } => "past",
            Self::WatchLimit => "watch-limit",
            Self::StaleBase => "stale-base",
            Self::Policy(_) => "policy-invalid",
            Self::MainMissing { .. } => "main-missing",
            Self::GuardiansChanged => "guardians-changed",
            Self::RegionChanged => "region-changed",
            Self::WrongCode => "wrong-code",
            Self::GuardianId => "guardian-id",
            Self::NotHis { .. } => "not-his",
            Self::EnrolRole { .. } => "enrol-role",
            Self::TooMany { .. } => "too-many",
            Self::KeyTaken { .. } => "key-taken",
            Self::Possession { .. } => "no-possession",
            Self::NotEnrolled { .. } => "not-enrolled",
            Self::MainStays => "main-stays",
            Self::Heir => "heir",
            Self::LastKey => "last-key",
            Self::Full { .. } => "full",
        }
    }
}
