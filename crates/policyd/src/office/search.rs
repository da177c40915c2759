//! Searches: what the screen and telephonyd are told of them, and what the screen says.

use daemon::wall::Now;
use ipc::{Refusal, Search};

use super::Office;
use super::looks::millis;

impl Office {
    /// Who looks for the watch. Who is no guardian any more searches no more.
    pub fn search(&self, now: Now) -> Search {
        let open = self.searches.open(now.boot);
        let open = open.filter(|open| self.guardians().iter().any(|guardian| guardian.id == open.guardian));
        let Some((open, (name, picture))) = open.and_then(|open| Some((open, self.shown(&open.guardian)?)))
        else {
            return Search::none();
        };
        Search {
            id: open.id,
            guardian: open.guardian.clone(),
            name,
            picture,
            since_ms: millis(open.since),
            until_ms: millis(open.until),
            screen: open.screen.clone(),
        }
    }

    /// A screen shows this search, by its unique name on the bus.
    ///
    /// # Errors
    /// It is over.
    pub fn shows_search(&mut self, search: u64, screen: &str, now: Now) -> Result<(), Refusal> {
        over(self.searches.shows(search, screen, now.boot))
    }

    /// The child found the watch, or the screen shows something stronger.
    ///
    /// # Errors
    /// It is over already.
    pub fn stop_search(&mut self, search: u64, now: Now) -> Result<(), Refusal> {
        over(self.searches.stop(search, now.boot))
    }
}

fn over(done: bool) -> Result<(), Refusal> {
    if done { Ok(()) } else { Err(Refusal::NotFound("this search is over".into())) }
}
