//! Reads what `strace -f -y -xx` writes.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::Step;

/// What [`super::say`] begins its lines with.
pub(super) const SAID: &str = "power-cut says: ";

/// Calls that change files, and those that say where the next plain write goes. A `?` lets an architecture be
/// without the call.
pub(super) const CALLS: &str = "?open,?creat,openat,?openat2,lseek,write,pwrite64,writev,pwritev,pwritev2,\
    ftruncate,truncate,fallocate,fsync,fdatasync,?rename,?renameat,renameat2,?unlink,unlinkat,?mkdir,mkdirat,\
    ?rmdir,?link,linkat,?symlink,symlinkat,copy_file_range,sendfile,splice,mmap";

/// Follows a program's calls.
#[derive(Debug)]
pub(super) struct Parser {
    root: PathBuf,
    /// Where the next plain `write` of a descriptor goes. Its reads are not followed: who mixes both seeks.
    positions: HashMap<u32, u64>,
    /// Calls of threads that another's call interrupted in the log.
    unfinished: HashMap<String, String>,
}

/// A call that ended well.
struct Call<'a> {
    name: &'a str,
    arguments: Vec<&'a str>,
    result: u64,
}

type Parsed<T> = Result<T, &'static str>;

impl Parser {
    /// For files below `root`, a path without links.
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), positions: HashMap::new(), unfinished: HashMap::new() }
    }

    /// The step a line of the log is, if it is one; an error is the reason why the line is not understood.
    pub(super) fn line(&mut self, line: &str) -> Parsed<Option<Step>> {
        let (process, text) = line.split_once(' ').ok_or("no process")?;
        let mut text = text.trim_start().to_owned();
        if let Some(begun) = text.strip_suffix("<unfinished ...>") {
            self.unfinished.insert(process.to_owned(), begun.trim_end().to_owned());
            return Ok(None);
        }
        if text.starts_with("<... ") {
            let (_, rest) = text.split_once(" resumed>").ok_or("no end of a call")?;
            text = self.unfinished.remove(process).ok_or("no beginning of a call")? + rest;
        }
        // A signal, or the end of a process.
        if text.starts_with("---") || text.starts_with("+++") {
            return Ok(None);
        }
        match Call::parse(&text)? {
            Some(call) => self.step(&call),
            None => Ok(None),
        }
    }

    fn step(&mut self, call: &Call<'_>) -> Parsed<Option<Step>> {
        match call.name {
            "open" | "openat" | "creat" => self.open(call),
            "lseek" => {
                self.positions.insert(descriptor(call.argument(0)?)?, call.result);
                Ok(None)
            }
            "write" if descriptor(call.argument(0)?)? == 2 => {
                let text = String::from_utf8_lossy(&quoted(call.argument(1)?)?).into_owned();
                Ok(text.strip_prefix(SAID).map(|said| Step::Said(said.trim_end().to_owned())))
            }
            "write" | "pwrite64" => self.write(call),
            "fsync" | "fdatasync" => Ok(self.of_descriptor(call.argument(0)?)?.map(Step::Sync)),
            "ftruncate" => {
                let length = number(call.argument(1)?)?;
                Ok(self.of_descriptor(call.argument(0)?)?.map(|path| Step::Length { path, length }))
            }
            "rename" | "renameat" | "renameat2" => match self.named(call)?.as_slice() {
                [Some(from), Some(to)]
                    if call.arguments.last().is_none_or(|flags| !flags.contains("RENAME")) =>
                {
                    Ok(Some(Step::Rename { from: from.clone(), to: to.clone() }))
                }
                [None, None] => Ok(None),
                _ => Err("a rename that is not followed"),
            },
            "unlink" | "unlinkat" => Ok(self.named(call)?.first().cloned().flatten().map(Step::Remove)),
            "mmap" if !(call.argument(2)?.contains("PROT_WRITE") && call.argument(3)?.contains("SHARED")) => {
                Ok(None)
            }
            _ => self.nothing_of_ours(call),
        }
    }

    fn open(&mut self, call: &Call<'_>) -> Parsed<Option<Step>> {
        self.positions.insert(u32::try_from(call.result).map_err(|_| "no descriptor")?, 0);
        let Some(path) = self.named(call)?.first().cloned().flatten() else { return Ok(None) };
        let has =
            |flag| call.name == "creat" || call.arguments.iter().any(|argument| argument.contains(flag));
        let (create, truncate) = (has("O_CREAT"), has("O_TRUNC"));
        if call.name != "creat" && (has("O_APPEND") || has("O_TMPFILE")) {
            return Err("a way to open files that is not followed");
        }
        Ok((create || truncate).then_some(Step::Open { path, create, truncate }))
    }

    fn write(&mut self, call: &Call<'_>) -> Parsed<Option<Step>> {
        let at = if call.name == "pwrite64" {
            number(call.argument(3)?)?
        } else {
            let position = self.positions.entry(descriptor(call.argument(0)?)?).or_default();
            *position += call.result;
            *position - call.result
        };
        let Some(path) = self.of_descriptor(call.argument(0)?)? else { return Ok(None) };
        let mut bytes = quoted(call.argument(1)?)?;
        bytes.truncate(usize::try_from(call.result).map_err(|_| "no length")?);
        Ok(Some(Step::Write { path, at, bytes }))
    }

    /// For a call that is not followed: an error if it names something of ours.
    fn nothing_of_ours(&self, call: &Call<'_>) -> Parsed<Option<Step>> {
        let mut ours = self.named(call)?;
        for argument in &call.arguments {
            ours.push(self.of_descriptor(argument)?);
        }
        if ours.iter().any(Option::is_some) { Err("a call that is not followed") } else { Ok(None) }
    }

    /// The path a descriptor stands for, if it is one below the root that still has a name there.
    fn of_descriptor(&self, argument: &str) -> Parsed<Option<PathBuf>> {
        if argument.ends_with("(deleted)") {
            return Ok(None);
        }
        Ok(annotation(argument)?.and_then(|path| self.below(&path)))
    }

    /// The paths a call names in its arguments, in their order; `None` for those elsewhere.
    fn named(&self, call: &Call<'_>) -> Parsed<Vec<Option<PathBuf>>> {
        let (mut base, mut paths) = (PathBuf::new(), Vec::new());
        for argument in &call.arguments {
            if argument.starts_with('"') {
                let path = PathBuf::from(OsString::from_vec(quoted(argument)?));
                paths.push(self.below(&base.join(path)));
            } else if let Some(path) = annotation(argument)? {
                base = path;
            }
        }
        Ok(paths)
    }

    fn below(&self, path: &Path) -> Option<PathBuf> {
        path.strip_prefix(&self.root).ok().map(Path::to_owned)
    }
}

