//! The screen's places for apps: the client of `Display1`.
//!
//! **Invariants:** one question at a time, in the order the core decided them; a screen that does not answer holds up
//! nobody but the app that waits for its place.

use std::os::fd::OwnedFd;

use ipc::Display1Proxy;
use tokio::sync::mpsc;
use zbus::Connection;
use zbus::proxy::CacheProperties;

use crate::core::Event;
use crate::service::Input;

/// Questions waiting at most; with more of them the screen hangs.
const QUEUE: usize = 32;

#[derive(Debug, Clone, Copy)]
enum Question {
    Attach(u64),
    Detach(u64),
}

/// Where the core's wishes are left.
#[derive(Debug)]
pub struct Display(mpsc::Sender<Question>);

impl Display {
    /// Starts the task that asks the screen.
    ///
    /// # Errors
    /// The bus itself is gone.
    pub async fn start(connection: &Connection, inputs: mpsc::Sender<Input>) -> zbus::Result<Self> {
        let screen = Display1Proxy::builder(connection).cache_properties(CacheProperties::No).build().await?;
        let (sender, questions) = mpsc::channel(QUEUE);
        tokio::spawn(run(screen, questions, inputs));
        Ok(Self(sender))
    }

    /// Asks for a place. Returns at once; [`Input::Place`] or [`Event::Attached`] follows. `false` where nothing will.
    pub fn attach(&self, session: u64) -> bool {
        self.0.try_send(Question::Attach(session)).is_ok()
    }

    /// Gives a place back. The next place takes this one's in any case.
    pub fn detach(&self, session: u64) {
        if self.0.try_send(Question::Detach(session)).is_err() {
            tracing::warn!(session, "the screen hangs and is not told that an app is over");
        }
    }
}

async fn run(
    screen: Display1Proxy<'static>,
    mut questions: mpsc::Receiver<Question>,
    inputs: mpsc::Sender<Input>,
) {
    while let Some(question) = questions.recv().await {
        let answer = match question {
            Question::Attach(session) => match screen.attach(session).await {
                Ok(place) => Input::Place(session, OwnedFd::from(place)),
                Err(error) => {
                    tracing::warn!(session, %error, "the screen has no place for an app");
                    Input::Event(Event::Attached(session, false))
                }
            },
            Question::Detach(session) => {
                if let Err(error) = screen.detach(session).await {
                    // It may be a new screen, which never had this place.
                    tracing::debug!(session, %error, "a place is not given back");
                }
                continue;
            }
        };
        if inputs.send(answer).await.is_err() {
            return;
        }
    }
}
