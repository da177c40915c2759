//! `send`: orders to the watch, and what it says.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::enrol;
use crate::arguments::Send;
use crate::error::{Error, Result};
use crate::family::{Family, Letter, State, read_envelope};

/// How long the watch may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longest line of the agent, bytes.
const MAX_LINE: u64 = 1024 * 1024;

/// The agent's request for `Policy1.Submit`: a part of its protocol, which lives with the bus and is not pulled in here.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Request<'a> {
    Submit(&'a str),
}

/// Its answers to that.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Reply {
    Revision(u64),
    Refused { name: String, text: String },
}

pub(crate) fn run(family: &Family, send: &Send) -> Result<()> {
    let locked = family.lock()?;
    let letters = letters(family, &send.files)?;
    if letters.is_empty() {
        println!("Nothing waits.");
    }
    let mut agent = send.agent.as_deref().map(Agent::connect).transpose()?;
    let ours = family.path("sent");
    for letter in letters {
        let envelope = read_envelope(&letter.path)?;
        let file = letter.path.display().to_string();
        if !send.taken
            && let Some(guardian) = enrol::waits_for(&envelope)
        {
            println!("{file}: not sent: it waits for {guardian}'s signature");
            continue;
        }
        let text = String::from_utf8_lossy(&envelope.to_bytes()).into_owned();
        let settle = |state| {
            let ours = letter.path.parent() == Some(ours.as_path());
            if ours { locked.settle(&letter, state) } else { Ok(()) }
        };
        match &mut agent {
            None if send.taken => settle(State::Taken)?,
            None => println!("{text}"),
            Some(agent) => match agent.submit(&text)? {
                Reply::Revision(revision) => {
                    settle(State::Taken)?;
                    println!("{file}: taken, the watch's order number {revision}");
                }
                Reply::Refused { name, text } => {
                    let (for_good, advice) = advice(&name);
                    if for_good {
                        settle(State::Refused)?;
                    }
                    return Err(Error::Refused { file, name, text, advice });
                }
            },
        }
    }
    Ok(())
}

/// The files named, or all orders that wait.
fn letters(family: &Family, files: &[std::path::PathBuf]) -> Result<Vec<Letter>> {
    let ours = family.letters()?;
    if files.is_empty() {
        return Ok(ours.into_iter().filter(|letter| letter.state == State::Waiting).collect());
    }
    let named = |file: &std::path::PathBuf| {
        let path = std::fs::canonicalize(file).map_err(Error::file(file))?;
        let same = |letter: &&Letter| std::fs::canonicalize(&letter.path).is_ok_and(|ours| ours == path);
        let known = ours.iter().find(same).cloned();
        Ok(known.unwrap_or(Letter { path: file.clone(), name: String::new(), state: State::Waiting }))
    };
    files.iter().map(named).collect()
}

/// What a refusal means, by its name on the bus, and whether this order is of no use any more.
fn advice(name: &str) -> (bool, &'static str) {
    match name {
        "StaleBase" => (
            true,
            "Another guardian changed the rules since yours were made, and nothing of that is lost. Ask for the \
             newest base.json, `edit --from` it, make your change again, `sign policy`, `send`.",
        ),
        "Replayed" => (
            true,
            "The watch has an order of this key that is as new. If it is this very one, say `send --taken FILE`; \
             otherwise sign again.",
        ),
        "Enrolment" => {
            (true, "See its words above. Where they are of the code: open a new one, and `enrol` again.")
        }
        "WrongWatch" => {
            (true, "The order is for another watch. Look at its id on the screen, and `enrol` with that.")
        }
        "BadSignature" => (
            true,
            "The watch does not know this key. Was it enrolled here, or taken away by another guardian?",
        ),
        "RoleForbids" => (true, "Only main may order this, or everybody only for himself."),
        "Malformed" => {
            (true, "The watch does not understand it, or a value is out of bounds: see its words above.")
        }
        "Unsupported" => (true, "This watch cannot do that. The order is not sent again."),
        "NotFound" => (true, "What the order is about is not there, or not any more."),
        "Sealed" => (false, "The watch found its storage changed and takes no orders. The order waits."),
        "Busy" => (false, "The watch was asked too often. The order waits: `send` again in a minute."),
        _ => (false, "The order waits: `send` again."),
    }
}

/// A line of JSON for each question, and one for each answer.
struct Agent<'a> {
    socket: &'a Path,
    stream: BufReader<UnixStream>,
}

impl<'a> Agent<'a> {
    fn connect(socket: &'a Path) -> Result<Self> {
        let connected = UnixStream::connect(socket).and_then(|stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Ok(BufReader::new(stream))
        });
        let stream = connected.map_err(|source| Error::NoAnswer { socket: socket.to_owned(), source })?;
        Ok(Self { socket, stream })
    }

    fn submit(&mut self, envelope: &str) -> Result<Reply> {
        let socket = self.socket.to_owned();
        self.ask(envelope).map_err(|source| Error::NoAnswer { socket, source })
    }

    fn ask(&mut self, envelope: &str) -> io::Result<Reply> {
        let mut line = serde_json::to_vec(&Request::Submit(envelope))?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line)?;
        let mut answer = Vec::new();
        (&mut self.stream).take(MAX_LINE).read_until(b'\n', &mut answer)?;
        Ok(serde_json::from_slice(&answer)?)
    }
}
