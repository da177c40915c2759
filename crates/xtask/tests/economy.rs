//! Nothing to trade: what one watch holds, tells or is told has no public number that could be raised, shown or sold.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::fs;

use xtask::paths;

/// Words of a status market, as a part of a name.
const WORDS: [&str; 16] = [
    "like", "love", "coin", "point", "score", "level", "rank", "streak", "follower", "fans", "badge",
    "reward", "gift", "popular", "balance", "wallet",
];

/// Every name in texts that say what is kept and told: identifiers, in lower case, cut at `_` and capitals.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in text.chars() {
        if c.is_ascii_uppercase() || !c.is_ascii_alphabetic() {
            words.push(String::new());
        }
        if c.is_ascii_alphabetic() {
            words.last_mut().unwrap().push(c.to_ascii_lowercase());
        }
    }
    words
}

fn without_comments(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with(['#', '/']));
    lines.map(|line| line.split("-- ").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a56_no_table_message_or_interface_has_anything_to_raise_or_trade() {
    let root = paths::root();
    let mut texts = vec![
        "crates/store/src/schema.sql".to_owned(),
        "crates/policyd/src/log/mod.rs".to_owned(),
        "crates/policyd/src/diary.rs".to_owned(),
        "crates/ipc/src/wire.rs".to_owned(),
        "crates/ipc/src/proxies.rs".to_owned(),
        "crates/orders/src/order.rs".to_owned(),
        "crates/launch/src/message.rs".to_owned(),
    ];
    for interface in fs::read_dir(root.join("crates/ipc/golden")).unwrap() {
        texts.push(format!("crates/ipc/golden/{}", interface.unwrap().file_name().to_string_lossy()));
    }
    assert!(texts.len() > 12, "the interfaces were not found");
    for name in texts {
        let text = without_comments(&fs::read_to_string(root.join(&name)).unwrap());
        for word in words(&text) {
            let found = WORDS.iter().find(|trade| word == **trade || word == format!("{trade}s"));
            assert_eq!(found, None, "{name} has something to trade: {word}");
        }
    }
}

#[test]
fn a56_the_words_of_a_market_are_found() {
    assert!(words("friend_likes INTEGER").contains(&"likes".to_owned()));
    assert!(words("fn dailyStreak").contains(&"streak".to_owned()));
    assert_eq!(without_comments("-- likes\nx -- coins\n/// level"), "\nx ");
}
