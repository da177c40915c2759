//! What goes into the model and what comes out of it.

use std::time::Duration;

use ipc::{
    App, AppSession, Call, CallState, Contact, Look, Looked, Missed, ModemState, PastCall, PolicyState,
    Search,
};

/// What the child touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touch {
    /// The button or swipe that opens the contacts.
    Contacts,
    /// The counter of looks on the face.
    Looked,
    /// The button of the calls that are over, or who called on the face.
    Calls,
    /// Somebody in that list, by id.
    Person(String),
    /// "Ask a grown-up".
    Ask,
    /// Back to the time.
    Close,
    /// Another page of people, calls, looks or apps.
    Turn(i32),
    /// The button that opens the apps.
    Apps,
    /// An app, by id.
    Open(String),
    /// The way home from an app.
    Home,
    /// A contact, by id; empty for the emergency number.
    Dial(String),
    /// The green button.
    Answer,
    /// The red button of a call.
    HangUp,
    /// The bell of a call that rings.
    Mute,
    /// The keys of a call that runs: there, or away again.
    Keypad(bool),
    /// One of them: `0` to `9`, `*` or `#`.
    Tone(String),
    /// The watch that a guardian looks for was found.
    Found,
    /// The emergency button.
    Help,
    /// Takes the emergency button back.
    Mistake,
}

/// What can happen.
#[derive(Debug, Clone)]
pub enum Event {
    /// policyd's state.
    Policy(PolicyState),
    /// A guardian said that the watch is lost, or that it is found.
    Lost(bool),
    /// All that telephonyd has to say.
    Telephony {
        /// The call.
        call: Call,
        /// Whom the child may call.
        contacts: Vec<Contact>,
        /// The network.
        modem: ModemState,
        /// The number of the emergency button.
        emergency: String,
    },
    /// The call changed.
    Call(Call),
    /// Whose calls were missed, the newest first.
    Missed(Vec<Missed>),
    /// The calls that are over, the newest first.
    Calls(Vec<PastCall>),
    /// telephonyd left the bus.
    TelephonyGone,
    /// The enrolment code and the time it has left; `None` when there is none to be had.
    Code(Option<(String, Duration)>),
    /// What the drawer has.
    Apps(Vec<App>),
    /// The one app changed.
    Session(AppSession),
    /// appd left the bus.
    AppsGone,
    /// A run of an app has its first picture.
    Framed(u64),
    /// A run of an app left the screen, and how: empty where it went by itself.
    Unseated(u64, &'static str),
    /// Who looks where the child is, and how often that was done today.
    Looks(Vec<Look>, u32),
    /// Who did so today, the newest first.
    Looked(Vec<Looked>),
    /// Who looks for the watch, or nobody.
    Search(Search),
    /// A command was turned down.
    Refused,
    /// telephonyd did not take the call that was touched.
    NotAnswered,
    /// The child's finger.
    Touch(Touch),
    /// Time passed.
    Tick,
}

/// What is asked of the daemons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Answer this call.
    Accept(u64),
    /// End this call.
    HangUp(u64),
    /// Silence the ring of this call.
    Mute(u64),
    /// Send a tone into this call.
    Tone(u64, String),
    /// The child sees whose calls were missed, up to this one.
    SawMissed(u64),
    /// Call a contact.
    Dial(String),
    /// Call an emergency number.
    DialEmergency(String),
    /// Open the ten minutes of enrolment.
    OpenEnrolment,
    /// This search is on the screen: it may be heard.
    ShowsSearch(u64),
    /// This search is over.
    StopSearch(u64),
    /// Start an app, or bring it back.
    OpenApp(String),
    /// This run is not on the screen.
    HideApp(u64),
    /// This run is on the screen again.
    ShowApp(u64),
    /// End this run, and why.
    EndApp(u64, &'static str),
}

/// Someone on the screen. Texts are as they came; the pages limit them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The contact's id; empty for the emergency number.
    pub id: String,
    /// The name, or the emergency number.
    pub name: String,
    /// Key of the picture.
    pub picture: String,
}

/// The words under the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// The date is enough.
    None,
    /// There is no guardian yet.
    Ask,
    /// No network for calls.
    Signal,
    /// What was asked for cannot be done now.
    NotNow,
    /// Somebody called ([`Model::missed`](super::Model::missed)).
    Missed,
}

