//! The command line.

use std::path::PathBuf;

use anyhow::Result;
use clap::{ArgGroup, Args, Parser, Subcommand};
use orders::{BootKey, EnrolmentCode, KeyId, WatchId};

use crate::commands::{edit, enrol, new, recover, send, show, sign};
use crate::family::Family;

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "nestling-guardian",
    about = "A family's rules and orders for one watch, on a laptop",
    after_help = "Exit codes: 1 it was not done, 2 wrong command line, 3 the watch refused, 4 the watch did not answer"
)]
pub struct Arguments {
    /// The family's folder; one for each watch [default: nestling in $XDG_DATA_HOME or ~/.local/share]
    #[arg(long, global = true, value_name = "DIR")]
    family: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key, a recovery key for paper, and the first lines of your rules
    New(New),
    /// Sign the order that makes somebody a guardian; the watch shows its id and a code for ten minutes
    Enrol(Enrol),
    /// Say who you are, which rules are in force, and what became of your orders; or what is in an envelope
    Show {
        /// An order to look at
        envelope: Option<PathBuf>,
    },
    /// Open policy.toml in $VISUAL or $EDITOR and check it
    Edit {
        /// First take the rules of an order another guardian gave you; your comments are kept
        #[arg(long, value_name = "ENVELOPE")]
        from: Option<PathBuf>,
    },
    /// Sign an order; it waits in the folder `sent` until `send`
    #[command(subcommand)]
    Sign(Sign),
    /// Bring orders to the watch, all that wait or these
    Send(Send),
    /// Make a new key after the old one was lost or stolen, with the recovery key on your paper
    Recover(Recover),
}

/// `new`
#[derive(Debug, Args)]
pub(crate) struct New {
    /// You, as your contact's id: 1 to 32 of a-z, 0-9 and -
    #[arg(value_parser = guardian)]
    pub(crate) guardian: String,
    /// Your number, such as "+358 40 555 0001"
    #[arg(long)]
    pub(crate) number: Option<String>,
    /// A further laptop of somebody who has a paper already
    #[arg(long)]
    pub(crate) no_paper: bool,
}

/// `enrol`
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("whom").required(true))]
pub(crate) struct Enrol {
    /// Yourself, the first guardian of this watch
    #[arg(long, group = "whom", value_name = "ID", value_parser = watch, requires = "code")]
    pub(crate) watch: Option<WatchId>,
    /// Somebody else, or another laptop of yours, by the public.toml from there
    #[arg(long, group = "whom", value_name = "FILE", requires = "code")]
    pub(crate) guardian: Option<PathBuf>,
    /// Yourself, by the order that main made of your public.toml
    #[arg(long, group = "whom", value_name = "FILE", conflicts_with = "code")]
    pub(crate) order: Option<PathBuf>,
    /// The 20 digits on the watch's screen
    #[arg(long, value_parser = code)]
    pub(crate) code: Option<EnrolmentCode>,
}

/// `recover`
#[derive(Debug, Args)]
pub(crate) struct Recover {
    /// You, as your contact's id
    #[arg(value_parser = guardian)]
    pub(crate) guardian: String,
    /// The watch's id
    #[arg(long, value_name = "ID", value_parser = watch)]
    pub(crate) watch: WatchId,
    /// The 20 digits on the watch's screen
    #[arg(long, value_parser = code)]
    pub(crate) code: EnrolmentCode,
    /// What you are on this watch
    #[arg(long, default_value = "main", value_parser = ["main", "guardian"])]
    pub(crate) role: String,
}

/// `send`
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("how").required(true))]
pub(crate) struct Send {
    /// Which orders [default: all that wait]
    pub(crate) files: Vec<PathBuf>,
    /// The UNIX socket of a development watch's agent
    #[arg(long, group = "how", value_name = "SOCKET")]
    pub(crate) agent: Option<PathBuf>,
    /// Print them, one a line, for another carrier
    #[arg(long, group = "how")]
    pub(crate) print: bool,
    /// Another carrier brought these, and the watch took them
    #[arg(long, group = "how", requires = "files")]
    pub(crate) taken: bool,
}

