//! A watch in memory: the real shell on the headless panel, with clocks and a finger moved by hand.

#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use ipc::{
    AppSession, AppState, Call, CallState, Contact, Look, Looked, ModemState, PastCall, PolicyState, Search,
};
use jiff::civil::{DateTime, date};
use nestling_shell::Finger;
use nestling_shell::app::{App, Device, Seat, Stage};
use nestling_shell::model::{Command, Event};

use panel::headless::Headless;
use panel::{Layer, Pixel, Rect, Show};

/// The sizes the design names; the square ones are round.
pub const SIZES: [(u32, u32); 3] = [(466, 466), (368, 448), (480, 480)];

struct Hands {
    panel: Rc<Headless>,
    start: Rc<RefCell<DateTime>>,
    battery: Rc<Cell<Option<u8>>>,
}

impl Device for Hands {
    fn since_boot(&self) -> Duration {
        // The watch has been up for a while: times before the start exist.
        Duration::from_secs(1_000) + self.panel.now()
    }

    fn wall(&self) -> DateTime {
        *self.start.borrow() + jiff::SignedDuration::try_from(self.panel.now()).unwrap()
    }

    fn local(&self, unix: i64) -> DateTime {
        jiff::Timestamp::from_second(unix).unwrap().to_zoned(jiff::tz::TimeZone::UTC).datetime()
    }

    fn battery(&self) -> Option<u8> {
        self.battery.get()
    }
}

/// An app of the test's: paper with a stroke, and what it was told.
#[derive(Default)]
pub struct Paper {
    pub fingers: RefCell<Vec<Finger>>,
    pub seen: Cell<bool>,
    /// Its picture is black.
    pub blank: Cell<bool>,
    size: Cell<(u32, u32)>,
}

pub const PAPER: u32 = 0xffff_f6e0;
pub const INK: u32 = 0xff58_b4ff;

struct Picture(Rc<Paper>);

impl Layer for Picture {
    fn picture(&self, show: Show<'_>) {
        let (width, height) = self.0.size.get();
        let mut pixels = vec![if self.0.blank.get() { 0 } else { PAPER }; (width * height) as usize];
        for row in pixels.chunks_mut(width as usize).skip(60).take(if self.0.blank.get() { 0 } else { 24 }) {
            row[100..300].fill(INK);
        }
        show(&pixels, &[Rect { x1: 0, y1: 0, x2: width as usize, y2: height as usize }]);
    }
    fn shown(&self) {}
}

struct Chair(Rc<Paper>);

impl Seat for Chair {
    fn layer(&self) -> Rc<dyn Layer> {
        Rc::new(Picture(self.0.clone()))
    }
    fn touch(&self, finger: Finger) {
        self.0.fingers.borrow_mut().push(finger);
    }
    fn show(&self, seen: bool) {
        self.0.seen.set(seen);
    }
}

pub struct Watch {
    pub paper: Rc<Paper>,
    pub panel: Rc<Headless>,
    pub app: Rc<App>,
    pub commands: Rc<RefCell<Vec<Command>>>,
    pub size: (u32, u32),
    start: Rc<RefCell<DateTime>>,
    battery: Rc<Cell<Option<u8>>>,
}

impl Watch {
    pub fn new(size: (u32, u32)) -> Self {
        let panel = Rc::new(Headless::install(size.0, size.1).unwrap());
        let start = Rc::new(RefCell::new(date(2026, 11, 23).at(10, 9, 36, 0)));
        let commands = Rc::new(RefCell::new(Vec::new()));
        let log = commands.clone();
        let battery = Rc::new(Cell::new(None));
        let hands = Hands { panel: panel.clone(), start: start.clone(), battery: battery.clone() };
        let paper = Rc::new(Paper::default());
        paper.size.set(size);
        let stage = Stage { under: panel.under(), seat: Rc::new(Chair(paper.clone())) };
        let app = App::new(hands, stage, move |command| log.borrow_mut().push(command)).unwrap();
        Self { paper, panel, app, commands, size, start, battery }
    }

    /// A bound watch with a network and four people.
    pub fn bound(size: (u32, u32)) -> Self {
        let watch = Self::new(size);
        watch.app.handle(Event::Policy(PolicyState::Bound));
        watch.telephony(Call::none(), &["mum", "dad", "gran", "aunt"]);
        watch
    }