impl<'a> Call<'a> {
    /// With `-xx` every text is in hexadecimal, so commas, brackets and equals signs are the log's own. `None`
    /// for a call that failed, or never came back.
    fn parse(text: &'a str) -> Parsed<Option<Self>> {
        let (call, result) = text.rsplit_once(" = ").ok_or("no result")?;
        let (name, arguments) = call.trim_end().split_once('(').ok_or("no arguments")?;
        let arguments = arguments.strip_suffix(')').ok_or("no end of arguments")?;
        if result.starts_with('-') || result.starts_with('?') {
            return Ok(None);
        }
        let result = number(result.split(['<', ' ']).next().unwrap_or_default())?;
        Ok(Some(Self { name, arguments: arguments.split(", ").collect(), result }))
    }

    fn argument(&self, index: usize) -> Parsed<&'a str> {
        self.arguments.get(index).copied().ok_or("an argument is missing")
    }
}

fn number(text: &str) -> Parsed<u64> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| "no number")
}

fn descriptor(argument: &str) -> Parsed<u32> {
    argument.split('<').next().and_then(|text| text.parse().ok()).ok_or("no descriptor")
}

/// `3<\x2f\x74>` → `/t`
fn annotation(argument: &str) -> Parsed<Option<PathBuf>> {
    let Some((_, rest)) = argument.split_once('<') else { return Ok(None) };
    let (path, _) = rest.split_once('>').ok_or("no end of a path")?;
    Ok(Some(PathBuf::from(OsString::from_vec(hexadecimal(path)?))))
}

fn quoted(argument: &str) -> Parsed<Vec<u8>> {
    let text = argument.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    hexadecimal(text.ok_or("a text that is none, or was cut off")?)
}

