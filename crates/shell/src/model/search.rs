//! The part of the model that knows that a guardian looks for the watch.
//!
//! **Invariants:** a search is heard only after the screen showed it; a call and help are above it and end it; it is over at its end,
//! whatever policyd says.

use std::time::Duration;

use ipc::Search;

use super::inout::{Command, Person, Screen};
use super::{Model, Page, RING_STEP};

#[derive(Debug)]
pub(super) struct Searches {
    search: Search,
    /// The one that policyd was told is shown, and the one that was ended here.
    shown: u64,
    over: u64,
}

impl Default for Searches {
    fn default() -> Self {
        Self { search: Search::none(), shown: 0, over: 0 }
    }
}

impl Searches {
    pub(super) fn set(&mut self, search: Search) {
        self.search = search;
    }

    fn open(&self, now: Duration) -> Option<&Search> {
        let search = &self.search;
        let open = search.id != 0 && search.id != self.over && now < Duration::from_millis(search.until_ms);
        open.then_some(search)
    }

    /// Ends it.
    pub(super) fn stop(&mut self, now: Duration) -> Option<Command> {
        let id = self.open(now)?.id;
        self.over = id;
        Some(Command::StopSearch(id))
    }

    /// When something of it changes by itself.
    pub(super) fn next_change(&self, now: Duration) -> Option<Duration> {
        let search = self.open(now)?;
        let since = Duration::from_millis(search.since_ms);
        let steps = now.saturating_sub(since).as_millis() / RING_STEP.as_millis() + 1;
        let step = since.saturating_add(RING_STEP.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX)));
        Some(step.min(Duration::from_millis(search.until_ms)))
    }
}

impl Model {
    /// The screen of a search: above everything but a call and help.
    pub(super) fn search_screen(&self, now: Duration) -> Option<Screen> {
        let search = self.searches.open(now).filter(|_| !matches!(self.page, Page::Emergency(..)))?;
        let time = now.saturating_sub(Duration::from_millis(search.since_ms));
        let person = Person {
            id: search.guardian.clone(),
            name: search.name.clone(),
            picture: search.picture.clone(),
        };
        Some(Screen::Search { person, rings: (time.as_millis() / RING_STEP.as_millis() % 4) as u8 })
    }

    /// Tells policyd once that a search is seen, or that it is over because something stronger is; to be asked after every event.
    pub fn search_seen(&mut self, now: Duration) -> Option<Command> {
        let id = self.searches.open(now)?.id;
        if !matches!(self.screen(now), Screen::Search { .. }) {
            return self.searches.stop(now);
        }
        let told = std::mem::replace(&mut self.searches.shown, id) == id;
        (!told).then_some(Command::ShowsSearch(id))
    }
}
