//! The state that follows from all orders taken: keyring, policy, standing orders.

use policy::{Kind, Pause, Policy, Rulebook, Standing};

use crate::code::EnrolmentCode;
use crate::envelope::Envelope;
use crate::key::PublicKey;
use crate::keyring::{Change, Keyring};
use crate::names::{BootKey, KeyId, PolicyHash, WatchId};
use crate::order::{Body, Order};
use crate::refused::Refused;
use crate::role::{BodyKind, Role};
use crate::{bounds, contacts, people, standing, strict};

/// Who signed, where the watch itself did. No guardian can have this id.
pub const WATCH: &str = "watch";

/// How an envelope comes in.
#[derive(Debug, Clone, Copy)]
pub enum Door {
    /// From outside.
    Submit {
        /// The enrolment code the screen shows, if it shows one.
        code: Option<EnrolmentCode>,
        /// The watch's trusted clock, seconds since 1970 UTC.
        now: i64,
    },
    /// From the log: it was let in before, when code and clock were checked.
    Log,
}

/// What an order did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The contact id of the guardian who signed, or [`WATCH`].
    pub guardian: String,
    /// His key.
    pub key: KeyId,
    /// The role the key signed in.
    pub role: Role,
    /// Name of the body in the diary: `set-policy`, `enrol`.
    pub kind: &'static str,
    /// What is to be done now. An order from the log had its effect before.
    pub effect: Effect,
    /// Who came, went or has other keys now.
    pub changes: Vec<Change>,
    /// True if the keyring changed.
    pub keyring_changed: bool,
    /// True if the policy changed.
    pub policy_changed: bool,
    /// True if the standing orders changed.
    pub standing_changed: bool,
}

/// What the one who holds the ledger does when an order was taken, besides keeping it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// Closes the child's request.
    Answer {
        /// Its number.
        request: u64,
        /// Yes or no.
        yes: bool,
        /// When the yes is over, seconds since 1970 UTC.
        until: Option<i64>,
    },
    /// Says where the child is, and tells the child.
    Locate,
    /// Rings.
    Ring,
    /// Gives all data away.
    Export,
    /// Erases everything.
    Wipe,
    /// Erases everything and lets the owner enrol a boot key.
    Unlock {
        /// Hash of the key.
        boot_key: BootKey,
    },
}

/// Everything one watch was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    pub(crate) watch: WatchId,
    device: Option<PublicKey>,
    pub(crate) keyring: Keyring,
    pub(crate) policy: Option<(PolicyHash, Policy)>,
    standing: Standing,
    wiped: bool,
}

/// An order whose signer was found and whose signature fits.
pub(crate) struct Signed<'a> {
    pub(crate) envelope: &'a Envelope,
    pub(crate) order: Order,
    /// The signer's contact id.
    pub(crate) guardian: String,
    /// The role of the key he signed with.
    pub(crate) role: Role,
}

impl Ledger {
    /// A watch nobody was enrolled on, and whose own key signs nothing.
    pub fn new(watch: WatchId) -> Self {
        Self {
            watch,
            device: None,
            keyring: Keyring::default(),
            policy: None,
            standing: Standing::default(),
            wiped: false,
        }
    }

    /// Lets the watch's own key sign what a right PIN allows. A key that is not this watch's is left out.
    #[must_use]
    pub fn with_device_key(self, device: PublicKey) -> Self {
        let device = self.is_device_key(&device).then_some(device);
        Self { device, ..self }
    }

    pub(crate) fn is_device_key(&self, key: &PublicKey) -> bool {
        WatchId::of_device_key(&key.to_bytes()) == self.watch
    }

    /// The watch it is for.
    pub fn watch(&self) -> &WatchId {
        &self.watch
    }

