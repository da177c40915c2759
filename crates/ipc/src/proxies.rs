//! Proxies for every interface of ours. Signals are unicast: only names the daemon knows get them.

use zbus::{OwnedFd, proxy};

use crate::error::Result;
use crate::wire::{
    App, AppSession, Call, Cell, Contact, DiaryEntry, DiaryRecord, Guardian, Happening, Look, Looked, Missed,
    ModemState, NetworkTime, PastCall, PolicyState, Position, Search,
};

/// Rules come in here, and nowhere else.
#[proxy(
    interface = "org.nestling.Policy1",
    default_service = "org.nestling.Policy",
    default_path = "/org/nestling/Policy1"
)]
pub trait Policy1 {
    /// Takes a DSSE envelope and returns the revision it made.
    fn submit(&self, envelope: &[u8]) -> Result<u64>;
    /// Count of accepted orders.
    #[zbus(property(emits_changed_signal = "false"))]
    fn revision(&self) -> zbus::Result<u64>;
    /// Unbound, bound or sealed.
    #[zbus(property(emits_changed_signal = "false"))]
    fn state(&self) -> zbus::Result<PolicyState>;
    /// A guardian said that the watch is lost, and nobody since that it is found. False without rules.
    #[zbus(property(emits_changed_signal = "false"))]
    fn lost(&self) -> zbus::Result<bool>;
    /// The watch's id, lower-case hex, which every order names.
    #[zbus(property(emits_changed_signal = "const"))]
    fn watch(&self) -> zbus::Result<String>;
    /// A new store was published, or the state changed.
    #[zbus(signal)]
    fn changed(&self, revision: u64, state: PolicyState) -> zbus::Result<()>;
}

/// The diary: what happened, for the child and the guardians.
#[proxy(
    interface = "org.nestling.Diary1",
    default_service = "org.nestling.Policy",
    default_path = "/org/nestling/Diary1"
)]
pub trait Diary1 {
    /// Appends a line; the caller's user decides its source. Returns its number.
    fn record(&self, record: &DiaryRecord) -> Result<u64>;
    /// Lines after number `after`, oldest first, at most `limit` (see `limits::DIARY_PAGE`).
    fn read(&self, after: u64, limit: u32) -> Result<Vec<DiaryEntry>>;
}

/// Who may change the rules.
#[proxy(
    interface = "org.nestling.Guardian1",
    default_service = "org.nestling.Policy",
    default_path = "/org/nestling/Guardian1"
)]
pub trait Guardian1 {
    /// Opens the ten minutes in which a guardian can enrol: the first one with the code alone, a later one with main's
    /// signature besides. Returns the code the screen shows and the seconds left; asked again in that time, the same code.
    /// Refused while the watch is sealed.
    fn open_enrolment(&self) -> Result<(String, u32)>;
    /// Whose orders the watch takes, in the order they were enrolled. The child may see who that is.
    #[zbus(property(emits_changed_signal = "false"))]
    fn guardians(&self) -> zbus::Result<Vec<Guardian>>;
}

/// Who looks where the child is: for the screen, which shows it, and for locationd, which gives a position while a look is
/// open.
#[proxy(
    interface = "org.nestling.Looks1",
    default_service = "org.nestling.Policy",
    default_path = "/org/nestling/Looks1"
)]
pub trait Looks1 {
    /// Who looks now.
    #[zbus(property(emits_changed_signal = "false"))]
    fn looking(&self) -> zbus::Result<Vec<Look>>;
    /// How many looks there were since midnight, where the family's clock is.
    #[zbus(property(emits_changed_signal = "false"))]
    fn today(&self) -> zbus::Result<u32>;
    /// The looks since midnight, the newest first, at most `limits::LOOKED`. For the screen alone.
    #[zbus(property(emits_changed_signal = "false"))]
    fn looked(&self) -> zbus::Result<Vec<Looked>>;
    /// Somebody looks, a look is over, or the day is.
    #[zbus(signal)]
    fn looks_changed(&self, looking: Vec<Look>, today: u32) -> zbus::Result<()>;
}

/// A guardian looks for the watch: for the screen, which says so, and for telephonyd, which rings while the screen does.
#[proxy(
    interface = "org.nestling.Search1",
    default_service = "org.nestling.Policy",
    default_path = "/org/nestling/Search1"
)]
pub trait Search1 {
    /// The caller's screen shows this search: from now on it may be heard. Refused once it is over.
    fn shows(&self, search: u64) -> Result<()>;
    /// The child found the watch, or something stronger is on the screen: this search is over.
    fn stop(&self, search: u64) -> Result<()>;
    /// Who searches now.
    #[zbus(property(emits_changed_signal = "false"))]
    fn search(&self) -> zbus::Result<Search>;
    /// Somebody searches, it may be heard, or it is over.
    #[zbus(signal)]
    fn search_changed(&self, search: Search) -> zbus::Result<()>;
}

