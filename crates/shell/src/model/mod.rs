//! Which screen is shown: a state machine without I/O and without a clock of its own.
//!
//! The daemons' state arrives as snapshots and changes, the child's touches as [`Touch`]; out come
//! [`Command`]s for the bus and a [`Screen`]. A shell that starts late gets the same snapshots and ends on the
//! same screen. Times are the boot-time clock.
//!
//! **Invariants:** a call is above every page, under it that a guardian looks for the watch, and who looks where the child is ([`Model::looking`]) above that; sealed or lost shows nothing but the lifeline; nothing is asked for
//! without a touch: what else goes out only says which app or search is seen, or that an app broke the screen's rules.

mod apps;
mod call;
mod inout;
mod looks;
mod lost;
mod people;
mod search;

use std::time::Duration;

use ipc::{Call, CallState, Contact, Looked, Missed, ModemState, PastCall, PolicyState};

use self::apps::Apps;
use self::looks::Looks;
use self::search::Searches;
pub use inout::{AppPhase, Command, Enrol, Event, Hint, OnCall, Person, Screen, Sorry, Touch};

/// Contacts on one page.
const PAGE: usize = 4;
/// Rows of a list on one page.
const ROWS: usize = 3;
/// More people than a child calls; the rest of a longer list is not shown.
const PEOPLE: usize = 64;
/// More calls than a child looks through.
const CALLS: usize = 60;
/// A page nobody touches goes back to the time.
const IDLE: Duration = Duration::from_secs(15);
/// telephonyd refuses an answer this early; a touch then is a sleeve, not a child.
const ANSWER_AFTER: Duration = Duration::from_secs(2);
/// telephonyd asks who rings before it takes a call, which lasts for up to a ring: no answer on the bus takes longer.
const ANSWERS: Duration = Duration::from_secs(10);
/// A call outlives telephonyd for this long on the screen: it restarts in less.
const TELEPHONY_BACK: Duration = Duration::from_secs(5);
/// The time to take back a touch on the emergency button.
const COUNTDOWN: Duration = Duration::from_secs(3);
/// How long the number is tried after that: longer than telephonyd is ever away.
const DIALLED: Duration = Duration::from_secs(15);
/// How long an enrolment code lives.
const CODE: Duration = Duration::from_mins(10);
/// One step of the rings around a caller.
const RING_STEP: Duration = Duration::from_millis(200);
/// How long "Not now" stays.
const NOTICE: Duration = Duration::from_secs(4);
/// Tones that telephonyd sends in a call.
const TONES: usize = 100;
/// Used while telephonyd has not told the number of this place.
const EMERGENCY: &str = "112";

#[derive(Debug, Clone, PartialEq)]
enum Page {
    /// The time, or the app the child is in.
    Home,
    Apps(usize),
    Contacts(usize),
    Calls(usize),
    /// By id.
    Person(String),
    Looked(usize),
    Enrol(Option<(String, Duration)>, bool),
    /// Since when; and whether the number was dialled.
    Emergency(Duration, bool),
}

/// All the shell knows.
#[derive(Debug)]
pub struct Model {
    policy: Option<PolicyState>,
    lost: bool,
    /// Calls to guardians since then.
    lost_calls: usize,
    modem: Option<ModemState>,
    call: Call,
    /// The keys of the call are shown, and these were touched.
    keypad: Option<String>,
    /// The call the child has taken and when, until telephonyd says what became of it.
    answering: Option<(u64, Duration)>,
    contacts: Vec<Contact>,
    missed: Vec<Missed>,
    calls: Vec<PastCall>,
    /// Who comes first on the contacts' page: whose calls the child has missed before opening it.
    first: Vec<String>,
    emergency: String,
    gone: Option<Duration>,
    page: Page,
    touched: Duration,
    notice: Option<Duration>,
    apps: Apps,
    looks: Looks,
    searches: Searches,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            policy: None,
            lost: false,
            lost_calls: 0,
            modem: None,
            call: Call::none(),
            keypad: None,
            answering: None,
            contacts: Vec::new(),
            missed: Vec::new(),
            calls: Vec::new(),
            first: Vec::new(),
            emergency: EMERGENCY.into(),
            gone: None,
            page: Page::Home,
            touched: Duration::ZERO,
            notice: None,
            apps: Apps::default(),
            looks: Looks::default(),
            searches: Searches::default(),
        }
    }
}

