//! A family, its keys, and a watch that knows them.

use orders::{
    Applied, Body, Door, Enrolment, EnrolmentCode, Envelope, KeyId, Ledger, Refused, Role, Signer, WatchId,
};
use policy::{Contact, Kind, May, Policy};

/// What the watch's clock says.
pub(crate) const NOW: i64 = 1_790_000_000;

/// The code on the screen.
pub(crate) fn code() -> EnrolmentCode {
    EnrolmentCode::from_random([1, 2, 3, 4, 5, 6, 7, 8])
}

/// The key with this number. 1 and 2 are mum's and dad's phones, 11 and 12 their papers, 100 and 101 watches, 66 a
/// stranger's.
pub(crate) fn signer(n: u8) -> Signer {
    Signer::from_secret(&[n; 32])
}

pub(crate) fn watch_of(device: &Signer) -> WatchId {
    WatchId::of_device_key(&device.public().to_bytes())
}

pub(crate) fn contact(n: usize, id: &str, kind: Kind) -> Contact {
    Contact {
        id: id.to_owned(),
        name: id.to_owned(),
        kind,
        numbers: vec![format!("+35840555000{n}").parse().unwrap()],
        picture: String::new(),
        may: May { ring: true, be_called: true, write: false, be_written: false },
    }
}

/// Mum and dad as guardians, and these others.
pub(crate) fn family(others: &[&str]) -> Policy {
    let mut policy: Policy = serde_json::from_str(r#"{"region":"eu","contacts":[],"zones":[]}"#).unwrap();
    policy.contacts = vec![contact(0, "mum", Kind::Guardian), contact(1, "dad", Kind::Guardian)];
    let others = others.iter().enumerate().map(|(n, id)| contact(n + 2, id, Kind::Family));
    policy.contacts.extend(others);
    policy
}

/// The body that enrols these keys with the code on the screen.
pub(crate) fn enrolment(guardian: &str, role: Role, keys: &[&Signer], paper: Option<&Signer>) -> Body {
    Body::Enrol(Enrolment {
        code: code(),
        guardian: guardian.to_owned(),
        role,
        keys: keys.iter().map(|key| key.public()).collect(),
        recovery: paper.map(Signer::public),
    })
}

/// A policy made from the one in force.
pub(crate) fn set_policy(ledger: &Ledger, policy: Policy) -> Body {
    Body::SetPolicy { base: ledger.policy_hash().cloned(), policy }
}

/// Hands an envelope in while the screen shows the code. A refusal must change nothing.
pub(crate) fn submit(ledger: &mut Ledger, envelope: &Envelope) -> Result<Applied, Refused> {
    through(ledger, envelope, door())
}

/// The door while the screen shows the code.
pub(crate) fn door() -> Door {
    Door::Submit { code: Some(code()), now: NOW }
}

pub(crate) fn through(ledger: &mut Ledger, envelope: &Envelope, door: Door) -> Result<Applied, Refused> {
    let before = ledger.clone();
    let taken = ledger.apply(&envelope.to_bytes(), door);
    assert!(taken.is_ok() || *ledger == before, "a refused order changed something");
    taken
}

/// Signs a body and hands it in.
pub(crate) fn order(ledger: &mut Ledger, by: &mut Signer, body: Body) -> Result<Applied, Refused> {
    let envelope = by.order(&ledger.watch().clone(), NOW, body);
    submit(ledger, &envelope)
}

/// The same, with the signatures of others under it.
pub(crate) fn order_with(
    ledger: &mut Ledger,
    by: &mut Signer,
    others: &[&Signer],
    body: Body,
) -> Result<Applied, Refused> {
    let mut envelope = by.order(&ledger.watch().clone(), NOW, body);
    for other in others {
        other.cosign(&mut envelope);
    }
    submit(ledger, &envelope)
}

/// The body that takes a guardian, or a key of his, away.
pub(crate) fn retire(guardian: &str, key: Option<&Signer>, heir: Option<&str>) -> Body {
    Body::Retire {
        guardian: guardian.into(),
        key: key.map(|key| key.public().id()),
        heir: heir.map(str::to_owned),
    }
}

/// The name of a key.
pub(crate) fn id(key: &Signer) -> KeyId {
    key.public().id()
}

/// The names of the keys of a guardian, his paper last.
pub(crate) fn keys(ledger: &Ledger, guardian: &str) -> Vec<KeyId> {
    ledger.keyring().guardian(guardian).unwrap().keys_and_roles().map(|(key, _)| key.id()).collect()
}

/// Bytes as hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// A watch with two guardians and a policy, and their keys.
pub(crate) struct Home {
    pub(crate) ledger: Ledger,
    pub(crate) mum: Signer,
    pub(crate) mums_paper: Signer,
    pub(crate) dad: Signer,
    pub(crate) dads_paper: Signer,
    pub(crate) device: Signer,
}

impl Home {
    /// Nobody was enrolled yet.
    pub(crate) fn unbound() -> Self {
        let device = signer(100);
        Self {
            ledger: Ledger::new(watch_of(&device)).with_device_key(device.public()),
            mum: signer(1),
            mums_paper: signer(11),
            dad: signer(2),
            dads_paper: signer(12),
            device,
        }
    }

    /// Mum is main with a key and one on paper, and there is no policy.
    pub(crate) fn without_policy() -> Self {
        Self::first_from(Self::unbound().ledger)
    }

    fn first_from(ledger: Ledger) -> Self {
        let mut home = Self { ledger, ..Self::unbound() };
        let Self { ledger, mum, mums_paper, .. } = &mut home;
        let body = enrolment("mum", Role::Main, &[mum], Some(mums_paper));
        order_with(ledger, mum, &[mums_paper], body).unwrap();
        home
    }

    /// Mum is main, dad a guardian; each has one key and one on paper. There is a policy with an aunt.
    pub(crate) fn bound() -> Self {
        Self::bound_from(Self::unbound().ledger)
    }

    /// The same on a watch of the caller's, on which nobody is enrolled.
    pub(crate) fn bound_from(ledger: Ledger) -> Self {
        let mut home = Self::first_from(ledger);
        let Self { ledger, mum, dad, dads_paper, .. } = &mut home;
        let body = set_policy(ledger, family(&["aunt"]));
        order(ledger, mum, body).unwrap();
        let body = enrolment("dad", Role::Guardian, &[dad], Some(dads_paper));
        order_with(ledger, mum, &[dad, dads_paper], body).unwrap();
        home
    }
}
