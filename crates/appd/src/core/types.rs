//! What goes into the core and what comes out of it.

use std::sync::Arc;

use ipc::{App, AppSession};
use launch::{AppId, AppInfo, End, Refusal};
use policy::Rulebook;

/// Something happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// Other rules are in force, or none.
    Rules(Option<Arc<Rulebook>>),
    /// policyd came or went.
    Policyd(bool),
    /// The screen came or went. What went has lost every place on it.
    Shell(bool),
    /// The child's touch on an app: an id, as the screen sent it.
    Open(String),
    /// A run is not on the screen any more.
    Hide(u64),
    /// It is there again.
    Show(u64),
    /// The screen ends a run, with its reason.
    End(u64, String),
    /// What became of [`Effect::Attach`].
    Attached(u64, bool),
    /// From the launcher.
    Launcher(Launched),
    /// The time of [`super::Core::deadline`] has come.
    Tick,
    /// The daemon ends.
    Stopping,
}

/// What the launcher tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launched {
    /// A connection stands, and nothing runs on it; or it read the catalogue once more.
    Catalogue(Vec<AppInfo>),
    /// The connection is gone, and with it everything that ran.
    Gone,
    /// To [`Effect::Start`]: it runs.
    Started(u64),
    /// To [`Effect::Start`]: it does not.
    NotStarted(u64, Refusal),
    /// To [`Effect::Freeze`] or [`Effect::Thaw`]: it could not be done.
    NotDone(u64, Refusal),
    /// To [`Effect::End`]: there is nothing to end.
    NothingToEnd(u64),
    /// A run is over.
    Ended(u64, End),
}

/// Why a request of the screen is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The text is no app's id, or no reason of the screen's.
    Malformed,
    /// There is no such run.
    NotFound,
}

/// A line for the diary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What happened.
    pub kind: &'static str,
    /// Named details.
    pub details: Vec<(&'static str, String)>,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask the screen for a place; tell [`Event::Attached`].
    Attach(u64),
    /// The screen may take the place away.
    Detach(u64),
    /// Ask the launcher for the catalogue.
    List,
    /// Ask the launcher to start an app, with the place that was attached for this run.
    Start(u64, AppId),
    /// Ask it to let an app stand still.
    Freeze(u64),
    /// Ask it to let an app go on.
    Thaw(u64),
    /// Ask it to end an app.
    End(u64),
    /// It does not do what it should: drop the connection, which ends everything on it.
    DropLauncher,
    /// The one app is another, or otherwise.
    Session(AppSession),
    /// The drawer is another.
    Apps(Vec<App>),
    /// Tell the diary.
    Record(Line),
    /// Tell the one who asked that the request is not taken.
    Refuse(Refused),
}
