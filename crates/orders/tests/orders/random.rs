//! Orders as they may come: any guardian, stranger or thief, in any order, right and wrong. Whatever was taken, the
//! watch is in a state it may be in, and its log read again gives the same one.

use std::collections::HashSet;

use orders::{
    Applied, Body, BootKey, Door, Enrolment, EnrolmentCode, Envelope, Guardian, KeyId, Ledger, MAX_GUARDIANS,
    MAX_KEYS, Order, Refused, Role, Signer, What,
};
use policy::Kind;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::family::{Home, NOW, code, contact, set_policy, signer};

const GUARDIANS: [&str; 4] = ["mum", "dad", "gran", "aunt"];
/// Numbers of the keys that are there: phones, papers, the watch and a stranger.
const KEYS: [u8; 10] = [1, 2, 3, 4, 5, 11, 12, 13, 100, 66];

/// What somebody tries.
#[derive(Debug, Clone)]
struct Try {
    by: Index,
    /// Signed as well: by every key it should, or by all but one.
    complete: bool,
    /// The counter: 0 is the next one, else so many back.
    back: u64,
    door: Shown,
    issued_at: i64,
    body: Tried,
}

#[derive(Debug, Clone, Copy)]
enum Shown {
    Code,
    Another,
    Nothing,
}

#[derive(Debug, Clone)]
enum Tried {
    Enrol { guardian: Index, role: Role, keys: Vec<Index>, paper: Option<Index> },
    Retire { guardian: Index, key: Option<Index>, heir: Option<Index> },
    SetPolicy { stale: bool, guardians: u8, family: u8 },
    Other(Box<Body>),
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![1 => Just(Role::Main), 2 => Just(Role::Guardian), 1 => Just(Role::Recovery)]
}

fn other(body: Body) -> Tried {
    Tried::Other(Box::new(body))
}

fn tried() -> impl Strategy<Value = Tried> {
    let index = any::<Index>;
    let until = || proptest::option::of(NOW - 20..NOW + 60);
    let app = || "[a-c]";
    prop_oneof![
        4 => (index(), role(), proptest::collection::vec(index(), 1..3), proptest::option::of(index()))
            .prop_map(|(guardian, role, keys, paper)| Tried::Enrol { guardian, role, keys, paper }),
        3 => (index(), proptest::option::of(index()), proptest::option::of(index()))
            .prop_map(|(guardian, key, heir)| Tried::Retire { guardian, key, heir }),
        2 => (prop::bool::weighted(0.2), any::<u8>(), any::<u8>())
            .prop_map(|(stale, guardians, family)| Tried::SetPolicy { stale, guardians, family }),
        1 => (app(), until()).prop_map(|(app, until)| other(Body::Grant { what: What::App(app), until })),
        1 => (0_u16..300, until()).prop_map(|(minutes, until)| {
            other(Body::Grant { what: What::Time { category: None, minutes }, until })
        }),
        1 => app().prop_map(|app| other(Body::Revoke { app })),
        1 => until().prop_map(|until| other(Body::Pause { until })),
        1 => (any::<u64>(), any::<bool>(), until())
            .prop_map(|(request, yes, until)| other(Body::Answer { request, yes, until })),
        1 => any::<bool>().prop_map(|on| other(Body::Lost { on })),
        1 => prop_oneof![Just(Body::Resume {}), Just(Body::Locate {}), Just(Body::Ring {}), Just(Body::Export {})]
            .prop_map(other),
    ]
}

fn a_try() -> impl Strategy<Value = Try> {
    let door = prop_oneof![6 => Just(Shown::Code), 1 => Just(Shown::Another), 1 => Just(Shown::Nothing)];
    let by = any::<Index>();
    let back = prop_oneof![6 => Just(0_u64), 1 => 1_u64..4];
    (by, prop::bool::weighted(0.9), back, door, NOW - 10..NOW + 10, tried()).prop_map(
        |(by, complete, back, door, issued_at, body)| Try { by, complete, back, door, issued_at, body },
    )
}

fn key(index: Index) -> Signer {
    signer(KEYS[index.index(KEYS.len())])
}

fn guardian(index: Index) -> String {
    GUARDIANS[index.index(GUARDIANS.len())].to_owned()
}

