//! `sim`: plays the world around the watch that `run` started: the network by the simulator's control socket, the
//! finger and the camera by QEMU's second one.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use sim::control::ClientError;
use sim::{Client, Command, LatLon, Scenario, Walk};

use crate::paths;
use crate::run::{NAME, SIM_SOCKET};
use crate::vm::SCREEN;
use crate::vm::qemu::socket;
use crate::vm::qmp::Qmp;

/// What happens in the world.
#[derive(Debug, Subcommand)]
pub enum Sim {
    /// Somebody calls the watch; without a number, withheld
    Call {
        /// As the network tells it, such as +358401234567
        number: Option<String>,
    },
    /// The other end takes the call the watch dialled
    Answer,
    /// The other end hangs up
    HangUp,
    /// Somebody sends a text
    Sms {
        /// A number or a short name
        number: String,
        /// The text
        text: String,
    },
    /// The watch is somewhere else at once
    Move {
        /// Degrees north
        #[arg(allow_negative_numbers = true)]
        lat: f64,
        /// Degrees east
        #[arg(allow_negative_numbers = true)]
        lon: f64,
    },
    /// The watch walks along the points of a file, each a line with its latitude and longitude
    Walk {
        /// The file
        file: PathBuf,
    },
    /// Plays a scenario, such as those in crates/sim/scenarios
    Play {
        /// The file
        file: PathBuf,
    },
    /// How the world stands
    Status,
    /// A finger taps the screen
    Tap {
        /// Pixels from the left
        x: u32,
        /// Pixels from the top
        y: u32,
    },
    /// Takes a picture of the screen
    Shot {
        /// A PNG file
        file: PathBuf,
    },
}

impl Sim {
    /// Does it, and prints what there is to say.
    pub fn run(self) -> Result<()> {
        let command = match self {
            Self::Tap { x, y } => {
                ensure!(x < SCREEN && y < SCREEN, "the screen has {SCREEN} by {SCREEN} pixels");
                return qmp()?.tap(x, y);
            }
            Self::Shot { file } => return qmp()?.shot(&file),
            Self::Call { number } => Command::Call { number },
            Self::Answer => Command::Answer {},
            Self::HangUp => Command::HangUp { number: None },
            Self::Sms { number, text } => Command::Sms { number, text },
            Self::Move { lat, lon } => Command::Move { to: LatLon::new(lat, lon)? },
            Self::Walk { file } => {
                let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
                Command::Walk { way: Walk::parse(&text)? }
            }
            Self::Play { file } => return play(&file),
            Self::Status => Command::Status,
        };
        let mut world = world()?;
        match world.send(&command)? {
            sim::Reply::Status(status) => println!("{}", serde_json::to_string_pretty(&status)?),
            _ => println!("done"),
        }
        Ok(())
    }
}

fn world() -> Result<Client> {
    let socket = paths::vm(NAME).join(SIM_SOCKET);
    Client::connect(&socket).context("no watch runs: start one with `./nestling run`")
}

/// Plays a scenario to its end. A step the world refuses is said and passed over: the watch may have been faster, and
/// ended a call before the other end did.
fn play(file: &Path) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let scenario = Scenario::parse(&text).with_context(|| file.display().to_string())?;
    let mut world = world()?;
    println!("{}", scenario.title);
    scenario.play(std::thread::sleep, |step| {
        let said = match world.send(&step.command) {
            Ok(_) => "done".to_owned(),
            Err(ClientError::Refused(reason)) => format!("refused: {reason}"),
            Err(error) => return Err(error),
        };
        let command = serde_json::to_string(&step.command)?;
        println!("{:8.1} s  {command}: {said}", step.at.as_secs_f64());
        Ok(())
    })?;
    Ok(())
}

fn qmp() -> Result<Qmp> {
    Qmp::connect(&paths::vm(NAME).join(socket::QMP_SIM))
        .context("no watch runs: start one with `./nestling run`")
}
