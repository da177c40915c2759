//! From what the ledger says to what the bus says.

use ipc::Refusal;
use orders::{Effect, Refused};

/// The name on the bus; the exact reason is in the diary.
pub(super) fn of_ledger(refused: &Refused) -> Refusal {
    let text = refused.to_string();
    match refused {
        Refused::Envelope(_)
        | Refused::Payload(_)
        | Refused::Policy(_)
        | Refused::Field { .. }
        | Refused::Past { .. }
        | Refused::MainMissing { .. }
        | Refused::Full { .. } => Refusal::Malformed(text),
        Refused::Signature | Refused::Signer => Refusal::BadSignature(text),
        Refused::Watch => Refusal::WrongWatch(text),
        Refused::Replayed { .. } => Refusal::Replayed(text),
        Refused::Role { .. }
        | Refused::WatchLimit
        | Refused::GuardiansChanged
        | Refused::RegionChanged
        | Refused::NotHis { .. } => Refusal::RoleForbids(text),
        Refused::StaleBase => Refusal::StaleBase(text),
        Refused::Wiped => Refusal::Sealed(text),
        Refused::NoWindow
        | Refused::WrongCode
        | Refused::GuardianId
        | Refused::EnrolRole { .. }
        | Refused::TooMany { .. }
        | Refused::KeyTaken { .. }
        | Refused::Possession { .. }
        | Refused::NotEnrolled { .. }
        | Refused::MainStays
        | Refused::Heir
        | Refused::LastKey => Refusal::Enrolment(text),
    }
}

/// An order that asks for something nobody on this watch can do is refused before it counts.
pub(super) fn of_effect(effect: &Effect) -> Option<(&'static str, Refusal)> {
    match effect {
        Effect::None | Effect::Locate | Effect::Ring | Effect::Wipe | Effect::Unlock { .. } => None,
        Effect::Answer { .. } => Some(("no-request", Refusal::NotFound("nothing was asked".into()))),
        Effect::Export => {
            Some(("unsupported", Refusal::Unsupported("nobody on this watch can do that yet".into())))
        }
    }
}

/// The word in the diary for a refusal that is not the ledger's.
pub(super) fn word(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Sealed(_) => "sealed",
        _ => "failed",
    }
}