impl Model {
    /// Takes an event and says what to ask of the daemons.
    pub fn handle(&mut self, event: Event, now: Duration) -> Option<Command> {
        let command = match event {
            Event::Policy(state) => {
                self.policy = Some(state);
                // Bound while the code was shown: it did its work.
                if state != PolicyState::Unbound && matches!(self.page, Page::Enrol(..)) {
                    self.page = Page::Home;
                }
                if state == PolicyState::Sealed && !self.is_lifeline() {
                    self.page = Page::Home;
                }
                None
            }
            Event::Lost(lost) => {
                self.set_lost(lost);
                None
            }
            Event::Telephony { call, mut contacts, modem, emergency } => {
                contacts.truncate(PEOPLE);
                self.contacts = contacts;
                self.modem = Some(modem);
                self.emergency = if emergency.is_empty() { EMERGENCY.into() } else { emergency };
                self.gone = None;
                self.set_call(call);
                self.forget_person();
                None
            }
            Event::Call(call) => {
                self.gone = None;
                self.set_call(call);
                None
            }
            Event::Missed(mut missed) => {
                missed.truncate(PEOPLE);
                self.missed = missed;
                None
            }
            Event::Calls(mut calls) => {
                calls.truncate(CALLS);
                self.calls = calls;
                if self.calls.is_empty() && matches!(self.page, Page::Calls(_)) {
                    self.page = Page::Home;
                }
                None
            }
            Event::TelephonyGone => {
                self.gone = self.gone.or(Some(now));
                None
            }
            Event::Code(code) => {
                if let Page::Enrol(shown, failed) = &mut self.page {
                    *failed = code.is_none();
                    *shown = code.map(|(code, left)| (code, now + left.min(CODE)));
                }
                None
            }
            Event::Apps(apps) => {
                self.apps.set_drawer(apps);
                None
            }
            Event::Session(session) => {
                self.apps.set_session(session, now);
                None
            }
            Event::AppsGone => {
                self.apps.gone(now);
                None
            }
            Event::Framed(session) => {
                self.apps.framed(session);
                None
            }
            Event::Unseated(session, reason) => self.apps.unseated(session, reason),
            Event::Looks(looking, today) => {
                self.looks.set(looking, today);
                None
            }
            Event::Looked(looked) => {
                self.set_looked(looked);
                None
            }
            Event::Search(search) => {
                self.searches.set(search);
                None
            }
            Event::NotAnswered => {
                self.answering = None;
                None
            }
            Event::Refused => {
                self.apps.leave();
                if !self.counts_down() {
                    self.page = Page::Home;
                    self.notice = Some(now + NOTICE);
                }
                None
            }
            Event::Touch(touch) => self.touch(touch, now),
            Event::Tick => None,
        };
        command.or_else(|| self.pass_time(now))
    }

