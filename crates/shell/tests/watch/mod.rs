//! A watch in memory: the real shell on the headless panel, with clocks and a finger moved by hand.

#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use ipc::{Call, CallState, Contact, ModemState, PolicyState};
use jiff::civil::{DateTime, date};
use nestling_shell::app::{App, Device};
use nestling_shell::model::{Command, Event};
use panel::Xrgb;
use panel::headless::Headless;

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

    fn battery(&self) -> Option<u8> {
        self.battery.get()
    }
}

pub struct Watch {
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
        let app = App::new(hands, move |command| log.borrow_mut().push(command)).unwrap();
        Self { panel, app, commands, size, start, battery }
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

    pub fn set_time(&self, time: DateTime) {
        *self.start.borrow_mut() = time - jiff::SignedDuration::try_from(self.panel.now()).unwrap();
        self.app.handle(Event::Tick);
    }

    /// The battery's level, seen at the next minute.
    pub fn set_battery(&self, percent: u8) {
        self.battery.set(Some(percent));
        self.advance(60_000);
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

    pub fn pixels(&self) -> Vec<Xrgb> {
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
    pub fn shot(&self, name: &str) -> Vec<Xrgb> {
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

pub fn contact(id: &str) -> Contact {
    let mut name = id.to_owned();
    name[..1].make_ascii_uppercase();
    Contact { id: id.into(), name, picture: format!("face:{id}"), kind: "family".into() }
}

/// `target/screens` beside the profile folder this test runs from.
fn folder() -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    exe.ancestors().nth(3).unwrap().join("screens")
}