impl Try {
    fn body(&self, ledger: &Ledger) -> Body {
        match &self.body {
            Tried::Other(body) => Body::clone(body),
            Tried::Enrol { guardian: whom, role, keys, paper } => Body::Enrol(Enrolment {
                code: code(),
                guardian: guardian(*whom),
                role: *role,
                keys: keys.iter().map(|index| key(*index).public()).collect(),
                recovery: paper.map(|index| key(index).public()),
            }),
            Tried::Retire { guardian: whom, key: which, heir } => Body::Retire {
                guardian: guardian(*whom),
                key: which.map(|index| key(index).public().id()),
                heir: heir.map(guardian),
            },
            Tried::SetPolicy { stale, guardians, family } => {
                let mut policy = crate::family::family(&[]);
                policy.contacts = (0..4)
                    .filter(|n| family >> n & 1 == 1 || *n == 0)
                    .map(|n| {
                        contact(
                            n,
                            GUARDIANS[n],
                            if guardians >> n & 1 == 1 { Kind::Guardian } else { Kind::Family },
                        )
                    })
                    .collect();
                match set_policy(ledger, policy) {
                    Body::SetPolicy { policy, .. } if *stale => Body::SetPolicy { base: None, policy },
                    body => body,
                }
            }
        }
    }

    /// The envelope on this watch, and the door it comes to.
    fn envelope(&self, ledger: &Ledger) -> (Envelope, Door) {
        let by = key(self.by);
        let counter = ledger.keyring().counter(&by.public().id());
        let mut by = by.after(counter.saturating_sub(self.back));
        let body = self.body(ledger);
        let mut envelope = by.order(&ledger.watch().clone(), self.issued_at, body);
        if let Tried::Enrol { keys, paper, .. } = &self.body {
            let needed = keys.iter().chain(paper).skip(usize::from(!self.complete));
            for index in needed.take(5) {
                key(*index).cosign(&mut envelope);
            }
        }
        let code = match self.door {
            Shown::Code => Some(code()),
            Shown::Another => Some(EnrolmentCode::from_random([0; 8])),
            Shown::Nothing => None,
        };
        (envelope, Door::Submit { code, now: NOW })
    }
}

/// What holds in every state.
fn verify(ledger: &Ledger) {
    let guardians = ledger.keyring().guardians();
    let mains = guardians.iter().filter(|guardian| guardian.role == Role::Main).count();
    assert_eq!(mains, usize::from(!guardians.is_empty()), "exactly one main once bound");
    assert!(guardians.len() <= MAX_GUARDIANS);
    let ids: HashSet<_> = guardians.iter().map(|guardian| &guardian.id).collect();
    assert_eq!(ids.len(), guardians.len(), "a guardian stands twice");
    assert!(guardians.iter().all(|guardian| (1..=MAX_KEYS).contains(&guardian.keys.len())));
    let keys: Vec<KeyId> =
        guardians.iter().flat_map(Guardian::keys_and_roles).map(|(key, _)| key.id()).collect();
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len(), "a key stands twice");
    assert!(!keys.contains(&signer(100).public().id()), "the watch's key is a guardian's");
    if let Some(policy) = ledger.policy() {
        policy.validate().unwrap();
        let main = policy.contact(&ledger.keyring().main().unwrap().id);
        assert!(main.is_some_and(|main| main.kind == Kind::Guardian), "main cannot be called");
    }
    let standing = ledger.standing();
    let granted: HashSet<_> = standing.grants.iter().map(|extra| &extra.app).collect();
    let revoked: HashSet<_> = standing.revoked.iter().collect();
    assert_eq!((granted.len(), revoked.len()), (standing.grants.len(), standing.revoked.len()));
    assert!(granted.is_disjoint(&revoked), "an app is given and taken away");
    assert!(standing.more_time.iter().all(|more| (1..=240).contains(&more.minutes)));
    assert!(
        [granted.len(), revoked.len(), standing.more_time.len()]
            .iter()
            .all(|len| *len <= policy::limits::STANDING)
    );
}