    /// The guardians and their keys.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The present policy, if one was set.
    pub fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref().map(|(_, policy)| policy)
    }

    /// What the daemons decide by; `None` before the first policy.
    pub fn rules(&self) -> Option<Rulebook> {
        let policy = self.policy()?.clone();
        Some(Rulebook { policy, standing: self.standing.clone() })
    }

    /// What the next `set-policy` names as its base.
    pub fn policy_hash(&self) -> Option<&PolicyHash> {
        self.policy.as_ref().map(|(hash, _)| hash)
    }

    /// What was ordered besides the policy.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// True after an order erased the watch: no order is taken any more.
    pub fn wiped(&self) -> bool {
        self.wiped
    }

    /// True if the policy has this contact as a guardian, or there is no policy yet.
    pub(crate) fn may_be_main(&self, id: &str) -> bool {
        let guardian =
            |policy: &Policy| policy.contact(id).is_some_and(|contact| contact.kind == Kind::Guardian);
        self.policy().is_none_or(guardian)
    }

    /// Takes an order, or refuses it and stays as it was.
    ///
    /// What is looked at, in this order: was the watch erased; is it an envelope; did an enrolled key sign it (on a
    /// watch without guardians: is a code on the screen); is the payload an order; did the signer it names sign it; is
    /// it for this watch; is its counter new; may the role sign it; are its values in bounds; and then what its body
    /// asks for. The code on the screen and the clock are looked at for an order from outside alone, so the log is
    /// taken as it was.
    ///
    /// # Errors
    /// The first check that failed, see [`Refused`].
    pub fn apply(&mut self, envelope: &[u8], door: Door) -> Result<Applied, Refused> {
        if self.wiped {
            return Err(Refused::Wiped);
        }
        let envelope = Envelope::parse(envelope)?;
        let signed = if self.keyring.is_empty() {
            first_enrolment(&envelope, door)?
        } else {
            self.signed_by_the_enrolled(&envelope)?
        };
        let kind = self.admit(&signed, door)?;
        let mut next = self.clone();
        next.keyring.count(&signed.order.signer, signed.order.counter);
        let effect = next.obey(&signed, door)?;
        // What is accepted can be published: a store that cannot be built would seal the watch.
        next.standing.validate().map_err(Refused::Policy)?;
        let changes = next.keyring.changes_since(&self.keyring);
        let applied = Applied {
            guardian: signed.guardian,
            key: signed.order.signer,
            role: signed.role,
            kind: kind.as_str(),
            effect,
            keyring_changed: !changes.is_empty(),
            changes,
            policy_changed: next.policy_hash() != self.policy_hash(),
            standing_changed: next.standing != self.standing,
        };
        *self = next;
        Ok(applied)
    }

    /// The payload is read only when an enrolled key has signed it.
    fn signed_by_the_enrolled<'a>(&self, envelope: &'a Envelope) -> Result<Signed<'a>, Refused> {
        let signatures = envelope.signatures.iter();
        let signers: Vec<_> = signatures
            .filter_map(|signature| {
                let (guardian, key, role) = self.signer(&signature.key)?;
                key.verifies(&envelope.payload, signature).then_some((&signature.key, guardian, role))
            })
            .collect();
        if signers.is_empty() {
            return Err(Refused::Signature);
        }
        let order: Order = strict::from_slice(&envelope.payload).map_err(Refused::Payload)?;
        let signer = signers.into_iter().find(|(id, ..)| **id == order.signer);
        let (_, guardian, role) = signer.ok_or(Refused::Signer)?;
        Ok(Signed { envelope, order, guardian: guardian.to_owned(), role })
    }

    fn signer(&self, id: &KeyId) -> Option<(&str, &PublicKey, Role)> {
        if let Some((guardian, key, role)) = self.keyring.key(id) {
            return Some((&guardian.id, key, role));
        }
        let device = self.device.as_ref().filter(|device| device.id() == *id)?;
        Some((WATCH, device, Role::Watch))
    }

    /// What holds for every body.
    fn admit(&self, signed: &Signed<'_>, door: Door) -> Result<BodyKind, Refused> {
        let order = &signed.order;
        if order.watch != self.watch {
            return Err(Refused::Watch);
        }
        let last = self.keyring.counter(&order.signer);
        if order.counter <= last {
            return Err(Refused::Replayed { got: order.counter, last });
        }
        let kind = order.body.kind();
        if !signed.role.may_sign(kind) {
            return Err(Refused::Role { role: signed.role, body: kind });
        }
        bounds::check(signed, door)?;
        Ok(kind)
    }

    /// Does what the body says. It works on a copy, which is thrown away if it is refused.
    fn obey(&mut self, signed: &Signed<'_>, door: Door) -> Result<Effect, Refused> {
        match &signed.order.body {
            Body::SetPolicy { base, policy } => {
                contacts::check(self, signed, base.as_ref(), policy)?;
                self.policy = Some((PolicyHash::of_payload(&signed.envelope.payload), policy.clone()));
            }
            Body::Enrol(enrolment) => people::enrol(self, signed, enrolment, door)?,
            Body::Retire { guardian, key, heir } => {
                people::retire(self, signed, guardian, key.as_ref(), heir.as_deref())?;
            }
            Body::Grant { what, until } => {
                standing::grant(&mut self.standing, what, *until, signed.order.issued_at)?;
            }
            Body::Revoke { app } => standing::revoke(&mut self.standing, app)?,
            Body::Lost { on } => self.standing.lost = *on,
            Body::Pause { until } => self.standing.paused = Some(Pause { until: *until }),
            Body::Resume {} => self.standing.paused = None,
            Body::Answer { request, yes, until } => {
                return Ok(Effect::Answer { request: *request, yes: *yes, until: *until });
            }
            Body::Locate {} => return Ok(Effect::Locate),
            Body::Ring {} => return Ok(Effect::Ring),
            Body::Export {} => return Ok(Effect::Export),
            Body::Wipe {} => {
                self.wiped = true;
                return Ok(Effect::Wipe);
            }
            Body::Unlock { boot_key } => {
                self.wiped = true;
                return Ok(Effect::Unlock { boot_key: boot_key.clone() });
            }
        }
        Ok(Effect::None)
    }
}

/// The one payload that is read before a known key signed it: it brings its keys. All of them must have signed, which
/// [`people::enrol`] sees to.
fn first_enrolment(envelope: &Envelope, door: Door) -> Result<Signed<'_>, Refused> {
    if let Door::Submit { code: None, .. } = door {
        return Err(Refused::NoWindow);
    }
    let order: Order = strict::from_slice(&envelope.payload).map_err(Refused::Payload)?;
    let Body::Enrol(enrolment) = &order.body else { return Err(Refused::Signature) };
    if !enrolment.keys.iter().any(|key| key.id() == order.signer) {
        return Err(Refused::Signer);
    }
    let guardian = enrolment.guardian.clone();
    Ok(Signed { envelope, order, guardian, role: Role::Main })
}
