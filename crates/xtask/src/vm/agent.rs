//! The developer's agent inside the development image, over its virtio port: a JSON object a line, an answer for
//! every question, in order. What is asked and answered is crate `nestling-agent`'s `protocol`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A connection to the agent. QEMU holds what is sent until the agent opens its port.
pub struct Agent {
    stream: BufReader<UnixStream>,
}

impl Agent {
    pub(super) fn connect(socket: &Path) -> Result<Self> {
        let stream =
            UnixStream::connect(socket).with_context(|| format!("connecting to {}", socket.display()))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Asks, and waits for the answer for so long. After an error the connection is of no use any more.
    pub fn ask<Q: Serialize, A: DeserializeOwned>(&mut self, question: &Q, patience: Duration) -> Result<A> {
        let mut line = serde_json::to_vec(question)?;
        line.push(b'\n');
        let stream = self.stream.get_mut();
        stream.set_write_timeout(Some(patience))?;
        stream.set_read_timeout(Some(patience))?;
        stream.write_all(&line).context("the agent does not listen")?;
        let mut answer = String::new();
        ensure!(self.stream.read_line(&mut answer).context("the agent does not answer")? > 0, "QEMU is gone");
        serde_json::from_str(&answer).with_context(|| format!("the agent answered {answer}"))
    }
}
