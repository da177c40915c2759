//! The place of the one app on the screen: the compositor on one side, appd's runs and the panel on the other.
//!
//! **Invariants:** only the newest run has a place; a finger reaches an app only while the shell shows it.

use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use compositor::{Compositor, DamageRect, Session, Touch};
use panel::{Layer, Rect, Show};

use crate::app::Seat;
use crate::model::Event;
use crate::pages::Finger;

/// Shared by the bus, which gives and takes the place, and the screen, which shows what is in it.
#[derive(Clone)]
pub struct Display(Arc<Inner>);

struct Inner {
    compositor: Compositor,
    seats: Arc<Mutex<Option<Run>>>,
}

/// A run of an app and its place.
#[derive(Debug, Clone, Copy)]
struct Run {
    run: u64,
    session: Session,
}

fn lock(seats: &Mutex<Option<Run>>) -> MutexGuard<'_, Option<Run>> {
    seats.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why an app gets no place.
#[derive(Debug, thiserror::Error)]
pub enum DisplayError {
    /// The server's thread cannot be had.
    #[error("the display server does not start")]
    Start(#[from] compositor::StartError),
    /// There is no connection to be had.
    #[error("there is no place for an app")]
    Attach(#[from] compositor::AttachError),
}

impl Display {
    /// Starts the server for a screen of this size. Events go to `emit`, news of a picture to `frame`; both run on the
    /// server's thread.
    pub fn start(
        (width, height): (u32, u32),
        emit: impl Fn(Event) + Send + 'static,
        frame: impl Fn() + Send + 'static,
    ) -> Result<Self, DisplayError> {
        let seats: Arc<Mutex<Option<Run>>> = Arc::default();
        let known = seats.clone();
        let compositor = Compositor::start(compositor::Config::new(width, height), move |event| {
            let run = |session| lock(&known).filter(|seat| seat.session == session).map(|seat| seat.run);
            match event {
                compositor::Event::FirstFrame(session) => {
                    if let Some(run) = run(session) {
                        emit(Event::Framed(run));
                    }
                    frame();
                }
                compositor::Event::Frame(_) => frame(),
                compositor::Event::Ended(session, reason) => {
                    if let Some(run) = run(session) {
                        emit(Event::Unseated(run, word(reason)));
                    }
                }
            }
        })?;
        Ok(Self(Arc::new(Inner { compositor, seats })))
    }

    /// Gives the place to a run; returns the app's end of its connection.
    pub fn attach(&self, run: u64) -> Result<OwnedFd, DisplayError> {
        // Not held meanwhile: the server's thread may be telling of the earlier run. Of the new one there is no news
        // before its descriptor is out of here.
        lock(&self.0.seats).take();
        let (session, descriptor) = self.0.compositor.attach()?;
        lock(&self.0.seats).replace(Run { run, session });
        Ok(descriptor)
    }

    /// Takes the place away, if this run has it.
    pub fn detach(&self, run: u64) {
        let taken = lock(&self.0.seats).take_if(|seat| seat.run == run);
        if let Some(seat) = taken {
            self.0.compositor.end(seat.session);
        }
    }

    fn session(&self) -> Option<Session> {
        lock(&self.0.seats).map(|seat| seat.session)
    }
}

impl Seat for Display {
    fn layer(&self) -> Rc<dyn Layer> {
        Rc::new(self.clone())
    }

    fn touch(&self, finger: Finger) {
        let Some(session) = self.session() else { return };
        let touch = match finger {
            Finger::Down(x, y) => Touch::Down(x.into(), y.into()),
            Finger::Move(x, y) => Touch::Move(x.into(), y.into()),
            Finger::Up => Touch::Up,
        };
        self.0.compositor.touch(session, touch);
    }

    fn show(&self, seen: bool) {
        let Some(session) = self.session() else { return };
        if !seen {
            self.0.compositor.touch(session, Touch::Cancel);
        }
        self.0.compositor.show(session, seen);
    }
}

impl Layer for Display {
    fn picture(&self, show: Show<'_>) {
        self.0.compositor.picture(|picture| {
            let damage = picture.damage.iter().map(rect).collect::<Vec<_>>();
            show(picture.pixels, &damage);
        });
    }

    fn shown(&self) {
        if let Some(session) = self.session() {
            self.0.compositor.shown(session);
        }
    }
}

fn rect(damage: &DamageRect) -> Rect {
    let (x1, y1) = (damage.x as usize, damage.y as usize);
    Rect { x1, y1, x2: x1 + damage.width as usize, y2: y1 + damage.height as usize }
}

/// What appd writes into the diary of a run that lost its place; nothing where it left by itself.
fn word(reason: compositor::Reason) -> &'static str {
    match reason {
        compositor::Reason::Closed | compositor::Reason::Ended => "",
        other => other.as_str(),
    }
}