    fn touch(&mut self, touch: Touch, now: Duration) -> Option<Command> {
        self.touched = now;
        self.notice = None;
        let state = self.call.state;
        match touch {
            Touch::Answer => {
                if state != CallState::Ringing || !self.can_answer(now) || self.is_answering(now) {
                    return None;
                }
                self.answering = Some((self.call.id, now));
                return Some(Command::Accept(self.call.id));
            }
            Touch::Mute => {
                let rings = state == CallState::Ringing && !self.call.muted;
                return rings.then_some(Command::Mute(self.call.id));
            }
            Touch::HangUp => return (state != CallState::None).then_some(Command::HangUp(self.call.id)),
            Touch::Keypad(shown) => {
                self.keypad = (shown && state == CallState::Active).then(String::new);
            }
            Touch::Tone(key) => {
                let typed = self.keypad.as_mut().filter(|typed| typed.len() < TONES)?;
                typed.push_str(&key);
                return Some(Command::Tone(self.call.id, key));
            }
            Touch::Found => return self.searches.stop(now),
            // Whatever else was touched lay under the call.
            _ if state != CallState::None && !self.counts_down() => {}
            Touch::Mistake => self.page = Page::Home,
            Touch::Help => self.page = Page::Emergency(now, false),
            Touch::Dial(id) if id.is_empty() => self.page = Page::Emergency(now, false),
            _ if self.lost => return self.touch_lost(touch),
            Touch::Contacts => {
                self.page = Page::Contacts(0);
                self.first = self.missed.iter().map(|missed| missed.contact.clone()).collect();
                return self.saw_missed();
            }
            Touch::Calls if self.calls.is_empty() => {}
            Touch::Calls => {
                self.page = Page::Calls(0);
                return self.saw_missed();
            }
            Touch::Person(id) if self.may_call(&id) => self.page = Page::Person(id),
            Touch::Person(_) => {}
            Touch::Apps => self.page = Page::Apps(0),
            Touch::Looked if self.looks.looked().is_empty() => {}
            Touch::Looked => self.page = Page::Looked(0),
            Touch::Open(id) => {
                self.page = Page::Home;
                self.apps.open(&id, now);
                return Some(Command::OpenApp(id));
            }
            Touch::Home => self.apps.leave(),
            Touch::Close => {
                self.page = Page::Home;
                self.apps.leave();
            }
            Touch::Dial(id) => return Some(Command::Dial(id)),
            Touch::Turn(by) => {
                let (n, last) = match &mut self.page {
                    Page::Contacts(n) => (n, self.contacts.len() / PAGE),
                    Page::Apps(n) => (n, self.apps.drawer().len().saturating_sub(1) / PAGE),
                    Page::Calls(n) => (n, self.calls.len().saturating_sub(1) / ROWS),
                    Page::Looked(n) => (n, self.looks.looked().len().saturating_sub(1) / ROWS),
                    _ => return None,
                };
                *n = n.saturating_add_signed(by as isize).min(last);
            }
            Touch::Ask => {
                if self.policy == Some(PolicyState::Unbound) {
                    self.page = Page::Enrol(None, false);
                    return Some(Command::OpenEnrolment);
                }
            }
        }
        None
    }

    /// The page is one that a sealed watch has, too.
    fn is_lifeline(&self) -> bool {
        matches!(self.page, Page::Home | Page::Contacts(_) | Page::Person(_) | Page::Emergency(..))
    }

    /// Help is about to be called: nobody who rings, and nothing that was refused, takes that away.
    fn counts_down(&self) -> bool {
        matches!(self.page, Page::Emergency(_, false))
    }

    /// When the present page ends by itself.
    fn page_ends(&self) -> Option<Duration> {
        match &self.page {
            Page::Home => None,
            Page::Contacts(_)
            | Page::Calls(_)
            | Page::Person(_)
            | Page::Apps(_)
            | Page::Looked(_)
            | Page::Enrol(None, _) => Some(self.touched + IDLE),
            Page::Enrol(Some((_, until)), _) => Some(*until),
            Page::Emergency(since, false) => Some(*since + COUNTDOWN),
            Page::Emergency(since, true) => Some(*since + COUNTDOWN + DIALLED),
        }
    }

    fn pass_time(&mut self, now: Duration) -> Option<Command> {
        if self.gone.is_some_and(|since| now >= since + TELEPHONY_BACK) {
            self.call = Call::none();
            self.modem = Some(ModemState::Absent);
        }
        self.notice = self.notice.filter(|until| now < *until);
        self.apps.pass_time(now);
        if self.page_ends().is_some_and(|end| now >= end) {
            if let Page::Emergency(_, dialled @ false) = &mut self.page {
                *dialled = true;
                return Some(Command::DialEmergency(self.emergency.clone()));
            }
            self.page = Page::Home;
        }
        None
    }

