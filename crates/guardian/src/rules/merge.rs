//! Changes in a document that leave everything else, also comments, as it was.

use serde::Serialize;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value};

/// The document of a value: lists of tables and tables of the first level as such, everything deeper inline.
pub(super) fn document(value: &impl Serialize) -> Option<DocumentMut> {
    let mut document = toml_edit::ser::to_document(value).ok()?;
    for (key, item) in document.iter_mut() {
        let is_list = item.as_array().is_some_and(|list| list.iter().all(Value::is_inline_table));
        *item = match std::mem::take(item) {
            // A day of birth is short.
            Item::Value(Value::InlineTable(table)) if key != "child" => Item::Table(table.into_table()),
            Item::Value(value) if is_list && value.as_array().is_some_and(|list| !list.is_empty()) => {
                Item::Value(value).into_array_of_tables().map_or(Item::None, Item::ArrayOfTables)
            }
            other => other,
        };
    }
    Some(document)
}

/// Brings into `text` what is otherwise in `now` than in `was`, which is what `text` means.
pub(super) fn update(text: &mut Table, was: &Table, now: &Table) {
    let gone: Vec<_> = was.iter().map(|(key, _)| key).filter(|key| !now.contains_key(key)).collect();
    for key in gone {
        text.remove(key);
    }
    for (key, new) in now {
        if was.get(key).is_some_and(|old| old.to_string() == new.to_string()) {
            continue;
        }
        match (text.get_mut(key), was.get(key), new) {
            (Some(Item::Table(text)), Some(Item::Table(was)), Item::Table(now)) => update(text, was, now),
            (Some(Item::ArrayOfTables(text)), Some(Item::ArrayOfTables(was)), Item::ArrayOfTables(now)) => {
                *text = list(text, was, now);
            }
            (Some(Item::Value(text)), _, Item::Value(new)) => {
                let decor = text.decor().clone();
                *text = new.clone();
                *text.decor_mut() = decor;
            }
            _ => {
                text.insert(key, new.clone());
            }
        }
    }
}

/// Entries are the same when their `id`, or `app`, is. The text's order is by the places that tables remember, so each
/// gets the place of the one that was there.
fn list(text: &ArrayOfTables, was: &ArrayOfTables, now: &ArrayOfTables) -> ArrayOfTables {
    let id = |table: &Table| ["id", "app"].iter().find_map(|key| Some(table.get(key)?.as_str()?.to_owned()));
    let mut places: Vec<_> = text.iter().map(Table::position).collect();
    places.sort_unstable();
    let mut places = places.into_iter();
    let merged = now.iter().map(|new| {
        let known = was.iter().zip(text.iter()).find(|(old, _)| id(old) == id(new));
        let mut table = known.map_or_else(
            || new.clone(),
            |(was, text)| {
                let mut text = text.clone();
                update(&mut text, was, new);
                text
            },
        );
        follow(&mut table);
        table.set_position(places.next().flatten());
        table
    });
    merged.collect()
}

/// Tables within a table come behind it.
fn follow(table: &mut Table) {
    for (_, item) in table.iter_mut() {
        match item {
            Item::Table(inner) => {
                inner.set_position(None);
                follow(inner);
            }
            Item::ArrayOfTables(list) => list.iter_mut().for_each(|inner| {
                inner.set_position(None);
                follow(inner);
            }),
            _ => {}
        }
    }
}
