//! What goes into the core and what comes out of it.

use std::sync::Arc;

use daemon::Private;
use ipc::{Call, Contact, ModemState};
use lifeline::SimNumbers;
use policy::Rulebook;

use super::{CallBack, Log, Shown};

/// A call's object at the modem; it means nothing here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CallId(pub(crate) String);

/// Who waits for an answer on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(pub(crate) u64);

/// Who began a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Incoming,
    Outgoing,
}

/// How far the modem says a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// An outgoing call that was made and not started.
    Created,
    /// An outgoing call nobody has answered yet.
    Dialling,
    /// An incoming call.
    Ringing,
    /// An incoming call that waits because there is another.
    Waiting,
    /// Both can speak, or one of them holds.
    Active,
    /// It has ended.
    Over,
}

/// A call as the modem shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub(crate) id: CallId,
    pub(crate) direction: Direction,
    pub(crate) progress: Progress,
    /// The other side as the network wrote it; empty while unknown or withheld.
    pub(crate) number: Private<String>,
}

/// The rules in force.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// While sealed it holds the guardians of the last good store and nobody else.
    pub(crate) book: Arc<Rulebook>,
    /// There is no store that can be read.
    pub(crate) sealed: bool,
}

/// The modem and its SIM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModemView {
    pub(crate) state: ModemState,
    /// Empty without a SIM.
    pub(crate) imsi: Private<String>,
    pub(crate) sim_numbers: SimNumbers,
    /// ModemManager may take a caller for the one who rang before him (see `again`).
    pub(crate) joins_calls: bool,
}

impl ModemView {
    pub(crate) fn absent() -> Self {
        Self {
            state: ModemState::Absent,
            imsi: Private(String::new()),
            sim_numbers: SimNumbers::default(),
            joins_calls: false,
        }
    }
}

/// What the child's touch asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    /// This one, as the screen was told.
    Accept(u64),
    HangUp(u64),
    /// No more ring.
    Mute(u64),
    /// The missed calls up to this one were looked at.
    SawMissed(u64),
    /// A tone for the other side.
    Tone(u64, String),
    /// A contact's id.
    Dial(String),
    /// An emergency number, exactly as dialled.
    DialEmergency(Private<String>),
}

/// Why a request is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The call has not rung for two seconds.
    TooEarly,
    /// It is not what it should be.
    Malformed,
    /// There is no such call or contact.
    NotFound,
    /// Another call is in the way.
    Busy,
    /// The rules say no; the reason's name.
    Denied(&'static str),
    /// No modem, or no network for this call.
    NoNetwork,
    /// The modem did not do it.
    Failed,
}

/// Something happened.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// Other rules are in force.
    Rules(Rules),
    /// The modem came, changed, or (`Absent`) went with all its calls.
    Modem(ModemView),
    /// A call is new or changed.
    Seen(Sighting),
    /// The modem has forgotten a call.
    Gone(CallId),
    /// The screen asks.
    Request(Ticket, Request),
    /// What became of [`Effect::Accept`].
    Accepted(Ticket, bool),
    /// What became of [`Effect::Tone`].
    Toned(Ticket, bool),
    /// What became of [`Effect::Dial`].
    Dialled(Ticket, Option<CallId>),
    /// [`Effect::AskAgain`] did not work.
    NotAsked(CallId),
    /// [`Effect::HangUp`] did not work.
    HangUpFailed(CallId),
    /// What [`Effect::KeepLog`] kept, at the start.
    Log(Log),
    /// What [`Effect::KeepCallBack`] kept, after a restart of the daemon.
    CallBack(CallBack),
    /// The time of [`super::Core::deadline`] has come.
    Tick,
    /// The daemon ends.
    Stopping,
}

/// A line for the diary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) kind: &'static str,
    pub(crate) details: Vec<(&'static str, String)>,
}

/// What the screen can read at any time, besides the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Surroundings {
    pub(crate) contacts: Vec<Contact>,
    pub(crate) modem: ModemState,
    pub(crate) emergency_number: &'static str,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// End a call at the modem.
    HangUp(CallId),
    /// Take a call; tell [`Event::Accepted`].
    Accept(Ticket, CallId),
    /// Have ModemManager forget a call that rings, so that it tells anew who calls; tell [`Event::NotAsked`] if it did not.
    AskAgain(CallId),
    /// Send a tone into a call; tell [`Event::Toned`].
    Tone(Ticket, CallId, char),
    /// Call a number; tell [`Event::Dialled`].
    Dial(Ticket, Private<String>),
    /// The modem may forget a call that is over.
    Forget(CallId),
    /// End whatever call the modem still holds, before anything else is dialled.
    CloseLine,
    /// Begin to ring, or fall silent.
    Ring(bool),
    /// Both can speak, or not any more: the audio path.
    Audio(bool),
    /// Another call is on the screen, or none.
    Show(Call),
    /// Contacts, modem or emergency number are others now.
    Changed(Surroundings),
    /// Answer a request.
    Answer(Ticket, Result<(), Refused>),
    /// Keep this for a restart of the daemon, not of the watch.
    KeepCallBack(CallBack),
    /// Keep the list of calls.
    KeepLog(Log),
    /// The screen can read another list of calls.
    LogChanged(Shown),
    /// Help is called: where the watch is counts now.
    Locate,
    /// Tell the diary.
    Record(Line),
}