/// A call on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnCall {
    /// How far it is.
    pub state: CallState,
    /// The other side.
    pub person: Person,
    /// Rings to draw, 0 to 3.
    pub rings: u8,
    /// Whole seconds of this state.
    pub seconds: u64,
    /// The green button counts.
    pub can_answer: bool,
    /// It rings without a sound.
    pub muted: bool,
    /// The name of who waits for it to end, or empty.
    pub waiting: String,
    /// The keys are shown, and these were touched.
    pub keypad: Option<String>,
    /// The child has taken it, and telephonyd has not said yet that both can speak.
    pub answering: bool,
}

/// What is on the screen.
#[derive(Debug, Clone, PartialEq)]
pub enum Screen {
    /// The time.
    Face(Hint),
    /// Sealed; with the emergency number.
    Locked(String),
    /// The watch is lost: for whoever found it.
    Lost {
        /// The guardian whom a touch calls.
        guardian: Option<Person>,
        /// The emergency number.
        emergency: String,
        /// The call that was asked for cannot be made now.
        not_now: bool,
    },
    /// A page of people.
    Contacts {
        /// At most four.
        people: Vec<Person>,
        /// There is a page before.
        before: bool,
        /// There is a page after.
        after: bool,
    },
    /// A page of calls that are over.
    Calls {
        /// At most three, the newest first; whether the child may call who it was.
        calls: Vec<(PastCall, bool)>,
        /// There is a page before.
        before: bool,
        /// There is a page after.
        after: bool,
    },
    /// Somebody who can be called by another touch.
    Person(Person),
    /// A page of today's looks.
    Looked {
        /// At most three, the newest first.
        looks: Vec<Looked>,
        /// There is a page before.
        before: bool,
        /// There is a page after.
        after: bool,
    },
    /// A guardian looks for the watch.
    Search {
        /// Who.
        person: Person,
        /// Rings to draw, 0 to 3.
        rings: u8,
    },
    /// A call.
    Call(OnCall),
    /// First run; the code and the part of its time that is left, or why there is none.
    Enrol(Enrol),
    /// A page of apps.
    Apps {
        /// At most four.
        apps: Vec<App>,
        /// There is a page before.
        before: bool,
        /// There is a page after.
        after: bool,
    },
    /// An app, under what the watch says.
    App {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
        /// How it stands.
        phase: AppPhase,
        /// Seconds it has left, when the child should know.
        left: Option<u64>,
    },
    /// Why there is no app.
    Sorry(Sorry),
    /// The emergency number is about to be dialled.
    Emergency {
        /// The number.
        number: String,
        /// Seconds left, rounded up; none once it was dialled.
        seconds: u64,
    },
}

/// State of the first-run page.
#[derive(Debug, Clone, PartialEq)]
pub enum Enrol {
    /// policyd was asked.
    Waiting,
    /// The code, and tenths of a minute of its life that are left.
    Code(String, u64),
    /// policyd said no, or is not there.
    Failed,
}

/// How the app on the screen stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppPhase {
    /// There is no picture yet.
    Starting,
    /// It is seen and touched.
    Live,
    /// It stands still: the time is up.
    TimeUp,
    /// It stands still until the watch knows the rules again.
    Waiting,
}

/// Why an app is not there, as a child is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sorry {
    /// Nobody who checks apps signed this one, or it is not the one they signed.
    NotChecked,
    /// The family did not allow it.
    NotAllowed,
    /// Its time is over.
    TimeUp,
    /// It broke, or broke a rule.
    Stopped,
    /// The watch cannot, just now.
    NotNow,
}

impl Sorry {
    /// What a reason on the bus means to a child.
    pub fn of(reason: &str) -> Self {
        match reason {
            "not-signed" | "altered" | "expired" | "catalogue" => Self::NotChecked,
            "not-granted" | "no-rules" | "sealed" => Self::NotAllowed,
            "time-up" => Self::TimeUp,
            "no-policy" | "no-display" | "busy" | "storage" => Self::NotNow,
            _ => Self::Stopped,
        }
    }
}
