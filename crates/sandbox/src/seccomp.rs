//! The list of system calls an app may make: a text file for each architecture, read strictly.
//!
//! A line is one of
//! - `allow NAME`, or `allow NAME if CONDITION and CONDITION ...`; several such lines of one name are alternatives;
//! - `errno CODE NAME`: the call fails with that code, for calls that libraries try and can do without;
//! - `deny NAME`: said aloud, though every call that is not listed ends the process with SIGSYS anyway.
//!
//! A condition is `argN:BITS == VALUE` or `argN:BITS & MASK == VALUE`, BITS being how much of the register the kernel looks at.
//!
//! **Invariants:** a name is decided by one word only; an unknown name, word or number refuses the whole list.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use seccompiler::{BpfProgram, TargetArch};

/// The list for x86_64.
pub const X86_64: &str = include_str!("../seccomp/x86_64.policy");
/// The list for aarch64.
pub const AARCH64: &str = include_str!("../seccomp/aarch64.policy");

/// Why a list is refused.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// A line that means nothing.
    #[error("line {0} of the list of system calls cannot be read")]
    Line(usize),
    /// A name that two words, or a condition and its absence, decide.
    #[error("line {line} of the list of system calls decides {name} once more")]
    Twice {
        /// Which line.
        line: usize,
        /// Which call.
        name: String,
    },
    /// A code [`Policy`] does not know.
    #[error("line {0} of the list of system calls has an unknown error code")]
    Code(usize),
    /// A name the architecture has not, or too long a list.
    #[error("the list of system calls cannot be compiled")]
    Compile(#[source] Box<seccompiler::Error>),
    /// The compiler gave no program.
    #[error("the list of system calls has no program")]
    Empty,
    /// No list for this architecture.
    #[error("there is no list of system calls for this architecture")]
    Architecture,
}

/// How much of an argument is compared, how, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// Which argument, 0 to 5.
    pub argument: u8,
    /// All 64 bits, or the lower 32.
    pub wide: bool,
    /// Only these bits; `None` means all.
    pub mask: Option<u64>,
    /// They must be this.
    pub value: u64,
}

/// What is decided for one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Always allowed.
    Allow,
    /// Allowed if every condition of one of these holds.
    AllowIf(Vec<Vec<Condition>>),
    /// Fails with this code.
    Errno(i32),
    /// Ends the process.
    Deny,
}

/// A list that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What was decided, by name.
    pub rules: BTreeMap<String, Rule>,
}