/// What holds of one step.
fn verify_step(before: &Ledger, after: &Ledger, envelope: &Envelope, applied: &Applied) {
    let order: Order = serde_json::from_slice(&envelope.payload).unwrap();
    assert_eq!(order.signer, applied.key);
    assert_eq!(order.counter, after.keyring().counter(&applied.key));
    for n in KEYS {
        let id = signer(n).public().id();
        let (was, is) = (before.keyring().counter(&id), after.keyring().counter(&id));
        assert!(if id == applied.key { was < is } else { was == is }, "a counter went back or by itself");
    }
    // Main goes, changes or gets other keys by his own order alone.
    if let Some(main) = before.keyring().main() {
        let now = after.keyring().guardian(&main.id);
        assert!(now == Some(main) || applied.guardian == main.id, "somebody else changed main");
        assert!(now.is_some() || applied.role == Role::Main);
    }
    // Whoever is new has shown the key.
    let held = |id: &KeyId| before.keyring().key(id).is_some();
    for guardian in after.keyring().guardians() {
        for (key, _) in guardian.keys_and_roles().filter(|(key, _)| !held(&key.id())) {
            assert!(key.signed(envelope), "a key was enrolled that signed nothing");
            assert_eq!(applied.kind, "enrol");
        }
        if before.keyring().guardian(&guardian.id).is_none() && !before.keyring().is_empty() {
            assert_eq!(applied.role, Role::Main, "somebody new came without main");
        }
    }
    assert_eq!(applied.keyring_changed, before.keyring().fingerprint() != after.keyring().fingerprint());
    assert_eq!(applied.policy_changed, before.policy_hash() != after.policy_hash());
    assert_eq!(applied.standing_changed, before.standing() != after.standing());
    assert_eq!(applied.changes.is_empty(), !applied.keyring_changed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a19_whatever_comes_the_state_is_sound_and_the_log_gives_it_again(
        bound in prop::bool::weighted(0.8), tries in proptest::collection::vec(a_try(), 1..60)
    ) {
        let mut ledger = if bound { Home::bound() } else { Home::unbound() }.ledger;
        let mut replayed = ledger.clone();
        for step in tries {
            let (envelope, door) = step.envelope(&ledger);
            let bytes = envelope.to_bytes();
            let before = ledger.clone();
            match ledger.apply(&bytes, door) {
                Ok(applied) => {
                    verify_step(&before, &ledger, &envelope, &applied);
                    prop_assert_eq!(replayed.apply(&bytes, Door::Log).unwrap(), applied);
                    prop_assert!(ledger.apply(&bytes, door).is_err(), "it was taken twice");
                }
                Err(refused) => {
                    prop_assert!(ledger == before, "a refused order changed something");
                    // The log asks for no code and no clock, and for everything else.
                    let of_the_door =
                        matches!(refused, Refused::NoWindow | Refused::WrongCode | Refused::Past { .. } | Refused::WatchLimit);
                    if !of_the_door {
                        let again = replayed.clone().apply(&bytes, Door::Log).unwrap_err();
                        prop_assert_eq!(again.name(), refused.name());
                    }
                }
            }
            verify(&ledger);
            prop_assert_eq!(&replayed, &ledger);
        }
        let wipe = signer(1).after(1000).order(&ledger.watch().clone(), NOW, Body::Unlock { boot_key: BootKey::of_bytes(b"") });
        // Not with the key on paper, which enrols and no more.
        let by_main = ledger.keyring().main().is_some_and(|main| main.keys.contains(&signer(1).public()));
        prop_assert_eq!(ledger.apply(&wipe.to_bytes(), Door::Log).is_ok(), by_main);
        prop_assert_eq!(ledger.wiped(), by_main);
    }
}

/// The sequences above must get somewhere: every kind of order is taken now and then.
#[test]
fn the_random_orders_reach_every_kind() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut taken = HashSet::new();
    let mut refused = HashSet::new();
    for n in 0..200 {
        let mut ledger = if n % 5 == 0 { Home::unbound() } else { Home::bound() }.ledger;
        for _ in 0..60 {
            let (envelope, door) = a_try().new_tree(&mut runner).unwrap().current().envelope(&ledger);
            match ledger.apply(&envelope.to_bytes(), door) {
                Ok(applied) => drop(taken.insert((applied.kind, applied.role.as_str()))),
                Err(error) => drop(refused.insert(error.name())),
            }
        }
    }
    for role in ["main", "guardian"] {
        let table = orders::BodyKind::ALL.map(orders::BodyKind::as_str);
        let missing: Vec<_> = table.iter().filter(|kind| !taken.contains(&(**kind, role))).collect();
        assert_eq!(missing, [&"wipe", &"unlock"], "{role}");
    }
    assert!(taken.contains(&("enrol", "recovery")) && taken.contains(&("grant", "watch")), "{taken:?}");
    assert!(refused.len() > 18, "{refused:?}");
}
