//! `policy.toml`: what is read, what is wrong at which line, and what stays as it is.

use nestling_guardian::rules::{MAX, read, write};
use policy::Policy;

use crate::world::Laptop;

const STARTER: &str = include_str!("../../src/starter.toml");

/// The starter with every example in it switched on.
fn everything() -> String {
    let example = |line: &str| {
        let rest = line.strip_prefix("# ").unwrap_or(line);
        let is_toml = rest.starts_with('[') || rest.split(" = ").next().is_some_and(policy_key);
        if is_toml { rest.to_owned() } else { line.to_owned() }
    };
    let text: Vec<_> = STARTER.lines().map(example).collect();
    text.join("\n")
        .replace("{guardian}", "mum")
        .replace("{name}", "Mum")
        .replace("{zone}", "Europe/Helsinki")
        .replace("{number}", "\"+358 40 555 0001\"")
        + "\n"
}

fn policy_key(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

#[test]
fn every_example_of_the_first_rules_is_right_and_none_is_missing() {
    let policy = read(&everything()).unwrap_or_else(|problem| panic!("{problem}"));
    let json = serde_json::to_value(&policy).unwrap();
    for (key, value) in json.as_object().unwrap() {
        assert!(value.as_array().is_none_or(|list| !list.is_empty()), "{key} has no example");
    }
    assert_eq!((json["zones"][0]["latitude_e6"].as_i64(), policy.contacts.len()), (Some(60_171_000), 2));
    assert_eq!(policy.apps[0].until, Some(1_924_358_400));
    assert!(policy.child.is_some() && policy.allowances.rest.is_some());
}

#[test]
fn rules_survive_being_written_and_what_is_the_same_stays_byte_for_byte() {
    let text = everything();
    let policy = read(&text).unwrap();
    assert_eq!(read(&write(&policy, None).unwrap()).unwrap(), policy);
    assert_eq!(write(&policy, Some(&text)).unwrap(), text);
    let windows = text.replace('\n', "\r\n");
    assert_eq!(write(&policy, Some(&windows)).unwrap(), windows);
    assert_eq!(read(&write(&policy, Some("no = [toml")).unwrap()).unwrap(), policy);
    let family: Policy = serde_json::from_str(include_str!("../../../../tests/family.json")).unwrap();
    assert_eq!(read(&write(&family, Some(&text)).unwrap()).unwrap(), family);
}

#[test]
fn a_change_touches_its_own_line_alone() {
    let text = everything();
    let mut policy = read(&text).unwrap();
    policy.contacts[1].name = "Granny".into();
    policy.zones[0].radius_m = 200;
    policy.features.messages = true;
    policy.schedules[0].windows[0].to = "14:00".parse().unwrap();
    let expected = text
        .replace("name = \"Gran\"", "name = \"Granny\"")
        .replace("radius_m = 120", "radius_m = 200")
        .replace("messages = false", "messages = true")
        .replace("\"13:45\"", "\"14:00\"");
    assert_eq!(write(&policy, Some(&expected)).unwrap(), expected);
    let written = write(&policy, Some(&text)).unwrap();
    let lines = |text: &str| text.lines().map(|line| line.replace(' ', "")).collect::<Vec<_>>();
    assert_eq!(lines(&written), lines(&expected));
    policy.contacts.swap(0, 1);
    let sub = text.replace("may = { ring", "[contacts.may]\nring").replace(", be_called", "\nbe_called");
    let sub = sub.replace(", write", "\nwrite").replace(", be_written = false }", "\nbe_written = false");
    for text in [&text, &sub] {
        assert_eq!(read(&write(&policy, Some(text)).unwrap()).unwrap(), policy);
    }
    policy.contacts.remove(0);
    policy.apps.clear();
    let written = write(&policy, Some(&text)).unwrap();
    assert_eq!(read(&written).unwrap(), policy);
    assert!(!written.contains("Gran") && written.contains("# How long the watch remembers."), "{written}");
}

/// A change of the whole example, the line that is then named, and the words.
const WRONG: [(&str, &str, &str, &str); 24] = [
    ("region = \"eu\"", "region = \"moon\"", "region = \"", "unknown variant `moon`, expected one of `cn`"),
    ("region = \"eu\"", "region = \"eu", "region = \"eu", "invalid basic string"),
    ("Europe/Helsinki", "Europe/Helsinky", "time_zone = ", "not the name of a time zone"),
    ("time_zone = ", "zone = ", "zone = ", "unknown field `zone`"),
    ("kind = \"guardian\"", "kind = \"boss\"", "kind = ", "unknown variant `boss`"),
    ("kind = \"guardian\"", "kind = \"guardian\"\nkind = \"family\"", "kind = \"family\"", "duplicate key"),
    ("name = \"Mum\"", "nme = \"Mum\"", "nme = ", "unknown field `nme`"),
    ("name = \"Mum\"", "name = \" Mum\"", "name = ", "a name is 1 to 40 characters"),
    ("id = \"gran\"", "id = \"Gran\"", "id = \"Gran\"", "an id is 1 to 32 of a-z"),
    ("id = \"gran\"", "id = \"mum\"", "id = \"mum\"", "the id mum stands twice"),
    ("555 0003", "555 0001", "numbers = ", "a number that stands in the policy twice"),
    ("\"+358 40 555 0003\"", "\"040 555 0003\"", "numbers = [\"040", "begins with + and the country's code"),
    ("may = { ring = true, be_called = true, ", "may = { ", "may = ", "missing field `ring`"),
    ("kind = \"class\"", "kind = \"x\"", "kind = \"x\"", "unknown variant `x`"),
    ("from = \"08:00\"", "from = 08:00", "windows = ", "stand in quotes"),
    ("from = \"08:00\"", "from = \"8:00\"", "windows = ", "a time of the day is HH:MM"),
    ("until = 2030-12-24T18:00", "until = \"tomorrow\"", "until = ", "without quotes"),
    ("until = 2030-12-24T18:00", "until = 2030-12-24", "until = ", "a date and a time"),
    ("latitude = 60.171", "latitude = 601.71", "latitude = ", "degrees are -90 to 90"),
    ("latitude = 60.171", "latitude = nan", "latitude = ", "degrees are -90 to 90"),
    ("latitude = 60.171", "latitude = 95", "[[zones]]", "degrees on the Earth"),
    ("kind = \"guardian\"", "kind = \"friend\"", "kind = \"friend\"", "say what this person may do"),
    ("[[zones]]", "[[apps]]\napp = \"draw\"\n[[zones]]", "app = ", "the app draw is granted twice"),
    ("permissions = []", "permissions = [\"camera\", \"camera\"]", "permissions = ", "each permission once"),
];

#[test]
fn errors_name_the_line_and_what_to_do() {
    let text = everything();
    for (from, to, line, words) in WRONG {
        let wrong = text.replacen(from, to, 1);
        assert_ne!(wrong, text, "{from}");
        let problem = read(&wrong).expect_err(to);
        let named = wrong.lines().nth(problem.line - 1).unwrap();
        assert!(named.starts_with(line) && problem.column <= named.len() + 1, "{to}: {problem}");
        assert!(problem.text.contains(words), "{to}: {problem}");
        // It stands at or beside what was changed, never in another entry.
        let at = text.lines().zip(wrong.lines()).take_while(|(before, now)| before == now).count() + 1;
        assert!(problem.line.abs_diff(at) <= 4, "{to}: {at}\n{problem}");
    }
}

#[test]
fn the_program_names_file_line_and_column_and_shows_the_place() {
    let mum = Laptop::of("mum", "0");
    let (code, said) = mum.fails(&["edit"], "");
    let path = mum.path("policy.toml");
    let expected = format!(
        "{}:17:11: a number begins with + and the country's code, such as \"+358 40 555 0001\"\n   \
         17 | numbers = [\"0\"]\n      |           ^\n",
        path.display()
    );
    assert_eq!((code, said), (1, expected));
    // What the editor leaves is what is looked at.
    let fixed =
        mum.command(&["edit"]).env("EDITOR", "sed -i 's/\"0\"/\"+358 40 555 0001\"/'").output().unwrap();
    assert_eq!(
        String::from_utf8(fixed.stdout).unwrap().lines().next(),
        Some("1 people, 0 apps: the rules are fine.")
    );
    assert!(mum.text("policy.toml").starts_with("# The rules of your child's watch."));
    let gone = mum.command(&["edit"]).env("EDITOR", "false").output().unwrap();
    assert!(!gone.status.success());
}

#[test]
fn a_policy_without_a_guardian_or_without_anything_is_wrong_as_a_whole() {
    for (text, words) in [
        ("", "missing field `region`"),
        ("region = \"eu\"\n", "missing field `time_zone`"),
        ("region = \"eu\"\ntime_zone = \"UTC\"\n", "at least one guardian"),
    ] {
        let problem = read(text).unwrap_err();
        assert!(problem.line == 1 && problem.text.contains(words), "{problem}");
    }
}

#[test]
fn a26_no_file_is_too_long_or_too_deep() {
    assert!(read(&"#".repeat(MAX + 1)).unwrap_err().text.contains("bytes"));
    assert!(read(&format!("region = {}", "[".repeat(100_000))).is_err());
    assert!(read(&format!("{} = 1", vec!["a"; 60_000].join("."))).is_err());
    let many = "[[apps]]\napp = \"a\"\n".repeat(10_000);
    let problem = read(&(everything() + &many)).unwrap_err();
    assert!(problem.text.contains("at most"), "{problem}");
}