impl Policy {
    /// Reads a list.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut rules = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let words = line.split('#').next().unwrap_or_default().split_whitespace().collect::<Vec<_>>();
            let (name, rule) = match words.as_slice() {
                [] => continue,
                ["allow", name] => (*name, Rule::Allow),
                ["allow", name, "if", rest @ ..] => {
                    let conditions =
                        rest.split(|word| *word == "and").map(condition).collect::<Option<Vec<_>>>();
                    (*name, Rule::AllowIf(vec![conditions.ok_or(PolicyError::Line(number))?]))
                }
                ["errno", code, name] => {
                    (*name, Rule::Errno(code_of(code).ok_or(PolicyError::Code(number))?))
                }
                ["deny", name] => (*name, Rule::Deny),
                _ => return Err(PolicyError::Line(number)),
            };
            if !name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')) {
                return Err(PolicyError::Line(number));
            }
            match (rules.get_mut(name), rule) {
                (None, rule) => drop(rules.insert(name.to_owned(), rule)),
                (Some(Rule::AllowIf(old)), Rule::AllowIf(new)) => old.extend(new),
                _ => return Err(PolicyError::Twice { line: number, name: name.to_owned() }),
            }
        }
        Ok(Self { rules })
    }

    /// Compiles it.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn compile(&self, architecture: TargetArch) -> Result<Filter, PolicyError> {
        let mut allowed = Vec::new();
        let mut denied = Vec::new();
        let mut failing: BTreeMap<i32, Vec<String>> = BTreeMap::new();
        for (name, rule) in &self.rules {
            let always = format!(r#"{{"syscall":"{name}"}}"#);
            match rule {
                Rule::Allow => allowed.push(always),
                Rule::AllowIf(alternatives) => {
                    allowed.extend(alternatives.iter().map(|conditions| conditional(name, conditions)));
                }
                // The kernel takes the strictest answer of all filters, and an error is stricter than `allow`.
                Rule::Errno(code) => {
                    allowed.push(always.clone());
                    failing.entry(*code).or_default().push(always);
                }
                Rule::Deny => denied.push(always),
            }
        }
        // Compiled only so that a misspelt name is found.
        compile("\"kill_process\"", "\"trap\"", &denied, architecture)?;
        let mut programs = vec![compile("\"kill_process\"", "\"allow\"", &allowed, architecture)?];
        for (code, names) in failing {
            programs.push(compile("\"allow\"", &format!(r#"{{"errno":{code}}}"#), &names, architecture)?);
        }
        // What is installed last is asked first; `seccomp` itself is not on the list, so that the one which ends the process
        // for it must be installed last.
        programs.reverse();
        Ok(Filter { programs })
    }
}

/// A compiled list.
#[derive(Debug, Clone)]
pub struct Filter {
    programs: Vec<BpfProgram>,
}

impl Filter {
    /// The list of the architecture this runs on.
    ///
    /// # Errors
    /// See [`PolicyError`]; a test holds that there is none.
    pub fn native() -> Result<Self, PolicyError> {
        let (text, architecture) = match std::env::consts::ARCH {
            "x86_64" => (X86_64, TargetArch::x86_64),
            "aarch64" => (AARCH64, TargetArch::aarch64),
            _ => return Err(PolicyError::Architecture),
        };
        Policy::parse(text)?.compile(architecture)
    }

    /// The programs, in the order of their installation.
    pub fn programs(&self) -> &[BpfProgram] {
        &self.programs
    }
}

/// `arg2:32 & 0x4 == 0`
fn condition(words: &[&str]) -> Option<Condition> {
    let (argument, mask, value) = match words {
        [argument, "==", value] => (argument, None, value),
        [argument, "&", mask, "==", value] => (argument, Some(integer(mask)?), value),
        _ => return None,
    };
    let (argument, bits) = argument.strip_prefix("arg")?.split_once(':')?;
    let wide = match bits {
        "32" => false,
        "64" => true,
        _ => return None,
    };
    let argument = argument.parse().ok().filter(|argument| *argument < 6)?;
    Some(Condition { argument, wide, mask, value: integer(value)? })
}

fn integer(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The same on every Linux.
fn code_of(name: &str) -> Option<i32> {
    match name {
        "EPERM" => Some(1),
        "EACCES" => Some(13),
        "ENOSYS" => Some(38),
        _ => None,
    }
}

fn conditional(name: &str, conditions: &[Condition]) -> String {
    let mut text = format!(r#"{{"syscall":"{name}","args":["#);
    for (index, condition) in conditions.iter().enumerate() {
        let Condition { argument, wide, mask, value } = condition;
        let comma = if index > 0 { "," } else { "" };
        let size = if *wide { "qword" } else { "dword" };
        let operation = mask.map_or_else(|| "\"eq\"".into(), |mask| format!(r#"{{"masked_eq":{mask}}}"#));
        // Writing to a string cannot fail.
        let _ =
            write!(text, r#"{comma}{{"index":{argument},"type":"{size}","op":{operation},"val":{value}}}"#);
    }
    text + "]}"
}

/// seccompiler knows the names of calls only through its JSON form.
fn compile(
    mismatch: &str,
    matched: &str,
    rules: &[String],
    architecture: TargetArch,
) -> Result<BpfProgram, PolicyError> {
    let rules = rules.join(",");
    let text =
        format!(r#"{{"app":{{"mismatch_action":{mismatch},"match_action":{matched},"filter":[{rules}]}}}}"#);
    let programs = seccompiler::compile_from_json(text.as_bytes(), architecture);
    let mut programs = programs.map_err(|error| PolicyError::Compile(Box::new(error)))?;
    programs.remove("app").ok_or(PolicyError::Empty)
}
