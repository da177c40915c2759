//! Who may sign what.

use serde::{Deserialize, Serialize};

/// What a signer is in the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The one guardian nobody else can remove.
    Main,
    /// Another guardian.
    Guardian,
    /// The watch itself, after a grown-up typed the right PIN.
    Watch,
    /// A guardian's key on paper, for the day he lost all others.
    Recovery,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Main, Self::Guardian, Self::Watch, Self::Recovery];

    /// The word in orders and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Guardian => "guardian",
            Self::Watch => "watch",
            Self::Recovery => "recovery",
        }
    }

    /// The table of roles and bodies, kept in `golden/roles.txt`. What a role may sign with limits alone, such as
    /// for himself only, is in the table; the ledger knows the limits.
    pub fn may_sign(self, kind: BodyKind) -> bool {
        use BodyKind as B;
        match self {
            Self::Main => true,
            Self::Guardian => !matches!(kind, B::Wipe | B::Unlock),
            Self::Watch => matches!(kind, B::Answer | B::Grant | B::Pause),
            Self::Recovery => matches!(kind, B::Enrol),
        }
    }
}

/// Which order it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is documented on its body")]
pub enum BodyKind {
    SetPolicy,
    Answer,
    Grant,
    Revoke,
    Enrol,
    Retire,
    Locate,
    Ring,
    Lost,
    Pause,
    Resume,
    Export,
    Wipe,
    Unlock,
}

impl BodyKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::SetPolicy,
        Self::Answer,
        Self::Grant,
        Self::Revoke,
        Self::Enrol,
        Self::Retire,
        Self::Locate,
        Self::Ring,
        Self::Lost,
        Self::Pause,
        Self::Resume,
        Self::Export,
        Self::Wipe,
        Self::Unlock,
    ];

    /// The word in orders, documents and the diary.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SetPolicy => "set-policy",
            Self::Answer => "answer",
            Self::Grant => "grant",
            Self::Revoke => "revoke",
            Self::Enrol => "enrol",
            Self::Retire => "retire",
            Self::Locate => "locate",
            Self::Ring => "ring",
            Self::Lost => "lost",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Export => "export",
            Self::Wipe => "wipe",
            Self::Unlock => "unlock",
        }
    }
}
