//! The part of the model that knows people: whom the child may call, and who called.
//!
//! **Invariant:** nobody is called from a list of calls: a row leads to a page with a button of its own.

use ipc::Contact;

use super::inout::{Command, Person, Screen};
use super::{Model, PAGE, Page, ROWS};

impl Model {
    /// Who called last of those whose calls were missed, and how many such calls there are.
    pub fn missed(&self) -> Option<(&str, u32)> {
        let count = self.missed.iter().fold(0_u32, |count, missed| count.saturating_add(missed.count));
        self.missed.first().map(|missed| (missed.name.as_str(), count))
    }

    /// There are calls to show.
    pub fn has_calls(&self) -> bool {
        !self.calls.is_empty()
    }

    pub(super) fn saw_missed(&self) -> Option<Command> {
        self.missed.first().map(|missed| Command::SawMissed(missed.newest))
    }

    pub(super) fn may_call(&self, id: &str) -> bool {
        self.contacts.iter().any(|contact| contact.id == id)
    }

    /// Nobody's page stays who may not be called any more.
    pub(super) fn forget_person(&mut self) {
        if matches!(&self.page, Page::Person(id) if !self.may_call(id)) {
            self.page = Page::Home;
        }
    }

    pub(super) fn person_screen(&self, id: &str) -> Screen {
        let contact = self.contacts.iter().find(|contact| contact.id == id);
        Screen::Person(contact.map_or_else(|| self.emergency_person(), person))
    }

    pub(super) fn calls_screen(&self, page: usize) -> Screen {
        let calls = self.calls.iter().skip(page * ROWS).take(ROWS);
        Screen::Calls {
            calls: calls.map(|call| (call.clone(), self.may_call(&call.contact))).collect(),
            before: page > 0,
            after: self.calls.len() > (page + 1) * ROWS,
        }
    }

    fn emergency_person(&self) -> Person {
        Person { id: String::new(), name: self.emergency.clone(), picture: String::new() }
    }

    pub(super) fn contacts_screen(&self, page: usize) -> Screen {
        let place = |c: &&Contact| self.first.iter().position(|id| *id == c.id).unwrap_or(usize::MAX);
        let mut ordered: Vec<_> = self.contacts.iter().collect();
        ordered.sort_by_key(place);
        let everyone = ordered.into_iter().map(person);
        let people = everyone.chain([self.emergency_person()]).skip(page * PAGE).take(PAGE).collect();
        Screen::Contacts { people, before: page > 0, after: self.contacts.len() / PAGE > page }
    }
}

pub(super) fn person(contact: &Contact) -> Person {
    let Contact { id, name, picture, .. } = contact.clone();
    Person { id, name, picture }
}
