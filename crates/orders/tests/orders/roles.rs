//! The table of roles and bodies, and that the ledger keeps to it.

use std::fmt::Write;
use std::path::PathBuf;

use orders::{BodyKind, Ledger, Refused, Role};

use crate::documents::{examples, sealed};
use crate::family::{Home, signer, submit};

#[test]
fn t2_who_may_sign_what_is_as_reviewed() {
    let mut table = "# Who may sign what. The limits of a yes stand in docs/orders.md.\n".to_owned();
    let roles = Role::ALL.map(|role| format!("{:<10}", role.as_str())).concat();
    writeln!(table, "{:<12}{}", "", roles.trim_end()).unwrap();
    for kind in BodyKind::ALL {
        let word = |role: Role| if role.may_sign(kind) { "yes" } else { "-" };
        let row = Role::ALL.map(|role| format!("{:<10}", word(role))).concat();
        writeln!(table, "{:<12}{}", kind.as_str(), row.trim_end()).unwrap();
    }
    testkit::golden::kept(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/roles.txt"), &table);
}

#[test]
fn t2_the_ledger_refuses_a_role_exactly_what_the_table_does() {
    for (kind, body) in examples() {
        for role in Role::ALL {
            let mut home = Home::bound();
            let signer = match role {
                Role::Main => &home.mum,
                Role::Guardian => &home.dad,
                Role::Watch => &home.device,
                Role::Recovery => &home.dads_paper,
            };
            let envelope = sealed(&home, signer, 99, &body);
            let result = submit(&mut home.ledger, &envelope);
            let forbidden =
                matches!(result, Err(Refused::Role { role: r, body: b }) if (r, b) == (role, kind));
            assert_eq!(forbidden, !role.may_sign(kind), "{} {}: {result:?}", role.as_str(), kind.as_str());
        }
    }
}

#[test]
fn t2_the_watch_itself_signs_nothing_if_its_key_is_not_known_or_another_watchs() {
    let body = &examples()[&BodyKind::Pause];
    let home = Home::bound();
    let envelope = sealed(&home, &home.device, 1, body);
    submit(&mut { home }.ledger, &envelope).unwrap();
    let watch = Home::unbound().ledger.watch().clone();
    let other = signer(101);
    for ledger in [Ledger::new(watch.clone()), Ledger::new(watch).with_device_key(other.public())] {
        let mut home = Home::bound_from(ledger);
        for device in [&signer(100), &other] {
            let envelope = sealed(&home, device, 1, body);
            assert!(matches!(submit(&mut home.ledger, &envelope), Err(Refused::Signature)));
        }
    }
}