    /// The screen at this moment.
    pub fn screen(&self, now: Duration) -> Screen {
        if self.call.state != CallState::None && !self.counts_down() {
            return self.call_screen(now);
        }
        if let Some(search) = self.search_screen(now) {
            return search;
        }
        match &self.page {
            Page::Home if self.policy == Some(PolicyState::Sealed) => Screen::Locked(self.emergency.clone()),
            Page::Home if self.lost => self.lost_screen(),
            Page::Home => self.apps.screen(now).unwrap_or_else(|| Screen::Face(self.hint())),
            Page::Apps(page) => Screen::Apps {
                apps: self.apps.drawer().iter().skip(page * PAGE).take(PAGE).cloned().collect(),
                before: *page > 0,
                after: self.apps.drawer().len() > (page + 1) * PAGE,
            },
            Page::Contacts(page) => self.contacts_screen(*page),
            Page::Calls(page) => self.calls_screen(*page),
            Page::Person(id) => self.person_screen(id),
            Page::Looked(page) => Screen::Looked {
                looks: self.looks.looked().iter().skip(page * ROWS).take(ROWS).cloned().collect(),
                before: *page > 0,
                after: self.looks.looked().len() > (page + 1) * ROWS,
            },
            Page::Enrol(Some((code, until)), _) => {
                Screen::Enrol(Enrol::Code(code.clone(), until.saturating_sub(now).as_secs() / 6))
            }
            Page::Enrol(None, true) => Screen::Enrol(Enrol::Failed),
            Page::Enrol(None, false) => Screen::Enrol(Enrol::Waiting),
            Page::Emergency(since, _) => {
                let left = (*since + COUNTDOWN).saturating_sub(now);
                Screen::Emergency {
                    number: self.emergency.clone(),
                    seconds: left.as_millis().div_ceil(1000) as u64,
                }
            }
        }
    }

    /// Tells appd whether its app is seen, once for each change; to be asked after every event.
    pub fn app_seen(&mut self, now: Duration) -> Option<Command> {
        let seen = matches!(self.screen(now), Screen::App { .. });
        self.apps.seen(seen)
    }

    /// The run of an app that is on the screen now and may be touched.
    pub fn live_app(&self, now: Duration) -> Option<u64> {
        let live = matches!(self.screen(now), Screen::App { phase: AppPhase::Live, .. });
        live.then(|| self.apps.session())
    }

    /// Who looks where the child is, by name. It is shown on every page.
    pub fn looking(&self, now: Duration) -> Vec<&str> {
        self.looks.names(now)
    }

    /// How many looks there were today.
    pub fn looks_today(&self) -> u32 {
        self.looks.today()
    }

    /// There are apps to show.
    pub fn has_apps(&self) -> bool {
        !self.apps.drawer().is_empty()
    }

    fn set_looked(&mut self, looked: Vec<Looked>) {
        self.looks.set_looked(looked);
        // At midnight there is nothing left to say.
        if self.looks.looked().is_empty() && matches!(self.page, Page::Looked(_)) {
            self.page = Page::Home;
        }
    }

    fn hint(&self) -> Hint {
        match (self.policy, self.modem) {
            _ if self.notice.is_some() => Hint::NotNow,
            (Some(PolicyState::Unbound), _) => Hint::Ask,
            (_, Some(ModemState::Absent | ModemState::Emergency | ModemState::Searching)) => Hint::Signal,
            _ if !self.missed.is_empty() => Hint::Missed,
            _ => Hint::None,
        }
    }

    /// When the screen changes without an event, if ever. The face's own seconds are not counted.
    pub fn next_change(&self, now: Duration) -> Option<Duration> {
        let telephony = self.gone.map(|since| since + TELEPHONY_BACK);
        let shown = match self.screen(now) {
            Screen::Call(OnCall { state: CallState::Active, .. }) => {
                Some(self.next_step(now, Duration::from_secs(1)))
            }
            Screen::Call(_) => Some(self.next_step(now, RING_STEP)),
            Screen::Emergency { seconds: 1.., .. } => self.page_ends().map(|end| {
                let left = end.saturating_sub(now).as_millis().saturating_sub(1) as u64 / 1000;
                end.saturating_sub(Duration::from_secs(left))
            }),
            Screen::Enrol(Enrol::Code(..)) => Some(now + Duration::from_secs(6)),
            _ => None,
        };
        let (app, looks) = (self.apps.next_change(now), self.looks.next_change(now));
        [telephony, shown, app, looks, self.searches.next_change(now), self.page_ends(), self.notice]
            .into_iter()
            .flatten()
            .filter(|at| *at > now)
            .min()
    }
}
