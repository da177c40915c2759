//! What travels over the bus: shapes, units and limits.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use zbus::zvariant::{OwnedVariant as OwnedValue, Type, Variant as Value};

/// Upper bounds that both sides hold. Longer is refused, never cut in silence.
pub mod limits {
    /// A DSSE envelope, bytes.
    pub const ENVELOPE: usize = 256 * 1024;
    /// Entries one `Diary1.Read` returns at most.
    pub const DIARY_PAGE: u32 = 200;
    /// A diary entry's kind, bytes; lower-case words joined by `-`.
    pub const DIARY_KIND: usize = 40;
    /// Details of a diary entry, and the bytes of each key and value.
    pub const DIARY_DETAILS: usize = 12;
    /// Bytes of a detail's key or value.
    pub const DIARY_TEXT: usize = 256;
    /// Looks that can be open at once: one of each guardian.
    pub const LOOKS: usize = 8;
    /// Looks of a day that are told one by one: the newest.
    pub const LOOKED: usize = 16;
    /// Apps the screen shows at most.
    pub const APPS: usize = 64;
}

/// Whether the watch has rules, and whether they can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
#[zvariant(signature = "s", rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum PolicyState {
    /// No guardian was ever enrolled.
    Unbound,
    /// A guardian's rules are in force.
    Bound,
    /// The log does not fit the anchor: only the lifeline is left.
    Sealed,
}

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
#[zvariant(signature = "s", rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum CallState {
    /// There is no call.
    None,
    /// An allowed caller rings.
    Ringing,
    /// The watch dials, nobody has answered.
    Dialling,
    /// Both can speak.
    Active,
}

/// The call the screen shows. With `CallState::None` the texts are empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
pub struct Call {
    /// How far it is.
    pub state: CallState,
    /// Which call this is: a touch names it. Never that of an earlier call of this boot; 0 with `CallState::None`.
    pub id: u64,
    /// The contact's id; empty for an emergency call, and for one that may be help calling back.
    pub contact: String,
    /// What to call the other side; the emergency number where there is no contact.
    pub name: String,
    /// Key of the contact's picture.
    pub picture: String,
    /// Start of the present state, milliseconds of the boot-time clock.
    pub since_ms: u64,
    /// The name of who waits for this call to end, or empty.
    pub waiting: String,
    /// It rings without a sound: the child wished so.
    pub muted: bool,
}

impl Call {
    /// No call at all.
    pub fn none() -> Self {
        Self {
            state: CallState::None,
            id: 0,
            contact: String::new(),
            name: String::new(),
            picture: String::new(),
            since_ms: 0,
            waiting: String::new(),
            muted: false,
        }
    }
}

/// What telephonyd tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
#[zvariant(signature = "s", rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum News {
    /// The call on the screen changed.
    Call,
    /// Contacts, modem or emergency number changed: read them again.
    State,
    /// The list of calls, or what was missed, changed: read it again.
    Calls,
}

/// Something telephonyd told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
pub struct Happening {
    /// Its place: later ones have higher numbers, also after a restart of telephonyd in the same boot.
    pub seq: u64,
    /// What changed.
    pub what: News,
    /// The call of that moment.
    pub call: Call,
}

/// A call that is over, for the child's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
pub struct PastCall {
    /// The contact's id; empty for the emergency number, also where it may have called back.
    pub contact: String,
    /// What to call the other side.
    pub name: String,
    /// Key of the contact's picture.
    pub picture: String,
    /// The other side called.
    pub incoming: bool,
    /// `answered`, `missed`, `declined` or `unanswered`.
    pub outcome: String,
    /// When it ended, seconds since 1970, UTC, by the watch's clock.
    pub unix_time: i64,
    /// How long both could speak.
    pub seconds: u32,
}

/// Somebody whose calls were missed since the child last looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
pub struct Missed {
    /// The contact's id; empty where help may have called back.
    pub contact: String,
    /// What to call the other side.
    pub name: String,
    /// Key of the contact's picture.
    pub picture: String,
    /// How many calls.
    pub count: u32,
    /// The newest of them, for `SawMissed`.
    pub newest: u64,
}

/// Somebody the child may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
pub struct Contact {
    /// Stable id, as in the policy.
    pub id: String,
    /// What the family calls the person.
    pub name: String,
    /// Key of the picture, for example `face:mum`.
    pub picture: String,
    /// `guardian`, `family` or `friend`.
    pub kind: String,
}

/// What the mobile network is to the watch right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
#[zvariant(signature = "s", rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum ModemState {
    /// ModemManager or the modem is gone.
    Absent,
    /// Emergency calls only: no SIM, one that is locked, a network that allows no others, or a modem that ModemManager gave up.
    Emergency,
    /// Looking for a network.
    Searching,
    /// Calls can come and go.
    Registered,
}

/// What the mobile network told of the time (NITZ, 3GPP TS 22.042), or the modem's own clock where it told nothing. Whoever
/// believes it decides how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
pub struct NetworkTime {
    /// False before the modem told any: all else is zero then.
    pub known: bool,
    /// Seconds since 1970, UTC.
    pub unix_time: i64,
    /// When it was told, milliseconds of the boot-time clock.
    pub boot_ms: u64,
}

/// The cell of the mobile network the modem is in (3GPP TS 23.003, clause 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
pub struct Cell {
    /// False without a network: all else is empty then.
    pub known: bool,
    /// Country and network code, five or six digits.
    pub network: String,
    /// Tracking area code (LTE and later) or location area code.
    pub area: u32,
    /// Cell identity.
    pub cell: u64,
}

