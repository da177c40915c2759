//! The people the child may call.

use std::rc::Rc;

use slint::{ComponentHandle as _, Model as _, ModelRc, VecModel};

use super::Touched;
use crate::model::{Person, Touch};
use crate::ui::{self, ContactsAdapter, Shell};

pub(crate) fn bind(shell: &Shell, touched: &Touched) {
    let page = shell.global::<ContactsAdapter>();
    let on = touched.clone();
    page.on_dial(move |id| on(Touch::Dial(id.into())));
    let on = touched.clone();
    page.on_turn(move |by| on(Touch::Turn(by)));
    let on = touched.clone();
    page.on_close(move || on(Touch::Close));
    let on = touched.clone();
    page.on_open_calls(move || on(Touch::Calls));
}

pub(crate) fn show(shell: &Shell, people: &[Person], before: bool, after: bool, calls: bool) {
    let page = shell.global::<ContactsAdapter>();
    let people = people.iter().map(super::person).collect::<Vec<ui::Person>>();
    if !page.get_people().iter().eq(people.iter().cloned()) {
        page.set_people(ModelRc::from(Rc::new(VecModel::from(people))));
    }
    page.set_calls(calls);
    page.set_before(before);
    page.set_after(after);
}