    pub fn telephony(&self, call: Call, people: &[&str]) {
        self.app.handle(Event::Telephony {
            call,
            contacts: people.iter().map(|id| contact(id)).collect(),
            modem: ModemState::Registered,
            emergency: "112".into(),
        });
    }

    /// A lost watch with two guardians and two others.
    pub fn lose(&self) {
        self.app.handle(Event::Telephony {
            call: Call::none(),
            contacts: ["gran", "mum", "dad", "school"]
                .map(|id| {
                    let kind = if ["mum", "dad"].contains(&id) { "guardian" } else { "emergency" };
                    Contact { kind: kind.into(), ..contact(id) }
                })
                .into(),
            modem: ModemState::Registered,
            emergency: "112".into(),
        });
        self.app.handle(Event::Lost(true));
    }

    pub fn set_time(&self, time: DateTime) {
        *self.start.borrow_mut() = time - jiff::SignedDuration::try_from(self.panel.now()).unwrap();
        self.app.handle(Event::Tick);
    }

    /// The battery's level, seen at the next minute.
    pub fn set_battery(&self, percent: u8) {
        self.battery.set(Some(percent));
        self.advance(60_000);
    }

    /// The drawer, with ids; those that begin with `x` cannot be opened.
    pub fn apps(&self, ids: &[&str]) {
        let app = |id: &&str| ipc::App {
            id: (*id).into(),
            name: capital(id),
            reason: if id.starts_with('x') { "not-signed".into() } else { String::new() },
        };
        self.app.handle(Event::Apps(ids.iter().map(app).collect()));
    }

    /// What appd says of the drawing pad.
    pub fn draw(&self, state: AppState, reason: &str, until_ms: u64) {
        let (app, name, reason) = ("draw".into(), "Draw".into(), reason.into());
        self.app.handle(Event::Session(AppSession { state, session: 7, app, name, until_ms, reason }));
    }

    /// Opens the drawing pad by touch; it runs and has a picture.
    pub fn drawing(&self, until_ms: u64) {
        self.apps(&["draw", "xbeads"]);
        self.tap(42.0, self.apps_button());
        self.tap(-72.0, -18.0);
        self.draw(AppState::Starting, "", until_ms);
        self.draw(AppState::Running, "", until_ms);
        self.app.handle(Event::Framed(7));
    }

    /// How far below the centre the face's button of the apps is.
    pub fn apps_button(&self) -> f32 {
        let (width, height) = (self.size.0 as f32, self.size.1 as f32);
        if height - width >= 60.0 { height / 2.0 - 46.0 } else { height / 2.0 - 72.0 }
    }

    /// These people look from now on, and so many looks there were today.
    pub fn looks(&self, names: &[&str], today: u32) {
        let (since_ms, until_ms) = (self.now_ms(), self.now_ms() + 120_000);
        let look =
            |name: &&str| Look { guardian: name.to_lowercase(), name: (*name).into(), since_ms, until_ms };
        self.app.handle(Event::Looks(names.iter().map(look).collect(), today));
    }

