//! Ties the model to the window: one event in, at most one command out, one timer.
//!
//! **Invariant:** between two changes of the screen nothing runs. The only timer is the next moment at
//! which the picture changes by itself.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::{Rc, Weak};
use std::time::Duration;

use daemon::sysfs;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use panel::{Layer, Under};
use slint::{ComponentHandle as _, PlatformError, Timer, TimerMode};

use crate::model::{Command, Event, Model, Screen, Touch};
use crate::pages::{
    Finger, Touched, app, apps, call, calls, contacts, emergency, enrol, face, lock, looked, looks, lost,
    search,
};
use crate::ui::{Page, Shell};

/// What the face reads from the device, so that tests can set it.
pub trait Device {
    /// Time since boot.
    fn since_boot(&self) -> Duration;
    /// What the clock on the wall shows.
    fn wall(&self) -> DateTime;
    /// What it showed at a moment, in seconds since 1970.
    fn local(&self, unix: i64) -> DateTime;
    /// Percent of the battery, where there is one.
    fn battery(&self) -> Option<u8>;
}

/// The device this runs on.
pub struct ThisDevice;

impl Device for ThisDevice {
    fn since_boot(&self) -> Duration {
        panel::since_boot()
    }

    fn wall(&self) -> DateTime {
        jiff::Zoned::now().datetime()
    }

    fn local(&self, unix: i64) -> DateTime {
        Timestamp::from_second(unix).unwrap_or_default().to_zoned(TimeZone::system()).datetime()
    }

    fn battery(&self) -> Option<u8> {
        sysfs::battery(Path::new(sysfs::POWER_SUPPLY)).map(|charge| charge.percent)
    }
}

thread_local! {
    static RECEIVER: RefCell<Weak<App>> = const { RefCell::new(Weak::new()) };
}

/// Where the one app is: [`Display`](crate::display::Display), or a test's own.
pub trait Seat {
    /// Its picture.
    fn layer(&self) -> Rc<dyn Layer>;
    /// A finger on it.
    fn touch(&self, finger: Finger);
    /// It is seen and runs, or not any more; a finger that was on it is not its own then.
    fn show(&self, seen: bool);
}

/// What is under the window: the place on the panel, and what is to be seen there.
pub struct Stage {
    /// The panel's place.
    pub under: Under,
    /// Who is there.
    pub seat: Rc<dyn Seat>,
}

/// Hands an event from any thread to the app that receives posts; there is none before the first frame and
/// after the end, and then nobody needs it.
pub fn post(event: Event) {
    let deliver = move || {
        if let Some(app) = RECEIVER.with_borrow(Weak::upgrade) {
            app.handle(event);
        }
    };
    if slint::invoke_from_event_loop(deliver).is_err() {
        tracing::debug!("the event loop is gone");
    }
}

/// Says from any thread that the app has a new picture. It goes past the model: nothing is decided by it.
pub fn post_frame() {
    let deliver = || {
        if let Some(app) = RECEIVER.with_borrow(Weak::upgrade) {
            app.stage.under.has_news();
        }
    };
    if slint::invoke_from_event_loop(deliver).is_err() {
        tracing::debug!("the event loop is gone");
    }
}

/// The running shell.
pub struct App {
    shell: Shell,
    model: RefCell<Model>,
    device: Box<dyn Device>,
    stage: Stage,
    /// The app's picture is under the window.
    seated: Cell<bool>,
    /// The run of an app that is seen and touched.
    live: Cell<Option<u64>>,
    /// The minute in which the battery was read.
    read: Cell<Option<i8>>,
    command: Box<dyn Fn(Command)>,
    timer: Timer,
}

impl App {
    /// Makes the window and shows the face. Commands go to `command`.
    pub fn new(
        device: impl Device + 'static,
        stage: Stage,
        command: impl Fn(Command) + 'static,
    ) -> Result<Rc<Self>, PlatformError> {
        let app = Rc::new(Self {
            shell: Shell::new()?,
            model: RefCell::default(),
            device: Box::new(device),
            stage,
            seated: Cell::new(false),
            live: Cell::new(None),
            read: Cell::new(None),
            command: Box::new(command),
            timer: Timer::default(),
        });
        let weak = Rc::downgrade(&app);
        let touched: Touched = Rc::new(move |touch: Touch| {
            if let Some(app) = weak.upgrade() {
                app.handle(Event::Touch(touch));
            }
        });
        for bind in [
            apps::bind,
            call::bind,
            calls::bind,
            contacts::bind,
            emergency::bind,
            enrol::bind,
            face::bind,
            lock::bind,
            looked::bind,
            lost::bind,
            search::bind,
        ] {
            bind(&app.shell, &touched);
        }
        let seat = app.stage.seat.clone();
        let weak = Rc::downgrade(&app);
        let finger = move |finger: Finger| {
            // Not before it runs, and not when it stands still.
            if weak.upgrade().is_some_and(|app: Rc<Self>| app.live_app().is_some()) {
                seat.touch(finger);
            }
        };
        app::bind(&app.shell, &touched, Rc::new(finger));
        app.handle(Event::Tick);
        app.shell.show()?;
        Ok(app)
    }

