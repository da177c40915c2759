//! QEMU's machine protocol: pictures of the screen, a finger on it, and the switch. One JSON object a line; events
//! in between are skipped. A socket serves one client at a time.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::screen::Screen;

/// Largest value of QEMU's absolute axes (`INPUT_EVENT_ABS_MAX`).
const AXIS: u32 = 0x7fff;
const TIMEOUT: Duration = Duration::from_secs(20);
/// How long a tap rests on the screen.
const TAP: Duration = Duration::from_millis(80);
/// Between two places of a finger that is drawn across the screen.
const STEP: Duration = Duration::from_millis(30);

/// A connection to a running machine.
pub struct Qmp {
    stream: BufReader<UnixStream>,
}

impl Qmp {
    /// Connects and leaves the greeting behind.
    pub fn connect(socket: &Path) -> Result<Self> {
        let stream =
            UnixStream::connect(socket).with_context(|| format!("connecting to {}", socket.display()))?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        let mut qmp = Self { stream: BufReader::new(stream) };
        let greeting = qmp.read().context("no greeting: another client holds the socket")?;
        ensure!(greeting.get("QMP").is_some(), "this is no QMP socket");
        qmp.command("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    /// Sends a command and returns what it answers.
    pub fn command(&mut self, name: &str, arguments: &Value) -> Result<Value> {
        let mut line = serde_json::to_vec(&json!({ "execute": name, "arguments": arguments }))?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line).with_context(|| format!("sending {name}"))?;
        loop {
            let mut answer = self.read().with_context(|| format!("waiting for the answer to {name}"))?;
            if let Some(result) = answer.get_mut("return") {
                return Ok(result.take());
            }
            if let Some(error) = answer.get("error") {
                bail!("QEMU refused {name}: {error}");
            }
        }
    }

    fn read(&mut self) -> Result<Value> {
        let mut line = String::new();
        ensure!(self.stream.read_line(&mut line)? > 0, "QEMU closed the connection");
        Ok(serde_json::from_str(&line)?)
    }

    /// Writes what the screen shows to a PNG file.
    pub fn shot(&mut self, file: &Path) -> Result<()> {
        let file = std::path::absolute(file)?;
        self.command("screendump", &json!({ "filename": file, "format": "png" })).map(drop)
    }

    /// What the screen shows.
    pub fn screen(&mut self) -> Result<Screen> {
        let file = tempfile::NamedTempFile::new()?;
        let mut tries = 0;
        loop {
            self.command("screendump", &json!({ "filename": file.path(), "format": "ppm" }))?;
            match Screen::parse(&std::fs::read(file.path())?) {
                // The guest changed the mode while QEMU was writing.
                Err(_) if tries < 10 => tries += 1,
                screen => return screen,
            }
            sleep(TAP);
        }
    }

    /// Puts a finger on the pixel `x`, `y` and takes it away.
    pub fn tap(&mut self, x: u32, y: u32) -> Result<()> {
        self.press(x, y)?;
        sleep(TAP);
        self.release()
    }

    /// Puts a finger on the screen.
    pub fn press(&mut self, x: u32, y: u32) -> Result<()> {
        let at = |pixel: u32| (pixel * AXIS) / super::SCREEN;
        self.touch(&[
            finger("begin", 1, "x", 0),
            json!({ "type": "btn", "data": { "button": "touch", "down": true } }),
            finger("data", 1, "x", at(x)),
            finger("data", 1, "y", at(y)),
        ])
    }

    /// Moves the finger that is on the screen.
    pub fn drag(&mut self, x: u32, y: u32) -> Result<()> {
        let at = |pixel: u32| (pixel * AXIS) / super::SCREEN;
        self.touch(&[
            finger("update", 1, "x", 0),
            finger("data", 1, "x", at(x)),
            finger("data", 1, "y", at(y)),
        ])
    }

    /// Draws a finger from one point to another in `steps`, some milliseconds apart.
    pub fn swipe(&mut self, from: (u32, u32), to: (u32, u32), steps: u32) -> Result<()> {
        self.press(from.0, from.1)?;
        for step in 1..=steps {
            sleep(STEP);
            let between = |a: u32, b: u32| (a * (steps - step) + b * step) / steps;
            self.drag(between(from.0, to.0), between(from.1, to.1))?;
        }
        sleep(STEP);
        self.release()
    }

    /// Takes the finger away.
    pub fn release(&mut self) -> Result<()> {
        self.touch(&[
            finger("end", -1, "x", 0),
            json!({ "type": "btn", "data": { "button": "touch", "down": false } }),
        ])
    }

    fn touch(&mut self, events: &[Value]) -> Result<()> {
        self.command("input-send-event", &json!({ "events": events })).map(drop)
    }

    /// Switches the machine off at once.
    pub fn quit(&mut self) -> Result<()> {
        self.command("quit", &json!({})).map(drop)
    }
}

fn finger(kind: &str, tracking_id: i32, axis: &str, value: u32) -> Value {
    let data = json!({ "type": kind, "slot": 0, "tracking-id": tracking_id, "axis": axis, "value": value });
    json!({ "type": "mtt", "data": data })
}
