//! `docs/orders.md` and the code say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use orders::{BodyKind, Envelope, Order, Role, Signer};
use serde_json::{Value, json};

use crate::family::{Home, NOW, family, order, set_policy, signer, submit};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text() -> String {
    std::fs::read_to_string(root().join("docs/orders.md")).unwrap()
}

/// The text under each heading.
fn sections() -> BTreeMap<String, String> {
    let text = text();
    let sections = text.split("\n## ").skip(1).map(|section| section.split_once('\n').unwrap());
    sections.map(|(heading, text)| (heading.to_owned(), text.to_owned())).collect()
}

/// The one block of JSON in a section.
fn example(section: &str) -> String {
    let mut blocks = section.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let block = blocks.next().expect("a section without an example");
    assert_eq!(blocks.next(), None, "two examples under one heading");
    block.to_owned()
}

/// The example of each body, as it is written.
pub(crate) fn examples() -> BTreeMap<BodyKind, String> {
    let sections = sections();
    BodyKind::ALL.map(|kind| (kind, example(&sections[kind.as_str()]))).into()
}

/// An order around a body that stays the text it is.
pub(crate) fn sealed(home: &Home, by: &Signer, counter: u64, body: &str) -> Envelope {
    let (watch, signer) = (home.ledger.watch(), by.public().id());
    by.seal(
        format!(
            r#"{{"watch":"{watch}","signer":"{signer}","counter":{counter},"issued_at":{NOW},"body":{body}}}"#
        )
        .into_bytes(),
    )
}

/// A watch on which main can give the example of this body.
pub(crate) fn ready_for(kind: BodyKind) -> Home {
    match kind {
        BodyKind::Enrol => Home::unbound(),
        BodyKind::SetPolicy => Home::without_policy(),
        _ => Home::bound(),
    }
}

#[test]
fn every_body_has_an_example_that_a_watch_takes() {
    for (kind, body) in examples() {
        let mut home = ready_for(kind);
        let mut envelope = sealed(&home, &home.mum, 9, &body);
        if kind == BodyKind::Enrol {
            signer(3).cosign(&mut envelope);
            home.mums_paper.cosign(&mut envelope);
        }
        let applied = submit(&mut home.ledger, &envelope);
        let applied = applied.unwrap_or_else(|error| panic!("{}: {error:?}", kind.as_str()));
        assert_eq!((applied.kind, applied.guardian.as_str()), (kind.as_str(), "mum"));
        let order: Order = serde_json::from_slice(&envelope.payload).unwrap();
        assert_eq!(order.body.kind(), kind);
        let written = serde_json::to_value(&order.body).unwrap();
        assert_eq!(
            written,
            serde_json::from_str::<Value>(&body).unwrap(),
            "the example leaves something out"
        );
    }
}

#[test]
fn the_example_of_an_order_is_one() {
    let mut home = Home::bound();
    let payload = example(&sections()["An order"]).into_bytes();
    let envelope = home.mum.seal(payload);
    assert_eq!(submit(&mut home.ledger, &envelope).unwrap().kind, "locate");
}

#[test]
fn who_may_sign_stands_with_each_body() {
    let sections = sections();
    for kind in BodyKind::ALL {
        let roles = Role::ALL.into_iter().filter(|role| role.may_sign(kind)).map(Role::as_str);
        let line = format!("\nSigned by: {}.\n", roles.collect::<Vec<_>>().join(", "));
        assert!(sections[kind.as_str()].contains(&line), "{}: {line}", kind.as_str());
    }
}

/// The names in the table of refusals.
pub(crate) fn refusals() -> BTreeSet<String> {
    let sections = sections();
    let rows = sections["Refusals"].lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split('`').next().unwrap().to_owned()).collect()
}

#[test]
fn every_refusal_has_a_row_in_the_table() {
    let source = include_str!("../../src/refused.rs");
    let names = source.lines().filter_map(|line| line.split_once("=> \"")?.1.strip_suffix("\","));
    let names: Vec<_> = names.map(str::to_owned).collect();
    assert_eq!(names.iter().cloned().collect::<BTreeSet<_>>(), refusals());
    assert_eq!(names.len(), refusals().len(), "two refusals have one name");
}

#[test]
fn what_a_body_is_refused_as_is_in_the_table() {
    let (sections, refusals) = (sections(), refusals());
    for kind in BodyKind::ALL {
        let section = &sections[kind.as_str()];
        let Some((_, named)) = section.split_once("\nRefused as ") else { continue };
        for name in named.split('`').skip(1).step_by(2).filter(|name| *name != "until") {
            assert!(refusals.contains(name), "{name}");
        }
    }
}

/// Every key of an object in a JSON value, at any depth.
fn fields(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            into.extend(object.keys().cloned());
            object.values().for_each(|value| fields(value, into));
        }
        Value::Array(values) => values.iter().for_each(|value| fields(value, into)),
        _ => {}
    }
}

#[test]
fn t26_no_order_has_a_field_that_counts_or_ranks_a_child() {
    let mut found = BTreeSet::new();
    for body in examples().values() {
        fields(&serde_json::from_str(body).unwrap(), &mut found);
    }
    let mut home = Home::bound();
    let body = set_policy(&home.ledger, family(&["aunt", "gran"]));
    fields(&serde_json::to_value(&body).unwrap(), &mut found);
    order(&mut home.ledger, &mut home.mum, body).unwrap();
    fields(&serde_json::to_value(home.ledger.standing()).unwrap(), &mut found);
    let traded =
        ["like", "level", "coin", "streak", "rank", "follow", "score", "point", "count", "badge", "star"];
    let traded = |field: &&String| {
        traded.iter().any(|word| field.split(['_', '-']).any(|part| part.starts_with(word)))
    };
    assert!(found.len() > 30, "the fields are not found any more: {found:?}");
    assert_eq!(found.iter().filter(traded).collect::<Vec<_>>(), Vec::<&String>::new());
    fields(&json!({"a": [{"like_count": 1}]}), &mut found);
    assert!(found.iter().any(|field| traded(&field)), "the search finds nothing");
}
