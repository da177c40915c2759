//! What the documents say is so: commands exist, examples parse, links and paths lead somewhere.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, Parser as _};
use sim::{Command, Fault, Scenario, Walk};
use xtask::arguments::Arguments;
use xtask::paths::root;

/// Folders a path in backticks may begin with, seen from the root.
const FOLDERS: [&str; 7] = [".ci/", "crates/", "docs/", "fuzz/", "rootfs/", "services/", "tests/"];

/// A Markdown file: its code blocks by language, and the rest.
#[derive(Default)]
struct Document {
    path: PathBuf,
    blocks: Vec<(String, String)>,
    prose: String,
}

impl Document {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        let mut document = Self { path, ..Self::default() };
        let mut open = false;
        for line in text.lines() {
            if let Some(language) = line.trim_start().strip_prefix("```") {
                open = !open;
                if open {
                    document.blocks.push((language.trim().to_owned(), String::new()));
                }
                continue;
            }
            let text = match document.blocks.last_mut() {
                Some((_, block)) if open => block,
                _ => &mut document.prose,
            };
            text.push_str(line);
            text.push('\n');
        }
        assert!(!open, "{}: a block of code has no end", document.path.display());
        document
    }

    /// What stands between `open` and `close` in the prose.
    fn between<'a>(&'a self, open: &'a str, close: char) -> impl Iterator<Item = &'a str> {
        self.prose.split(open).skip(1).filter_map(move |rest| rest.split(close).next())
    }

    /// What stands in backticks in the prose.
    fn code(&self) -> impl Iterator<Item = &str> {
        self.prose.split('`').skip(1).step_by(2)
    }
}

fn documents() -> Vec<Document> {
    let mut paths = vec![];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { paths.push(path) }
        }
    }
    let others = [
        "README.md",
        "ARCHITECTURE.md",
        "SECURITY.md",
        "crates/sim/README.md",
        "services/README.md",
        "fuzz/README.md",
        "tests/defences/README.md",
    ];
    paths.extend(others.map(|name| root().join(name)));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    paths.into_iter().map(Document::read).collect()
}

/// Our own commands among the lines of a shell.
fn commands(block: &str) -> impl Iterator<Item = &str> {
    let lines = block.lines().map(|line| line.split(" #").next().unwrap_or_default().trim());
    lines.filter(|line| line.starts_with("./nestling"))
}

/// Whether the command line is understood as it stands. To ask for help counts.
fn understood(command: &str) -> Result<(), clap::Error> {
    let (words, help) = (command.split_whitespace(), clap::error::ErrorKind::DisplayHelp);
    match Arguments::try_parse_from(words) {
        Err(error) if error.kind() != help => Err(error),
        _ => Ok(()),
    }
}

#[test]
fn every_command_a_document_shows_is_one_of_ours() {
    assert!(understood("./nestling runn").is_err() && understood("./nestling run --headles").is_err());
    let mut ours = Arguments::command();
    ours.build();
    let mut seen = 0;
    for document in documents() {
        let name = document.path.display();
        for (_, block) in document.blocks.iter().filter(|(language, _)| language == "sh") {
            for command in commands(block) {
                understood(command).unwrap_or_else(|error| panic!("{name}: {command}\n{error}"));
                seen += 1;
            }
        }
        for command in document.code().filter_map(|code| code.strip_prefix("./nestling ")) {
            let word = command.split_whitespace().next().unwrap_or_default();
            assert!(ours.find_subcommand(word).is_some(), "{name}: there is no `./nestling {word}`");
            seen += 1;
        }
    }
    assert!(seen > 5, "the commands of the documents are not found any more");
}

#[test]
fn every_example_parses() {
    for document in documents() {
        let name = document.path.display();
        for (language, block) in &document.blocks {
            let wrong = match language.as_str() {
                "toml" => toml::from_str::<toml::Table>(block).err().map(|error| error.to_string()),
                "json" => {
                    serde_json::from_str::<serde_json::Value>(block).err().map(|error| error.to_string())
                }
                _ => None,
            };
            assert_eq!(wrong, None, "{name}:\n{block}");
        }
    }
}

/// What stands in backticks where the reader of a `T` says what it knows, asked with what it does not know.
fn known<T: serde::de::DeserializeOwned>(unknown: &str) -> Vec<String> {
    let said = serde_json::from_str::<T>(unknown).err().unwrap().to_string();
    let (_, names) = said.split_once("expected one of").unwrap();
    names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_simulators_page_has_every_word_and_every_fault_and_the_simulator_takes_them() {
    let page = Document::read(root().join("crates/sim/README.md"));
    let blocks = |of: &'static str| {
        page.blocks.iter().filter(move |(language, _)| language == of).map(|(_, block)| block.as_str())
    };
    let steps = |text: &str| Scenario::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}")).steps;
    let mut words: Vec<Command> = blocks("toml").flat_map(steps).map(|step| step.command).collect();
    words.extend(blocks("json").map(|block| serde_json::from_str::<Command>(block).unwrap()));
    let words: Vec<_> = words.iter().map(|word| serde_json::to_value(word).unwrap()["do"].clone()).collect();
    for word in known::<Command>(r#"{"do":"like"}"#) {
        assert!(words.contains(&word.as_str().into()), "no example of {word}");
    }
    let begin = |fault: &str| format!("title = 'x'\n[[step]]\nat = 0\ndo = 'begin'\n{fault}\n");
    let faults =
        page.code().filter(|code| code.starts_with("fault = ")).flat_map(|fault| steps(&begin(fault)));
    let faults: Vec<_> = faults.map(|step| step.command).collect();
    for name in known::<Fault>(r#""like""#) {
        let named = |command: &Command| matches!(command, Command::Begin { fault } if fault.name() == name);
        assert!(faults.iter().any(named), "the fault {name} is not there");
    }
    let walks: Vec<_> = blocks("walk").map(|walk| Walk::parse(walk).unwrap()).collect();
    assert_eq!(walks.len(), 1);
}

#[test]
fn every_link_and_path_leads_to_a_file() {
    let (mut links, mut paths) = (0, 0);
    for document in documents() {
        let name = document.path.display();
        let folder = document.path.parent().unwrap();
        for link in document.between("](", ')').filter(|link| !link.contains(':') && !link.starts_with('#')) {
            let file = link.split('#').next().unwrap_or_default();
            assert!(folder.join(file).exists(), "{name}: nothing is at {link}");
            links += 1;
        }
        for code in document.code().filter(|code| FOLDERS.iter().any(|folder| code.starts_with(folder))) {
            if code.contains(char::is_whitespace) {
                continue;
            }
            // `crates/*/tests` is there if `crates/` is; a path may end in a line or an item.
            let path = code.split(['*', '<', '{']).next().unwrap_or_default();
            let path = path.split(':').next().unwrap_or_default();
            assert!(Path::exists(&root().join(path)), "{name}: there is no {code}");
            paths += 1;
        }
    }
    assert!(links > 3 && paths > 10, "links and paths are not found any more: {links}, {paths}");
}
