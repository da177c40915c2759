//! What goes over the port: one JSON object a line, a reply for every request, in order.

use ipc::{AppSession, Call, DiaryEntry, ModemState, PolicyState, Position};
use serde::{Deserialize, Serialize};

/// Longest line either way, bytes.
pub const MAX_LINE: usize = 1024 * 1024;

/// A daemon of ours, by the name of its unit without `nestling-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// policyd
    Policyd,
    /// telephonyd
    Telephonyd,
    /// locationd
    Locationd,
    /// the shell
    Shell,
    /// appd
    Appd,
    /// ModemManager, which is not ours
    ModemManager,
}

impl Unit {
    /// The unit's full name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Policyd => "nestling-policyd.service",
            Self::Telephonyd => "nestling-telephonyd.service",
            Self::Locationd => "nestling-locationd.service",
            Self::Shell => "nestling-shell.service",
            Self::Appd => "nestling-appd.service",
            Self::ModemManager => "ModemManager.service",
        }
    }
}

/// A file whose damage the watch has to survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Victim {
    /// The published policy store.
    PolicyStore,
    /// policyd's order log.
    OrderLog,
}

impl Victim {
    /// Where it lies.
    pub fn path(self) -> &'static str {
        match self {
            Self::PolicyStore => "/run/nestling/policy/policy.db",
            Self::OrderLog => "/var/lib/nestling/policy/orders.db",
        }
    }
}

/// What a developer asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// State, revision, watch id.
    Status,
    /// The code on the first-run screen.
    OpenEnrolment,
    /// An envelope for `Policy1.Submit`, as JSON text.
    Submit(String),
    /// The diary after a line.
    Diary {
        /// Number of the last line known.
        after: u64,
    },
    /// Main process id of a unit, 0 if it does not run.
    Pid(Unit),
    /// Sends a signal to a unit's main process.
    Kill {
        /// Whom.
        unit: Unit,
        /// Signal number, such as 9.
        signal: i32,
    },
    /// Overwrites a file with garbage, as root could.
    Damage(Victim),
    /// Calls an emergency number, as the screen's button does.
    DialEmergency(String),
    /// The calls ModemManager knows.
    Calls,
    /// The call telephonyd tells the screen.
    Call,
    /// Modem and position as our daemons tell them.
    World,
    /// The app appd tells the screen.
    App,
}

/// A call as ModemManager tells it (`org.freedesktop.ModemManager1.Call`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MmCall {
    /// `MMCallState`: 1 dialing, 2 ringing-out, 3 ringing-in, 4 active, 5 held, 6 waiting, 7 terminated.
    pub state: i32,
    /// `MMCallDirection`: 1 incoming, 2 outgoing.
    pub direction: i32,
    /// As the network gave it.
    pub number: String,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// To `Status`.
    Status {
        /// Unbound, bound or sealed.
        state: PolicyState,
        /// Count of orders.
        revision: u64,
        /// The watch's id.
        watch: String,
    },
    /// To `OpenEnrolment`: the code in groups.
    Code(String),
    /// To `Submit`: the revision it made.
    Revision(u64),
    /// To `Diary`.
    Diary(Vec<DiaryEntry>),
    /// To `Pid`.
    Pid(u32),
    /// To `Kill`, `Damage` and `DialEmergency`.
    Done,
    /// To `Calls`.
    Calls(Vec<MmCall>),
    /// To `Call`.
    Call(Call),
    /// To `App`.
    App(AppSession),
    /// To `World`.
    World {
        /// The modem, as telephonyd sees it.
        modem: ModemState,
        /// The position, as locationd believes it.
        position: Position,
    },
    /// It did not work. For a refusal of ours the D-Bus error's last word, such as `Replayed`.
    Refused {
        /// The error's name.
        name: String,
        /// In words.
        text: String,
    },
}