fn hexadecimal(text: &str) -> Parsed<Vec<u8>> {
    text.split("\\x")
        .skip(1)
        .map(|digits| u8::from_str_radix(digits, 16).map_err(|_| "a byte that is none"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn hex(text: &str) -> String {
        text.bytes().fold(String::new(), |mut all, byte| {
            let _ = write!(all, "\\x{byte:02x}");
            all
        })
    }

    /// Texts stand plainly between bars here, flags between slashes.
    fn steps(lines: &[&str]) -> Parsed<Vec<Step>> {
        let mut parser = Parser::new(Path::new("/r"));
        let mut steps = Vec::new();
        for line in lines {
            let mut log = String::from("17 ");
            for (index, part) in line.split('|').enumerate() {
                log += &if index % 2 == 0 { part.to_owned() } else { hex(part) };
            }
            steps.extend(parser.line(&log)?);
        }
        Ok(steps)
    }

    #[test]
    fn a_file_written_whole_is_followed() {
        let found = steps(&[
            "openat(AT_FDCWD<|/|>, \"|/r/a/k.building|\", O_WRONLY/O_CREAT/O_EXCL, 0600) = 5<|/r/a/k.building|>",
            "write(5<|/r/a/k.building|>, \"|abc|\", 3) = 3",
            "write(5<|/r/a/k.building|>, \"|def|\", 3) = 2",
            "fsync(5<|/r/a/k.building|>)                 = 0",
            "rename(\"|/r/a/k.building|\", \"|/r/a/k|\") = 0",
            "fsync(6<|/r/a|>) = 0",
            "write(2<|pipe:[1]|>, \"|power-cut says: accepted 1\n|\", 27) = 27",
        ]);
        let building = PathBuf::from("a/k.building");
        let expected = [
            Step::Open { path: building.clone(), create: true, truncate: false },
            Step::Write { path: building.clone(), at: 0, bytes: b"abc".to_vec() },
            Step::Write { path: building.clone(), at: 3, bytes: b"de".to_vec() },
            Step::Sync(building.clone()),
            Step::Rename { from: building, to: "a/k".into() },
            Step::Sync("a".into()),
            Step::Said("accepted 1".into()),
        ];
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn what_is_elsewhere_failed_or_has_no_name_is_no_step() {
        let found = steps(&[
            "pwrite64(5<|/elsewhere|>, \"|abc|\", 3, 0) = 3",
            "pwrite64(5<|/r/a|>, \"|abc|\", 3, 0) = -1 ENOSPC (No space left on device) (INJECTED)",
            "pwrite64(5<|/r/a|>(deleted), \"|abc|\", 3, 0) = 3",
            "fsync(5<|/rest|>) = 0",
            "mmap(NULL, 4096, PROT_READ, MAP_SHARED, 5<|/r/a|>, 0) = 0x7f0000000000",
            "--- SIGCHLD {si_signo=SIGCHLD} ---",
            "+++ exited with 0 +++",
        ]);
        assert_eq!(found, Ok(vec![]));
    }

    #[test]
    fn what_is_not_followed_is_no_silence() {
        for line in [
            "fallocate(5<|/r/a|>, 0, 0, 4096) = 0",
            "writev(5<|/r/a|>, [{iov_base=\"|abc|\", iov_len=3}], 1) = 3",
            "mmap(NULL, 4096, PROT_READ/PROT_WRITE, MAP_SHARED, 5<|/r/a|>, 0) = 0x7f0000000000",
            "linkat(AT_FDCWD<|/r|>, \"|a|\", AT_FDCWD<|/r|>, \"|b|\", 0) = 0",
            "rename(\"|/elsewhere|\", \"|/r/a|\") = 0",
            "openat(AT_FDCWD<|/|>, \"|/r/a|\", O_WRONLY/O_APPEND) = 5<|/r/a|>",
            "pwrite64(5<|/r/a|>, \"|abc|\"..., 4096, 0) = 4096",
        ] {
            assert!(steps(&[line]).is_err(), "{line}");
        }
    }

    #[test]
    fn a_call_that_another_thread_interrupted_is_put_together() {
        let mut parser = Parser::new(Path::new("/r"));
        assert_eq!(parser.line(&format!("1 fsync(5<{}> <unfinished ...>", hex("/r/a"))), Ok(None));
        assert_eq!(parser.line("2 mmap(NULL, 1, PROT_READ, MAP_PRIVATE, -1, 0) = 0x7f00"), Ok(None));
        assert_eq!(parser.line("1 <... fsync resumed>) = 0"), Ok(Some(Step::Sync("a".into()))));
    }
}