    /// These people looked today, the newest first, half an hour apart, and the last five minutes ago.
    pub fn looked(&self, names: &[&str]) {
        let newest = date(2026, 11, 23).at(10, 4, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap();
        let newest = newest.timestamp().as_second();
        let look = |(n, name): (usize, &&str)| Looked {
            guardian: name.to_lowercase(),
            name: (*name).into(),
            picture: format!("face:{}", name.to_lowercase()),
            unix_time: newest - 1_800 * n as i64,
        };
        self.app.handle(Event::Looked(names.iter().enumerate().map(look).collect()));
    }

    /// Calls that are over, the newest first, each three hours before the one after it: who, whether they called, and how
    /// it ended.
    pub fn calls(&self, calls: &[(&str, bool, &str)]) {
        let newest = date(2026, 11, 23).at(9, 41, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap();
        let newest = newest.timestamp().as_second();
        let past = |(n, (name, incoming, outcome)): (usize, &(&str, bool, &str))| PastCall {
            contact: if *name == "112" { String::new() } else { name.to_lowercase() },
            name: (*name).into(),
            picture: format!("face:{}", name.to_lowercase()),
            incoming: *incoming,
            outcome: (*outcome).into(),
            unix_time: newest - 10_800 * n as i64,
            seconds: 60,
        };
        self.app.handle(Event::Calls(calls.iter().enumerate().map(past).collect()));
    }

    /// How far below the centre the face's counter of looks is.
    pub fn counter(&self) -> f32 {
        let (width, height) = (self.size.0 as f32, self.size.1 as f32);
        let dial = if height - width >= 60.0 { (width - height) / 2.0 } else { 0.0 };
        dial - width / 2.0 * 0.37
    }

    /// This guardian looks for the watch from now on.
    pub fn search(&self, id: u64, name: &str) {
        self.app.handle(Event::Search(Search {
            id,
            guardian: name.to_lowercase(),
            name: name.into(),
            picture: format!("face:{}", name.to_lowercase()),
            since_ms: self.now_ms(),
            until_ms: self.now_ms() + 60_000,
            screen: String::new(),
        }));
    }

    /// Where the middle of the card is that says so, from the centre.
    pub fn card(&self) -> i32 {
        let (width, height) = (self.size.0 as i32, self.size.1 as i32);
        if height - width >= 60 { 43 - height / 2 } else { -145 }
    }

    pub fn now_ms(&self) -> u64 {
        1_000_000 + self.panel.now().as_millis() as u64
    }

    pub fn call(&self, state: CallState, name: &str) -> Call {
        Call {
            state,
            contact: name.to_lowercase(),
            name: name.into(),
            picture: format!("face:{}", name.to_lowercase()),
            since_ms: self.now_ms(),
            id: 5,
            ..Call::none()
        }
    }

    pub fn advance(&self, ms: u64) {
        self.panel.advance(Duration::from_millis(ms));
    }

    /// A tap at an offset from the centre.
    pub fn tap(&self, dx: f32, dy: f32) {
        let (cx, cy) = (self.size.0 as f32 / 2.0, self.size.1 as f32 / 2.0);
        self.panel.tap(cx + dx, cy + dy).unwrap();
    }

    pub fn swipe(&self, from: (f32, f32), to: (f32, f32)) {
        let (cx, cy) = (self.size.0 as f32 / 2.0, self.size.1 as f32 / 2.0);
        self.panel.swipe((cx + from.0, cy + from.1), (cx + to.0, cy + to.1)).unwrap();
    }

    /// How far below the centre the face's phone button is.
    pub fn phone(&self) -> f32 {
        let (width, height) = (self.size.0 as f32, self.size.1 as f32);
        if height - width >= 60.0 { height / 2.0 - 46.0 } else { height / 2.0 - 65.0 }
    }

    /// Touches "Ask a grown-up".
    pub fn ask(&self) {
        let (width, height) = (self.size.0 as f32, self.size.1 as f32);
        let dial = if height - width >= 60.0 { (width - height) / 2.0 } else { 0.0 };
        self.tap(0.0, dial + width / 2.0 * 0.41);
    }

    pub fn commands(&self) -> Vec<Command> {
        self.commands.take()
    }

    pub fn pixels(&self) -> Vec<Pixel> {
        self.panel.draw();
        self.panel.pixels()
    }

    /// The colour at an offset from the centre.
    pub fn at(&self, dx: i32, dy: i32) -> (u8, u8, u8) {
        let (width, height) = (self.size.0 as i32, self.size.1 as i32);
        let (x, y) = (width / 2 + dx, height / 2 + dy);
        self.pixels()[(y * width + x) as usize].rgb()
    }

    /// Draws the screen and keeps it as `target/screens/NAME-WIDTHxHEIGHT.png`.
    pub fn shot(&self, name: &str) -> Vec<Pixel> {
        let pixels = self.pixels();
        let folder = folder();
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{name}-{}x{}.png", self.size.0, self.size.1));
        let file = std::fs::File::create(file).unwrap();
        let mut encoder = png::Encoder::new(file, self.size.0, self.size.1);
        encoder.set_color(png::ColorType::Rgb);
        let bytes = pixels.iter().flat_map(|p| [p.rgb().0, p.rgb().1, p.rgb().2]).collect::<Vec<_>>();
        encoder.write_header().unwrap().write_image_data(&bytes).unwrap();
        pixels
    }
}

fn capital(id: &str) -> String {
    let mut name = id.to_owned();
    name[..1].make_ascii_uppercase();
    name
}

pub fn contact(id: &str) -> Contact {
    Contact { id: id.into(), name: capital(id), picture: format!("face:{id}"), kind: "family".into() }
}

/// `target/screens` beside the profile folder this test runs from.
fn folder() -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    exe.ancestors().nth(3).unwrap().join("screens")
}
