//! The bus thread against a telephonyd and a policyd of the test, on a private bus.

// An interface of zbus has `&self` whether it needs it or not.
#![allow(clippy::unwrap_used, clippy::unused_self)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use daemon::access::Trust;
use daemon::bus::BusConfig;
use ipc::{
    AppSession, AppState, Call, CallState, Contact, Display1Proxy, Happening, Look, Looked, Missed,
    ModemState, News, PastCall, PolicyState, Refusal, Search, names, paths,
};
use nestling_shell::bus;
use nestling_shell::display::Display;
use nestling_shell::model::{Command, Event};
use testkit::PrivateBus;
use zbus::object_server::SignalEmitter;

type Asked = Arc<Mutex<Vec<String>>>;

struct Telephony {
    asked: Asked,
    call: Call,
    tones: tokio::sync::Mutex<()>,
}

#[zbus::interface(name = "org.nestling.Telephony1")]
impl Telephony {
    fn dial(&self, contact: &str) -> Result<(), Refusal> {
        self.asked.lock().unwrap().push(format!("dial {contact}"));
        if contact == "nobody" { Err(Refusal::Denied("unknown".into())) } else { Ok(()) }
    }
    fn dial_emergency(&self, number: &str) {
        self.asked.lock().unwrap().push(format!("emergency {number}"));
    }
    fn accept(&self, call: u64) {
        self.asked.lock().unwrap().push(format!("accept {call}"));
    }
    fn hang_up(&self, call: u64) {
        self.asked.lock().unwrap().push(format!("hang up {call}"));
    }
    fn calls(&self) -> Vec<PastCall> {
        vec![PastCall {
            contact: "mum".into(),
            name: "Mum".into(),
            picture: String::new(),
            incoming: true,
            outcome: "missed".into(),
            unix_time: 7,
            seconds: 0,
        }]
    }
    async fn tone(&self, call: u64, key: &str) -> Result<(), Refusal> {
        // As telephonyd: one at a time.
        let _one = self.tones.try_lock().map_err(|_| Refusal::Busy("a tone is on its way".into()))?;
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.asked.lock().unwrap().push(format!("tone {call} {key}"));
        Ok(())
    }
    #[zbus(property)]
    fn missed(&self) -> Vec<Missed> {
        vec![]
    }
    #[zbus(property)]
    fn call(&self) -> Call {
        self.call.clone()
    }
    #[zbus(property)]
    fn contacts(&self) -> Vec<Contact> {
        let text = str::to_owned;
        vec![Contact {
            id: text("mum"),
            name: text("Mum"),
            picture: text("face:mum"),
            kind: text("guardian"),
        }]
    }
    #[zbus(property)]
    fn modem(&self) -> ModemState {
        ModemState::Registered
    }
    #[zbus(property)]
    fn emergency_number(&self) -> String {
        "112".into()
    }
    #[zbus(signal, name = "Happened")]
    async fn tell(emitter: &SignalEmitter<'_>, happening: Happening) -> zbus::Result<()>;
}

#[derive(Default)]
struct Policy {
    lost: Arc<AtomicBool>,
}

#[zbus::interface(name = "org.nestling.Policy1")]
impl Policy {
    #[zbus(property)]
    fn state(&self) -> PolicyState {
        PolicyState::Unbound
    }
    #[zbus(property)]
    fn lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }
    #[zbus(signal, name = "Changed")]
    async fn tell(emitter: &SignalEmitter<'_>, revision: u64, state: PolicyState) -> zbus::Result<()>;
}

struct Guardian;

#[zbus::interface(name = "org.nestling.Guardian1")]
impl Guardian {
    fn open_enrolment(&self) -> (String, u32) {
        ("01234567890123456789".into(), 600)
    }
}

fn ringing() -> Call {
    Call {
        state: CallState::Ringing,
        contact: "mum".into(),
        name: "Mum".into(),
        picture: "face:mum".into(),
        since_ms: 7,
        ..Call::none()
    }
}

async fn telephonyd(bus: &PrivateBus, asked: &Asked, call: Call) -> zbus::Connection {
    let connection = bus.connect().await.unwrap();
    let telephony = Telephony { asked: asked.clone(), call, tones: tokio::sync::Mutex::new(()) };
    connection.object_server().at(paths::TELEPHONY, telephony).await.unwrap();
    connection.request_name(names::TELEPHONY).await.unwrap();
    connection
}

/// Waits for the event the test is about; others may come before it.
async fn until(events: &mpsc::Receiver<Event>, wanted: impl Fn(&Event) -> bool) {
    for _ in 0..500 {
        if events.try_iter().any(|event| wanted(&event)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the event never came");
}

fn shell(bus: &PrivateBus) -> (bus::Commands, mpsc::Receiver<Event>, mpsc::Receiver<bus::BusError>) {
    let (emit, events) = mpsc::channel();
    let (end, ended) = mpsc::channel();
    let config = BusConfig { address: bus.address().into(), trust: Trust::SameUser };
    let tell = emit.clone();
    let display =
        Display::start((466, 466), move |event| tell.send(event).unwrap_or_default(), || {}).unwrap();
    let commands = bus::start(
        config,
        display,
        move |event| emit.send(event).unwrap_or_default(),
        move |error| end.send(error).unwrap_or_default(),
    );
    (commands.unwrap(), events, ended)
}

#[tokio::test]
async fn state_is_read_at_the_start_and_again_when_telephonyd_comes_back() {
    let bus = PrivateBus::start().await.unwrap();
    let asked = Asked::default();
    let first = telephonyd(&bus, &asked, Call::none()).await;
    let (_commands, events, _ended) = shell(&bus);
    until(&events, |e| matches!(e, Event::Telephony { contacts, .. } if contacts.len() == 1)).await;
    until(&events, |e| matches!(e, Event::Calls(calls) if calls.len() == 1)).await;
    let happening = Happening { seq: 1, what: News::Call, call: ringing() };
    Telephony::tell(&SignalEmitter::new(&first, paths::TELEPHONY).unwrap(), happening).await.unwrap();
    until(&events, |e| matches!(e, Event::Call(call) if call.name == "Mum")).await;
    // The list of calls is read again when it is another.
    let happening = Happening { seq: 2, what: News::Calls, call: Call::none() };
    Telephony::tell(&SignalEmitter::new(&first, paths::TELEPHONY).unwrap(), happening).await.unwrap();
    until(&events, |e| matches!(e, Event::Calls(calls) if calls.len() == 1)).await;
    first.close().await.unwrap();
    until(&events, |e| matches!(e, Event::TelephonyGone)).await;
    let _second = telephonyd(&bus, &asked, ringing()).await;
    until(&events, |e| matches!(e, Event::Telephony { call, .. } if call.state == CallState::Ringing)).await;
}

#[tokio::test]
async fn touches_become_calls_and_a_refusal_comes_back() {
    let bus = PrivateBus::start().await.unwrap();
    let asked = Asked::default();
    let _telephonyd = telephonyd(&bus, &asked, Call::none()).await;
    let policyd = bus.connect().await.unwrap();
    policyd.object_server().at(paths::POLICY, Policy::default()).await.unwrap();
    policyd.object_server().at(paths::GUARDIAN, Guardian).await.unwrap();
    policyd.request_name(names::POLICY).await.unwrap();
    let (commands, events, _ended) = shell(&bus);
    until(&events, |e| matches!(e, Event::Policy(PolicyState::Unbound))).await;
    commands.send(Command::Accept(3));
    commands.send(Command::HangUp(4));
    commands.send(Command::Dial("mum".into()));
    commands.send(Command::DialEmergency("112".into()));
    commands.send(Command::Dial("nobody".into()));
    until(&events, |e| matches!(e, Event::Refused)).await;
    assert_eq!(*asked.lock().unwrap(), ["accept 3", "hang up 4", "dial mum", "emergency 112", "dial nobody"]);
    commands.send(Command::OpenEnrolment);
    until(&events, |e| matches!(e, Event::Code(Some((_, left))) if *left == Duration::from_mins(10))).await;
}

#[tokio::test]
async fn that_the_watch_is_lost_is_read_at_the_start_and_after_each_order() {
    let bus = PrivateBus::start().await.unwrap();
    let policyd = bus.connect().await.unwrap();
    let lost = Arc::new(AtomicBool::new(true));
    policyd.object_server().at(paths::POLICY, Policy { lost: lost.clone() }).await.unwrap();
    policyd.request_name(names::POLICY).await.unwrap();
    let (_commands, events, _ended) = shell(&bus);
    until(&events, |e| matches!(e, Event::Lost(true))).await;
    lost.store(false, Ordering::Relaxed);
    let emitter = SignalEmitter::new(&policyd, paths::POLICY).unwrap();
    Policy::tell(&emitter, 3, PolicyState::Bound).await.unwrap();
    until(&events, |e| matches!(e, Event::Lost(false))).await;
}

#[tokio::test]
async fn tones_of_a_fast_finger_are_all_sent_in_their_order() {
    let bus = PrivateBus::start().await.unwrap();
    let asked = Asked::default();
    let _telephonyd = telephonyd(&bus, &asked, Call::none()).await;
    let (commands, events, _ended) = shell(&bus);
    until(&events, |e| matches!(e, Event::Telephony { .. })).await;
    for key in ["1", "0", "#", "0", "*"] {
        commands.send(Command::Tone(5, key.into()));
    }
    // Nothing else waits for them.
    commands.send(Command::HangUp(5));
    for _ in 0..500 {
        if asked.lock().unwrap().len() == 6 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let all = ["hang up 5", "tone 5 1", "tone 5 0", "tone 5 #", "tone 5 0", "tone 5 *"];
    assert_eq!(*asked.lock().unwrap(), all);
}

struct Looks(Vec<Look>);

#[zbus::interface(name = "org.nestling.Looks1")]
impl Looks {
    #[zbus(property)]
    fn looking(&self) -> Vec<Look> {
        self.0.clone()
    }
    #[zbus(property)]
    fn today(&self) -> u32 {
        7
    }
    #[zbus(property)]
    fn looked(&self) -> Vec<Looked> {
        let look = |name: &str| Looked {
            guardian: name.to_lowercase(),
            name: name.into(),
            picture: String::new(),
            unix_time: 7,
        };
        self.0.iter().map(|open| look(&open.name)).collect()
    }
    #[zbus(signal, name = "LooksChanged")]
    async fn tell(emitter: &SignalEmitter<'_>, looking: Vec<Look>, today: u32) -> zbus::Result<()>;
}

#[tokio::test]
async fn t14_the_screen_hears_of_a_look_and_finds_one_that_is_open() {
    let bus = PrivateBus::start().await.unwrap();
    let look =
        |name: &str| Look { guardian: "mum".into(), name: name.into(), since_ms: 5, until_ms: 120_005 };
    let (_commands, events, _ended) = shell(&bus);
    until(&events, |e| matches!(e, Event::TelephonyGone)).await;
    let policyd = bus.connect().await.unwrap();
    policyd.object_server().at(paths::LOOKS, Looks(vec![look("Mum")])).await.unwrap();
    policyd.request_name(names::POLICY).await.unwrap();
    until(&events, |e| matches!(e, Event::Looks(looks, 7) if *looks == [look("Mum")])).await;
    until(&events, |e| matches!(e, Event::Looked(looked) if looked.len() == 1 && looked[0].name == "Mum"))
        .await;
    let emitter = SignalEmitter::new(&policyd, paths::LOOKS).unwrap();
    Looks::tell(&emitter, vec![look("Mum"), look("Dad")], 8).await.unwrap();
    until(&events, |e| matches!(e, Event::Looks(looks, 8) if *looks == [look("Mum"), look("Dad")])).await;
    // And reads who looked today.
    until(&events, |e| matches!(e, Event::Looked(looked) if looked.len() == 1)).await;
}

struct Searches {
    asked: Asked,
    search: Search,
}

#[zbus::interface(name = "org.nestling.Search1")]
impl Searches {
    fn shows(&self, search: u64) {
        self.asked.lock().unwrap().push(format!("shows {search}"));
    }
    fn stop(&self, search: u64) {
        self.asked.lock().unwrap().push(format!("stop {search}"));
    }
    #[zbus(property)]
    fn search(&self) -> Search {
        self.search.clone()
    }
    #[zbus(signal, name = "SearchChanged")]
    async fn tell(emitter: &SignalEmitter<'_>, search: Search) -> zbus::Result<()>;
}

#[tokio::test]
async fn t15_the_screen_hears_of_a_search_says_that_it_shows_it_and_forgets_it_with_policyd() {
    let bus = PrivateBus::start().await.unwrap();
    let asked = Asked::default();
    let search = |id| Search { id, name: "Mum".into(), ..Search::none() };
    let (commands, events, _ended) = shell(&bus);
    until(&events, |e| matches!(e, Event::TelephonyGone)).await;
    let policyd = bus.connect().await.unwrap();
    let searches = Searches { asked: asked.clone(), search: search(3) };
    policyd.object_server().at(paths::SEARCH, searches).await.unwrap();
    policyd.request_name(names::POLICY).await.unwrap();
    until(&events, |e| matches!(e, Event::Search(told) if *told == search(3))).await;
    Searches::tell(&SignalEmitter::new(&policyd, paths::SEARCH).unwrap(), search(4)).await.unwrap();
    until(&events, |e| matches!(e, Event::Search(told) if *told == search(4))).await;
    for command in [Command::ShowsSearch(4), Command::StopSearch(4)] {
        commands.send(command);
    }
    for _ in 0..500 {
        if asked.lock().unwrap().len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(*asked.lock().unwrap(), ["shows 4", "stop 4"]);
    policyd.close().await.unwrap();
    until(&events, |e| matches!(e, Event::Search(told) if *told == Search::none())).await;
}

#[derive(Default)]
struct Apps(Asked);

#[zbus::interface(name = "org.nestling.Apps1")]
impl Apps {
    fn open(&self, app: &str) {
        self.0.lock().unwrap().push(format!("open {app}"));
    }
    fn hide(&self, session: u64) {
        self.0.lock().unwrap().push(format!("hide {session}"));
    }
    fn show(&self, session: u64) {
        self.0.lock().unwrap().push(format!("show {session}"));
    }
    fn end(&self, session: u64, reason: &str) {
        self.0.lock().unwrap().push(format!("end {session} {reason}"));
    }
    #[zbus(property)]
    fn apps(&self) -> Vec<ipc::App> {
        vec![ipc::App { id: "draw".into(), name: "Drawing".into(), reason: String::new() }]
    }
    #[zbus(property)]
    fn session(&self) -> AppSession {
        AppSession::none()
    }
    #[zbus(signal, name = "SessionChanged")]
    async fn tell(emitter: &SignalEmitter<'_>, session: AppSession) -> zbus::Result<()>;
}

#[tokio::test]
async fn apps_are_read_told_of_and_asked_for_and_only_appd_gets_a_place_on_the_screen() {
    let bus = PrivateBus::start().await.unwrap();
    let asked = Asked::default();
    let (commands, events, _ended) = shell(&bus);
    until(&events, |e| matches!(e, Event::TelephonyGone)).await;
    let stranger = bus.connect().await.unwrap();
    let display = Display1Proxy::new(&stranger).await.unwrap();
    assert!(matches!(display.attach(1).await, Err(Refusal::NotAllowed(_))));

    let appd = bus.connect().await.unwrap();
    appd.object_server().at(paths::APPS, Apps(asked.clone())).await.unwrap();
    appd.request_name(names::APPS).await.unwrap();
    until(&events, |e| matches!(e, Event::Apps(drawer) if drawer.len() == 1)).await;
    let session =
        AppSession { state: AppState::Starting, session: 3, app: "draw".into(), ..AppSession::none() };
    Apps::tell(&SignalEmitter::new(&appd, paths::APPS).unwrap(), session).await.unwrap();
    until(&events, |e| matches!(e, Event::Session(session) if session.session == 3)).await;
    let display = Display1Proxy::new(&appd).await.unwrap();
    let socket = display.attach(3).await.unwrap();
    // An app that goes away is told of by the run it was.
    drop(socket);
    until(&events, |e| matches!(e, Event::Unseated(3, ""))).await;
    for command in [
        Command::OpenApp("draw".into()),
        Command::HideApp(3),
        Command::ShowApp(3),
        Command::EndApp(3, "flood"),
    ] {
        commands.send(command);
    }
    for _ in 0..500 {
        if asked.lock().unwrap().len() == 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(*asked.lock().unwrap(), ["open draw", "hide 3", "show 3", "end 3 flood"]);
}

#[tokio::test]
async fn t8_an_emergency_call_waits_for_a_telephonyd_that_is_on_its_way_back() {
    let bus = PrivateBus::start().await.unwrap();
    let asked = Asked::default();
    let (commands, events, _ended) = shell(&bus);
    until(&events, |e| matches!(e, Event::TelephonyGone)).await;
    commands.send(Command::DialEmergency("112".into()));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let _telephonyd = telephonyd(&bus, &asked, Call::none()).await;
    for _ in 0..500 {
        if *asked.lock().unwrap() == ["emergency 112"] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("112 was not dialled");
}

#[tokio::test]
async fn the_thread_ends_with_its_bus() {
    let bus = PrivateBus::start().await.unwrap();
    let (_commands, events, ended) = shell(&bus);
    until(&events, |e| matches!(e, Event::TelephonyGone)).await;
    drop(bus);
    for _ in 0..500 {
        if ended.try_recv().is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not end");
}
