//! The demonstration family: a mother's key on this side of the glass, and the policy of `tests/family.json`.

use anyhow::{Context, Result, bail};
use nestling_agent::protocol::{Reply, Request};
use orders::{Body, Enrolment, EnrolmentCode, Envelope, PolicyHash, Role, Signer, WatchId};
use policy::Policy;

/// Numbers of the demonstration family and of somebody who is not in it.
pub const MUM: &str = "+358405550001";
/// The aunt whom an order removes.
pub const AUNT: &str = "+358405550004";
/// Nobody the family knows.
pub const STRANGER: &str = "+358409990999";

/// The guardian: signs, and remembers which policy is in force.
pub struct Guardian {
    signer: Signer,
    watch: WatchId,
    base: Option<PolicyHash>,
}

/// Takes an envelope to the watch and brings the answer.
pub type Bearer<'a> = &'a mut dyn FnMut(Request) -> Result<Reply>;

impl Guardian {
    /// Binds a fresh watch: reads its code, enrols, and sets the family's policy.
    ///
    /// # Errors
    /// The watch does not take it.
    pub fn bind(bearer: Bearer<'_>) -> Result<Self> {
        let watch = watch_id(bearer)?;
        let Reply::Code(code) = bearer(Request::OpenEnrolment)? else { bail!("the watch shows no code") };
        let mut secret = [0; 32];
        std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut secret)?;
        let mut mum = Self { signer: Signer::from_secret(&secret), watch, base: None };
        let enrolment = Enrolment {
            code: EnrolmentCode::parse(&code.replace(' ', "")).context("the watch's code is none")?,
            guardian: "mum".into(),
            role: Role::Main,
            keys: vec![mum.signer.public()],
            recovery: None,
        };
        let order = mum.signer.order(&mum.watch, now(), Body::Enrol(enrolment));
        revision(submit(&order, bearer)?)?;
        let order = mum.set_policy(family()?);
        revision(submit(&order, bearer)?)?;
        Ok(mum)
    }

    /// Signs a new policy made from the one in force.
    pub fn set_policy(&mut self, policy: Policy) -> Envelope {
        let body = Body::SetPolicy { base: self.base.clone(), policy };
        let order = self.signer.order(&self.watch, now(), body);
        self.base = Some(PolicyHash::of_payload(&order.payload));
        order
    }

    /// Signs that she looks where the watch is.
    pub fn locate(&mut self) -> Envelope {
        self.signer.order(&self.watch, now(), Body::Locate {})
    }

    /// Signs that the watch rings, so that it is found.
    pub fn ring(&mut self) -> Envelope {
        self.signer.order(&self.watch, now(), Body::Ring {})
    }

    /// Signs that the watch is lost, or that it was found.
    pub fn lost(&mut self, on: bool) -> Envelope {
        self.signer.order(&self.watch, now(), Body::Lost { on })
    }

    /// Signs that the watch shall forget everything.
    pub fn wipe(&mut self) -> Envelope {
        self.signer.order(&self.watch, now(), Body::Wipe {})
    }

    /// What somebody with a key of his own would send.
    pub fn forged(&self, policy: Policy) -> Envelope {
        let mut stranger = Signer::from_secret(&[0x66; 32]).after(1000);
        stranger.order(&self.watch, now(), Body::SetPolicy { base: self.base.clone(), policy })
    }

    /// What the mother would send to her other child's watch.
    pub fn for_another_watch(&mut self, policy: Policy) -> Envelope {
        let other = WatchId::of_device_key(&[0x77; 32]);
        self.signer.order(&other, now(), Body::SetPolicy { base: self.base.clone(), policy })
    }
}

/// The family's policy.
///
/// # Errors
/// The file in the repository is broken.
pub fn family() -> Result<Policy> {
    serde_json::from_str(include_str!("../../../../tests/family.json")).context("tests/family.json")
}

/// The family's policy without one person.
///
/// # Errors
/// The file in the repository is broken.
pub fn family_without(id: &str) -> Result<Policy> {
    let mut policy = family()?;
    policy.contacts.retain(|contact| contact.id != id);
    Ok(policy)
}

/// Hands an envelope to the watch's one door.
///
/// # Errors
/// The way there is broken; a refusal is a reply.
pub fn submit(envelope: &Envelope, bearer: Bearer<'_>) -> Result<Reply> {
    bearer(Request::Submit(String::from_utf8(envelope.to_bytes())?))
}

/// The revision an accepted order made.
///
/// # Errors
/// It was refused.
pub fn revision(reply: Reply) -> Result<u64> {
    match reply {
        Reply::Revision(revision) => Ok(revision),
        other => bail!("the order was not taken: {other:?}"),
    }
}

fn watch_id(bearer: Bearer<'_>) -> Result<WatchId> {
    let Reply::Status { watch, .. } = bearer(Request::Status)? else {
        bail!("the watch does not say its state")
    };
    WatchId::parse(&watch).context("the watch's id is none")
}

/// Seconds since 1970, as the watch has them too.
pub fn now() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs().cast_signed())
}