/// Where the watch believes it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type, Value, OwnedValue)]
pub struct Position {
    /// False before the first fix: all else is zero then.
    pub known: bool,
    /// WGS 84 degrees, north positive.
    pub latitude: f64,
    /// WGS 84 degrees, east positive.
    pub longitude: f64,
    /// Radius that holds the true position with 95 %, metres.
    pub accuracy_m: f64,
    /// When it was true, seconds since 1970, UTC: as the receiver told it; of a cell, by the watch's clock.
    pub unix_time: i64,
    /// Id of the zone the watch is in, or empty.
    pub zone: String,
    /// Why this may be false: `clock`, `jump`, `frozen` or `replayed`; `coarse`, when it was too inaccurate to be judged; empty when nothing speaks against it.
    pub doubt: String,
    /// What it is known by: `satellites`, or `cell` for the cell of the mobile network, which enters no zone; empty while unknown.
    pub source: String,
    /// When the receiver told it, or the modem that it is in the cell, milliseconds of the boot-time clock: its age, whatever the wall
    /// clock shows.
    pub boot_ms: u64,
    /// How long the receiver had looked for it, milliseconds; 0 for a cell.
    pub took_ms: u64,
}

/// Somebody whose orders the watch takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
pub struct Guardian {
    /// The contact's id.
    pub id: String,
    /// What the family calls him; the id where he is no contact.
    pub name: String,
    /// Nobody else can remove him.
    pub main: bool,
}

/// A guardian looks where the child is. A look never gets longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
pub struct Look {
    /// The guardian's id.
    pub guardian: String,
    /// What the family calls him.
    pub name: String,
    /// Since when, milliseconds of the boot-time clock.
    pub since_ms: u64,
    /// Until when, milliseconds of the boot-time clock. Nobody has to say that it is over.
    pub until_ms: u64,
}

/// A look of today, for the child's list; never where the child was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
pub struct Looked {
    /// The guardian's id.
    pub guardian: String,
    /// What the family calls him; the id where he is no contact any more.
    pub name: String,
    /// Key of his picture, or empty.
    pub picture: String,
    /// When it began, seconds since 1970, UTC, by the watch's clock.
    pub unix_time: i64,
}

/// A guardian looks for the watch: the screen says so, and it rings. It never gets longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
pub struct Search {
    /// Which one: never that of another of this watch; 0 while nobody searches, and then nothing else counts.
    pub id: u64,
    /// The guardian's id.
    pub guardian: String,
    /// What the family calls him.
    pub name: String,
    /// Key of his picture, or empty.
    pub picture: String,
    /// Since when, milliseconds of the boot-time clock.
    pub since_ms: u64,
    /// Until when, milliseconds of the boot-time clock. Nobody has to say that it is over.
    pub until_ms: u64,
    /// The unique bus name of the screen that shows it. Empty until one said so, and nothing rings before.
    pub screen: String,
}

impl Search {
    /// Nobody searches.
    pub fn none() -> Self {
        Self {
            id: 0,
            guardian: String::new(),
            name: String::new(),
            picture: String::new(),
            since_ms: 0,
            until_ms: 0,
            screen: String::new(),
        }
    }
}

/// A line a daemon asks policyd to write into the diary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DiaryRecord {
    /// What happened, for example `call-refused`.
    pub kind: String,
    /// Named details.
    pub details: HashMap<String, String>,
}

/// A line of the diary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
pub struct DiaryEntry {
    /// Place in the hash chain, from 1.
    pub seq: u64,
    /// Seconds since 1970, UTC, by the watch's clock.
    pub unix_time: i64,
    /// The daemon that told it, for example `telephony`.
    pub source: String,
    /// What happened.
    pub kind: String,
    /// Named details.
    pub details: HashMap<String, String>,
}

/// An app the family granted, as the drawer shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
pub struct App {
    /// Its id, as in the policy and the catalogue.
    pub id: String,
    /// Its name from the catalogue; the id where no reviewer signed it.
    pub name: String,
    /// Why it cannot start now: a reason's word (see [`AppSession::reason`]); empty if it can.
    pub reason: String,
}

/// How far the app is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
#[zvariant(signature = "s", rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum AppState {
    /// No app; `reason` says how the last one ended, if it was not the child's wish.
    None,
    /// It was allowed and is being started.
    Starting,
    /// It runs and may be shown.
    Running,
    /// It stands still; `reason` says why.
    Frozen,
}

/// The one app of the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, Value, OwnedValue)]
pub struct AppSession {
    /// How far it is.
    pub state: AppState,
    /// Name of this run, as in `Display1.Attach`; 0 before the first.
    pub session: u64,
    /// The app's id; that of the last one with `AppState::None`.
    pub app: String,
    /// Its name.
    pub name: String,
    /// When its time is up, milliseconds of the boot-time clock; 0 for no end.
    pub until_ms: u64,
    /// Frozen: `hidden`, `time-up`, `no-policy`. None: a refusal (`not-granted`, `not-signed`, `altered`, `expired`,
    /// `time-up`, `sealed`, `storage`, `sandbox`, ...), `crashed`, `hung`, `flood`, or empty.
    pub reason: String,
}

impl AppSession {
    /// No app at all.
    pub fn none() -> Self {
        Self {
            state: AppState::None,
            session: 0,
            app: String::new(),
            name: String::new(),
            until_ms: 0,
            reason: String::new(),
        }
    }
}