/// Calls, after they were screened.
#[proxy(
    interface = "org.nestling.Telephony1",
    default_service = "org.nestling.Telephony",
    default_path = "/org/nestling/Telephony1"
)]
pub trait Telephony1 {
    /// Calls a contact by its id.
    fn dial(&self, contact: &str) -> Result<()>;
    /// Calls an emergency number. Never denied by a rule.
    fn dial_emergency(&self, number: &str) -> Result<()>;
    /// The child's touch on the green button of this call. Refused in its first two seconds, and once it is not the one
    /// on the screen any more.
    fn accept(&self, call: u64) -> Result<()>;
    /// Ends or turns away this call, if it is the one on the screen.
    fn hang_up(&self, call: u64) -> Result<()>;
    /// Silences the ring of this call, which goes on.
    fn mute(&self, call: u64) -> Result<()>;
    /// Sends one tone, `0` to `9`, `*` or `#`, while this call is active.
    fn tone(&self, call: u64, key: &str) -> Result<()>;
    /// The calls that are over and still kept, newest first; nobody is in it whom the family does not know.
    fn calls(&self) -> Result<Vec<PastCall>>;
    /// What happened after number `since`, oldest first, and whether that is all: older happenings, and those of an earlier run of
    /// telephonyd, are forgotten, and then everything is to be read again.
    fn events(&self, since: u64) -> Result<(bool, Vec<Happening>)>;
    /// Where the modem is, as the network tells it. For locationd.
    fn cell(&self) -> Result<Cell>;
    /// The child has looked at the missed calls up to this one (`Missed::newest`).
    fn saw_missed(&self, newest: u64) -> Result<()>;
    /// The call on the screen.
    #[zbus(property(emits_changed_signal = "false"))]
    fn call(&self) -> zbus::Result<Call>;
    /// Whom the child may call now.
    #[zbus(property(emits_changed_signal = "false"))]
    fn contacts(&self) -> zbus::Result<Vec<Contact>>;
    /// The modem and its network.
    #[zbus(property(emits_changed_signal = "false"))]
    fn modem(&self) -> zbus::Result<ModemState>;
    /// Whose calls were missed since the child last looked, the newest first.
    #[zbus(property(emits_changed_signal = "false"))]
    fn missed(&self) -> zbus::Result<Vec<Missed>>;
    /// The emergency number a button dials here, for example `112`.
    #[zbus(property(emits_changed_signal = "false"))]
    fn emergency_number(&self) -> zbus::Result<String>;
    /// What the modem said last of the time. It is asked every 12 seconds, but not in a call. For whoever sets the clock.
    #[zbus(property(emits_changed_signal = "false"))]
    fn network_time(&self) -> zbus::Result<NetworkTime>;
    /// Something changed. Signals come in the order of their numbers.
    #[zbus(signal)]
    fn happened(&self, happening: Happening) -> zbus::Result<()>;
}

/// Where the watch is. Not for the shell: a child knows where it is, and a look is an order.
#[proxy(
    interface = "org.nestling.Location1",
    default_service = "org.nestling.Location",
    default_path = "/org/nestling/Location1"
)]
pub trait Location1 {
    /// Help is called for: the receiver stays on for three minutes from now, in which telephonyd may read the position. The diary
    /// says so: `position-for-help`. For telephonyd alone.
    fn help_called(&self) -> Result<()>;
    /// The newest believed position. `AccessDenied` for everybody else, and for telephonyd when no help was called for.
    #[zbus(property(emits_changed_signal = "false"))]
    fn position(&self) -> zbus::Result<Position>;
}

/// Apps: which there are, and the one on the screen.
#[proxy(
    interface = "org.nestling.Apps1",
    default_service = "org.nestling.Apps",
    default_path = "/org/nestling/Apps1"
)]
pub trait Apps1 {
    /// The child's touch on an app: starts it, or brings it back to the screen. What comes of it is the session's
    /// to tell.
    fn open(&self, app: &str) -> Result<()>;
    /// It is not on the screen any more and stands still: the way home, or something covers all of it.
    fn hide(&self, session: u64) -> Result<()>;
    /// It is on the screen again.
    fn show(&self, session: u64) -> Result<()>;
    /// Ends it, with the reason the screen has: empty for the child's wish, else `hung`, `flood` or how else it
    /// misbehaved.
    fn end(&self, session: u64, reason: &str) -> Result<()>;
    /// What the drawer shows, ordered by id.
    #[zbus(property(emits_changed_signal = "false"))]
    fn apps(&self) -> zbus::Result<Vec<App>>;
    /// The one app.
    #[zbus(property(emits_changed_signal = "false"))]
    fn session(&self) -> zbus::Result<AppSession>;
    /// The one app changed.
    #[zbus(signal)]
    fn session_changed(&self, session: AppSession) -> zbus::Result<()>;
    /// The drawer changed: read it again.
    #[zbus(signal)]
    fn apps_changed(&self) -> zbus::Result<()>;
}

/// The screen, for appd alone.
#[proxy(
    interface = "org.nestling.Display1",
    default_service = "org.nestling.Shell",
    default_path = "/org/nestling/Display1"
)]
pub trait Display1 {
    /// Makes a place on the screen for a run of an app, in place of any earlier one, and returns the app's end of
    /// its Wayland connection.
    fn attach(&self, session: u64) -> Result<OwnedFd>;
    /// Takes the place away.
    fn detach(&self, session: u64) -> Result<()>;
}
