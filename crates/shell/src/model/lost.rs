//! The part of the model that knows a lost watch.
//!
//! **Invariants:** whoever found it can call for help and a guardian, and nothing else; it shows nobody but the guardian whom the
//! next touch calls; a guardian who looks or searches just then is named above it, as on every page.

use super::inout::{Command, Person, Screen, Touch};
use super::{Model, Page, people};

impl Model {
    /// A guardian said so, or that it is found.
    pub(super) fn set_lost(&mut self, lost: bool) {
        if lost && !self.lost {
            self.lost_calls = 0;
            self.notice = None;
            self.apps.leave();
            if !self.counts_down() {
                self.page = Page::Home;
            }
        }
        self.lost = lost;
    }

    /// The one whom a touch calls: after each call it is the next one's turn, as a finder goes on until somebody answers.
    fn guardian(&self) -> Option<Person> {
        let guardians: Vec<_> = self.contacts.iter().filter(|contact| contact.kind == "guardian").collect();
        let turn = self.lost_calls.checked_rem(guardians.len())?;
        guardians.get(turn).copied().map(people::person)
    }

    /// All that a lost watch does besides calling for help.
    pub(super) fn touch_lost(&mut self, touch: Touch) -> Option<Command> {
        let Touch::Dial(id) = touch else { return None };
        self.guardian().filter(|guardian| guardian.id == id)?;
        self.lost_calls = self.lost_calls.wrapping_add(1);
        Some(Command::Dial(id))
    }

    pub(super) fn lost_screen(&self) -> Screen {
        let emergency = self.emergency.clone();
        Screen::Lost { guardian: self.guardian(), emergency, not_now: self.notice.is_some() }
    }
}
