//! How another process drives the world: one JSON object per line and direction over a unix socket.
//!
//! Invariant: a line is at most [`LINE_LIMIT`] bytes; every line gets exactly one [`Reply`].

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::event::Stamped;
use crate::fault::Fault;
use crate::modem::{Call, Mast, Registration};
use crate::sky::{Fix, LatLon, Walk};

/// A walk of a thousand points fits.
pub const LINE_LIMIT: usize = 128 * 1024;

/// What the world is told to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// Somebody calls the watch.
    Call {
        /// Left out: withheld.
        number: Option<String>,
    },
    /// The other end takes the call the watch dialled.
    Answer {},
    /// The other end hangs up.
    HangUp {
        /// Which; left out: all of them.
        number: Option<String>,
    },
    /// Somebody sends a text.
    Sms {
        /// A number or a short name.
        number: String,
        /// The text.
        text: String,
    },
    /// The watch is somewhere else.
    Move {
        /// Where.
        to: LatLon,
    },
    /// The watch walks.
    Walk {
        /// Which way.
        way: Walk,
    },
    /// The receiver gets or loses its fix.
    Fix {
        /// What it sees from now on.
        fix: Fix,
    },
    /// The modem finds or loses the network.
    Register {
        /// Where it stands from now on.
        registration: Registration,
    },
    /// The modem changes to another cell.
    Cell {
        /// Which.
        mast: Mast,
    },
    /// Something is wrong from now on.
    Begin {
        /// What.
        fault: Fault,
    },
    /// Something is right again.
    End {
        /// The name of what was wrong; left out: everything.
        fault: Option<String>,
    },
    /// How things stand.
    Status,
    /// What happened after event number `since`.
    Events {
        /// 0 for all.
        since: u64,
    },
}

/// What the world answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    /// It is done.
    Done,
    /// To [`Command::Status`].
    Status(Status),
    /// To [`Command::Events`].
    Events {
        /// In order.
        events: Vec<Stamped>,
    },
    /// It was not done.
    Error {
        /// Why.
        reason: String,
    },
}

/// How the world stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Something holds the modem's port open.
    pub linked: bool,
    /// Where the modem stands with the network.
    pub registration: Registration,
    /// What is wrong, oldest first.
    pub faults: Vec<Fault>,
    /// The calls the network holds.
    pub calls: Vec<Call>,
    /// Texts in the modem's store.
    pub stored_messages: usize,
    /// Where the watch is.
    pub position: LatLon,
    /// What its receiver sees.
    pub fix: Fix,
    /// A walk is under way.
    pub walking: bool,
    /// The number of the last event.
    pub last_event: u64,
}

/// Why the world did not do it.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Nothing listens there, or it stopped.
    #[error("cannot talk to the simulated world")]
    Io(#[from] io::Error),
    /// It answered something else.
    #[error("the answer is not understood")]
    Format(#[from] serde_json::Error),
    /// It refused.
    #[error("{0}")]
    Refused(String),
}

/// A connection to a world, for command lines and threads.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    /// Connects to the socket given to [`crate::World::serve_control`].
    pub fn connect(path: impl AsRef<Path>) -> Result<Self, ClientError> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.set_write_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends a command and waits for its reply, which is never [`Reply::Error`].
    pub fn send(&mut self, command: &Command) -> Result<Reply, ClientError> {
        let mut line = serde_json::to_vec(command)?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line)?;
        let mut answer = String::new();
        // The log is the longest answer there is.
        if self.stream.by_ref().take(64 * 1024 * 1024).read_line(&mut answer)? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        match serde_json::from_str(&answer)? {
            Reply::Error { reason } => Err(ClientError::Refused(reason)),
            reply => Ok(reply),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(line: &str) -> Command {
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn commands_read_as_the_documentation_writes_them() {
        assert_eq!(read(r#"{"do":"call"}"#), Command::Call { number: None });
        assert_eq!(read(r#"{"do":"hang-up"}"#), Command::HangUp { number: None });
        assert_eq!(read(r#"{"do":"begin","fault":"hung"}"#), Command::Begin { fault: Fault::Hung });
        assert_eq!(read(r#"{"do":"end"}"#), Command::End { fault: None });
        let to = LatLon::new(60.17, 24.94).unwrap();
        assert_eq!(read(r#"{"do":"move","to":{"lat":60.17,"lon":24.94}}"#), Command::Move { to });
        let way = Walk::new(vec![to], 1.4).unwrap();
        assert_eq!(
            read(r#"{"do":"walk","way":{"points":[{"lat":60.17,"lon":24.94}]}}"#),
            Command::Walk { way }
        );
        for wrong in [
            r#"{"do":"walk","way":{"points":[]}}"#,
            r#"{"do":"call","numer":"1"}"#,
            r#"{"do":"answer","number":"1"}"#,
            r#"{"do":"begin","fault":"hang"}"#,
        ] {
            assert!(serde_json::from_str::<Command>(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "\\PC{0,200}|\\{\"do\":\"[a-z]{0,8}\"[\\PC]{0,40}\\}") {
            let _ = serde_json::from_str::<Command>(&line);
        }
    }
}
