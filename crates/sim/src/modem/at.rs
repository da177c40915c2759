//! Command lines (ITU-T V.250, 5.2 to 5.4; 3GPP TS 27.007, 4).
//!
//! Invariant: lines come from outside; whatever they hold, the result is commands or an error.

use thiserror::Error;

/// Longer lines are refused; the longest ModemManager sends are `+CSIM` and `+CGDCONT` with under 200.
pub(crate) const LINE_LIMIT: usize = 512;
const COMMANDS_LIMIT: usize = 16;

/// Why a line is not a list of commands.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum LineError {
    #[error("more than {COMMANDS_LIMIT} commands in a line")]
    TooMany,
    #[error("no command starts with {0:?}")]
    Stray(char),
}

/// What is asked of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask<'a> {
    Run,
    Read,
    Test,
    Set(&'a str),
}

/// One command: `+CLCC`, `D`, `&C`, `S0`, always in capitals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command<'a> {
    pub(crate) name: String,
    pub(crate) ask: Ask<'a>,
}

/// The commands of a line after its `AT`.
pub(crate) fn commands(mut rest: &str) -> Result<Vec<Command<'_>>, LineError> {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', ';']);
        let Some(first) = rest.chars().next() else { return Ok(found) };
        if found.len() == COMMANDS_LIMIT {
            return Err(LineError::TooMany);
        }
        let (command, left) = match first {
            '+' | '*' | '^' | '$' | '%' => extended(rest),
            // The dial string takes the rest of the line, with its `;`.
            'D' | 'd' => (Command { name: "D".into(), ask: Ask::Set(after(rest, 1)) }, ""),
            _ => basic(rest).ok_or(LineError::Stray(first))?,
        };
        found.push(command);
        rest = left;
    }
}

fn after(text: &str, bytes: usize) -> &str {
    text.get(bytes..).unwrap_or_default()
}

/// `+NAME`, `+NAME?`, `+NAME=?`, `+NAME=values`, up to a `;` outside quotes.
fn extended(text: &str) -> (Command<'_>, &str) {
    let mut quoted = false;
    let end = text.find(|c| {
        quoted ^= c == '"';
        c == ';' && !quoted
    });
    let (body, left) = match end {
        Some(at) => (text.get(..at).unwrap_or(text), after(text, at + 1)),
        None => (text, ""),
    };
    let at = body.find(['=', '?']).unwrap_or(body.len());
    let (name, tail) = body.split_at(at);
    let ask = match tail {
        "" => Ask::Run,
        "?" => Ask::Read,
        "=?" => Ask::Test,
        _ => tail.strip_prefix('=').map_or(Ask::Read, Ask::Set),
    };
    (Command { name: name.trim().to_ascii_uppercase(), ask }, left)
}

/// `E0`, `&C1`, `H`, `S0=1`, `S0?`.
fn basic(text: &str) -> Option<(Command<'_>, &str)> {
    let letter = usize::from(text.starts_with('&'));
    if !text.as_bytes().get(letter)?.is_ascii_alphabetic() {
        return None;
    }
    let digits = |from: usize| {
        let rest = after(text, from);
        from + rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())
    };
    let mut name_end = letter + 1;
    let register = text.starts_with(['S', 's']);
    if register {
        name_end = digits(name_end);
    }
    let name = text.get(..name_end)?.to_ascii_uppercase();
    if register && after(text, name_end).starts_with('?') {
        return Some((Command { name, ask: Ask::Read }, after(text, name_end + 1)));
    }
    let value = if register && after(text, name_end).starts_with('=') { name_end + 1 } else { name_end };
    let end = digits(value);
    let ask = text.get(value..end).filter(|digits| !digits.is_empty()).map_or(Ask::Run, Ask::Set);
    Some((Command { name, ask }, after(text, end)))
}

/// The values of a command, without their quotes.
pub(crate) fn values(set: &str) -> Vec<&str> {
    let mut quoted = false;
    set.split(|c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
    .map(|value| value.trim().trim_matches('"'))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(line: &str) -> Command<'_> {
        let mut found = commands(line).unwrap();
        assert_eq!(found.len(), 1, "{line}");
        found.remove(0)
    }

    #[test]
    fn a_command_is_run_read_tested_or_set() {
        assert_eq!(one("+CLCC"), Command { name: "+CLCC".into(), ask: Ask::Run });
        assert_eq!(one("+creg?").ask, Ask::Read);
        assert_eq!(one("+CREG=?").ask, Ask::Test);
        assert_eq!(one("+CPMS=\"ME\",\"ME\"").ask, Ask::Set("\"ME\",\"ME\""));
        assert_eq!(one("&C1"), Command { name: "&C".into(), ask: Ask::Set("1") });
        assert_eq!(one("S0=2"), Command { name: "S0".into(), ask: Ask::Set("2") });
    }

    #[test]
    fn commands_in_one_line_are_taken_apart() {
        let names: Vec<_> =
            commands("E0V1+CMEE=1;+CLCK=\"a;b\",2;H").unwrap().into_iter().map(|c| c.name).collect();
        assert_eq!(names, ["E", "V", "+CMEE", "+CLCK", "H"]);
    }

    #[test]
    fn a_dial_string_keeps_its_semicolon() {
        assert_eq!(one("D+358401234567;").ask, Ask::Set("+358401234567;"));
    }

    #[test]
    fn values_may_hold_commas_inside_quotes() {
        assert_eq!(values("1,\"a,b\",,\"\""), ["1", "a,b", "", ""]);
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "\\PC{0,80}") {
            if let Ok(found) = commands(&line) {
                for command in found {
                    if let Ask::Set(set) = command.ask {
                        let _ = values(set);
                    }
                }
            }
        }
    }
}