    /// The window.
    pub fn shell(&self) -> &Shell {
        &self.shell
    }

    /// Makes this app the one that [`post`] reaches.
    pub fn receive_posts(self: &Rc<Self>) {
        RECEIVER.set(Rc::downgrade(self));
    }

    /// Takes an event and draws what follows from it.
    pub fn handle(self: &Rc<Self>, event: Event) {
        let now = self.device.since_boot();
        let command = self.model.borrow_mut().handle(event, now);
        let seen = self.model.borrow_mut().app_seen(now);
        for command in command.into_iter().chain(seen) {
            (self.command)(command);
        }
        self.draw();
        // After it was drawn: it is heard from then on.
        let seen = self.model.borrow_mut().search_seen(now);
        seen.into_iter().for_each(&self.command);
        self.seat();
        self.schedule();
    }

    fn live_app(&self) -> Option<u64> {
        self.model.borrow().live_app(self.device.since_boot())
    }

    /// Puts the app under the window as long as its page is shown, and lets it draw while it is live.
    fn seat(&self) {
        let page = self.shell.get_page() == Page::App;
        if self.seated.replace(page) != page {
            self.stage.under.set(page.then(|| self.stage.seat.layer()));
        }
        let live = self.live_app();
        if self.live.replace(live) != live {
            self.stage.seat.show(live.is_some());
        }
    }

    fn draw(&self) {
        let screen = self.model.borrow().screen(self.device.since_boot());
        let shell = &self.shell;
        let page = match screen {
            Screen::Face(hint) => {
                let wall = self.device.wall();
                if self.read.replace(Some(wall.minute())) != Some(wall.minute()) {
                    face::battery(shell, self.device.battery());
                }
                let model = self.model.borrow();
                face::show(shell, hint, wall, model.has_apps(), model.missed());
                Page::Face
            }
            Screen::Locked(number) => {
                lock::show(shell, &number);
                Page::Locked
            }
            Screen::Lost { guardian, emergency, not_now } => {
                lost::show(shell, guardian.as_ref(), &emergency, not_now);
                Page::Lost
            }
            Screen::Contacts { people, before, after } => {
                contacts::show(shell, &people, before, after, self.model.borrow().has_calls());
                Page::Contacts
            }
            Screen::Calls { calls, before, after } => {
                let (today, local) = (self.device.wall(), |unix| self.device.local(unix));
                calls::show(shell, &calls, (before, after), today, local);
                Page::Calls
            }
            Screen::Person(person) => {
                calls::show_person(shell, &person);
                Page::Person
            }
            Screen::Looked { looks, before, after } => {
                looked::show(shell, &looks, (before, after), |unix| self.device.local(unix));
                Page::Looked
            }
            Screen::Apps { apps, before, after } => {
                apps::show(shell, &apps, before, after);
                Page::Apps
            }
            Screen::App { id, name, phase, left } => {
                app::show(shell, &id, &name, phase, left);
                Page::App
            }
            Screen::Sorry(why) => {
                app::sorry(shell, why);
                Page::Sorry
            }
            Screen::Call(call) => {
                call::show(shell, &call);
                if call.keypad.is_some() { Page::Keypad } else { Page::Call }
            }
            Screen::Search { person, rings } => {
                search::show(shell, &person, rings);
                Page::Search
            }
            Screen::Enrol(enrol) => {
                enrol::show(shell, &enrol);
                Page::Enrol
            }
            Screen::Emergency { number, seconds } => {
                emergency::show(shell, &number, seconds);
                Page::Emergency
            }
        };
        shell.set_page(page);
        let model = self.model.borrow();
        looks::show(shell, &model.looking(self.device.since_boot()), model.looks_today());
    }

    fn schedule(self: &Rc<Self>) {
        let now = self.device.since_boot();
        let mut wait = self.model.borrow().next_change(now).map(|at| at.saturating_sub(now));
        if self.shell.get_page() == Page::Face {
            let second = until_next_second(self.device.wall());
            wait = Some(wait.map_or(second, |wait| wait.min(second)));
        }
        let Some(wait) = wait else {
            self.timer.stop();
            return;
        };
        let weak = Rc::downgrade(self);
        self.timer.start(TimerMode::SingleShot, wait, move || {
            if let Some(app) = weak.upgrade() {
                app.handle(Event::Tick);
            }
        });
    }
}

/// Rounded up to the millisecond Slint's timers know, so that the hand is never a second late.
fn until_next_second(wall: DateTime) -> Duration {
    let nanos = 1_000_000_000 - u64::try_from(wall.subsec_nanosecond()).unwrap_or_default();
    Duration::from_millis(nanos.div_ceil(1_000_000))
}
