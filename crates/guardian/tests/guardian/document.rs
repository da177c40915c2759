//! `docs/guardian.md` is run as it stands.

use std::fs;
use std::process::Command;

use crate::world::{PROGRAM, Watch, code};

const DOCUMENT: &str = include_str!("../../../../docs/guardian.md");

/// Plays the person: writes the papers down, and types what is asked for.
const PERSON: &str = r#"
set -eu
nestling-guardian() {
    case " $* " in *" dad "*) who=dad ;; *) who=mum ;; esac
    case " $* " in
        *" new "*) "$PROGRAM" "$@" | tee "$HOME/said"; sed -n 's/^    //p' "$HOME/said" | tr '\n' ' ' > "$HOME/$who.paper" ;;
        *" wipe "*) echo "$WATCH" | "$PROGRAM" "$@" ;;
        *) "$PROGRAM" "$@" < "$HOME/$who.paper" ;;
    esac
}
"#;

#[test]
fn every_shell_block_of_the_document_runs_from_the_first_to_the_last() {
    let watch = Watch::new();
    let home = tempfile::TempDir::new().unwrap();
    let blocks = DOCUMENT.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let script: Vec<_> = blocks.collect();
    assert!(script.len() > 5, "the blocks are not found any more");
    fs::write(home.path().join("script"), PERSON.to_owned() + &script.concat()).unwrap();
    let output = Command::new("bash")
        .args(["-x", "script"])
        .current_dir(home.path())
        .env_clear()
        .envs([
            ("PATH", "/usr/bin:/bin"),
            ("PROGRAM", PROGRAM),
            ("EDITOR", "sed -i 's/^# friend_cards/# &/'"),
        ])
        .env("HOME", home.path())
        .envs([("WATCH", watch.id()), ("CODE", code().groups()), ("AGENT", watch.agent())])
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(watch.ledger.lock().unwrap().wiped(), "the document ends with the end of the watch");
    let applied = watch.applied.lock().unwrap();
    for kind in ["enrol", "set-policy", "pause", "grant", "retire", "wipe"] {
        assert!(applied.iter().any(|order| order.kind == kind), "{kind} was not sent");
    }
}

#[test]
fn the_rules_in_the_document_are_right() {
    let block = DOCUMENT.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(nestling_guardian::rules::read(block).unwrap().contacts.len(), 1);
}

#[test]
fn the_document_names_every_command() {
    for command in ["new", "enrol", "show", "edit", "sign", "send", "recover"] {
        assert!(DOCUMENT.contains(&format!(" {command} ")), "{command}");
    }
}
