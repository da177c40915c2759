//! The refusals a caller can see, as D-Bus error names under `org.nestling.Error`.

use zbus::DBusError;

/// Why a daemon said no. The text is for a log; a program looks at the variant only.
#[derive(Debug, DBusError)]
#[zbus(prefix = "org.nestling.Error")]
pub enum Refusal {
    /// The bus itself failed, or the answer was none of ours.
    #[zbus(error)]
    ZBus(zbus::Error),
    /// The caller's user may not do this.
    NotAllowed(String),
    /// The bytes are not what the format says (envelope, order, number, limits).
    Malformed(String),
    /// No signature of an enrolled key fits.
    BadSignature(String),
    /// The signer's role may not sign this body.
    RoleForbids(String),
    /// The order is for another watch.
    WrongWatch(String),
    /// The counter was used before.
    Replayed(String),
    /// The order was made against another policy than the current one.
    StaleBase(String),
    /// The watch is sealed: nothing can be changed.
    Sealed(String),
    /// The watch has no guardian yet, or already has one.
    Enrolment(String),
    /// Asked too often.
    Busy(String),
    /// Storage or modem could not do it; the reason is in the journal.
    Failed(String),
    /// The rules do not allow it; the text is the reason's name.
    Denied(String),
    /// There is no such call, contact, entry or request.
    NotFound(String),
    /// It is asked properly, and nobody on this watch can do it.
    Unsupported(String),
}

/// What zbus proxies return.
pub type Result<T> = std::result::Result<T, Refusal>;