/// `sign`
#[derive(Debug, Subcommand)]
pub(crate) enum Sign {
    /// The rules in policy.toml
    Policy,
    /// Nothing but calls and SOS
    Pause {
        #[command(flatten)]
        until: Until,
    },
    /// End a pause
    Resume,
    /// Give an app, beside the rules
    Grant {
        /// The app's id
        #[arg(value_parser = id)]
        app: String,
        #[command(flatten)]
        until: Until,
    },
    /// Give more time for apps
    GrantTime {
        /// 1 to 240
        #[arg(value_parser = clap::value_parser!(u16).range(1..=240))]
        minutes: u16,
        /// For apps of this category alone
        #[arg(long, value_parser = id)]
        category: Option<String>,
        /// When what is left of it is gone
        #[arg(long, value_name = "TIME")]
        until: String,
    },
    /// Take an app away, whatever the rules say, until it is granted again
    Revoke {
        /// The app's id
        #[arg(value_parser = id)]
        app: String,
    },
    /// Answer what your child asked for
    Answer {
        /// The request's number
        request: u64,
        /// Yes or no
        #[arg(value_parser = ["yes", "no"])]
        answer: String,
        #[command(flatten)]
        until: Until,
    },
    /// The watch is lost, or found again
    Lost {
        /// On or off
        #[arg(value_parser = ["on", "off"])]
        state: String,
    },
    /// Ask where the watch is; your child sees that you did
    Locate,
    /// Make the watch ring so that it is found
    Ring,
    /// Take a guardian away, or one of his keys
    Retire {
        /// Whose
        #[arg(value_parser = guardian)]
        guardian: String,
        /// Only this key
        #[arg(long, value_parser = key)]
        key: Option<KeyId>,
        /// Who is main from now on, when main leaves
        #[arg(long, value_parser = guardian)]
        heir: Option<String>,
    },
    /// Ask for all data of the watch
    Export,
    /// Erase the watch
    Wipe,
    /// Erase the watch, and let it start what you signed yourself
    Unlock {
        /// SHA-256 of your boot key, 64 hex digits
        #[arg(value_parser = boot_key)]
        boot_key: BootKey,
    },
}

/// An end.
#[derive(Debug, Args)]
pub(crate) struct Until {
    /// Until when, in the family's time zone, such as 18:00 or 2026-12-24T18:00; without it, until another order
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
}

fn id(text: &str) -> Result<String, &'static str> {
    if policy::is_id(text) { Ok(text.to_owned()) } else { Err("1 to 32 of a-z, 0-9 and -") }
}

fn guardian(text: &str) -> Result<String, &'static str> {
    if text == orders::WATCH { Err("the watch itself is no guardian") } else { id(text) }
}

fn watch(text: &str) -> Result<WatchId, &'static str> {
    WatchId::parse(text).ok_or("a watch's id is 32 hex digits")
}

fn key(text: &str) -> Result<KeyId, &'static str> {
    KeyId::parse(text).ok_or("a key's id is 32 hex digits")
}

fn boot_key(text: &str) -> Result<BootKey, &'static str> {
    BootKey::parse(text).ok_or("64 hex digits")
}

fn code(text: &str) -> Result<EnrolmentCode, &'static str> {
    EnrolmentCode::parse(text).ok_or("a code is 20 digits, with or without spaces")
}

impl Arguments {
    /// Does it.
    ///
    /// # Errors
    /// A [`crate::Error`], which says what to do.
    pub fn run(self) -> Result<()> {
        let family = Family::at(self.family)?;
        match self.command {
            Command::New(new) => new::run(&family, &new)?,
            Command::Enrol(enrol) => enrol::run(&family, &enrol)?,
            Command::Show { envelope } => show::run(&family, envelope.as_deref())?,
            Command::Edit { from } => edit::run(&family, from.as_deref())?,
            Command::Sign(sign) => sign::run(&family, sign)?,
            Command::Send(send) => send::run(&family, &send)?,
            Command::Recover(recover) => recover::run(&family, &recover)?,
        }
        Ok(())
    }
}
