//! A guardian looks for the watch.

use slint::ComponentHandle as _;

use super::Touched;
use crate::model::{Person, Touch};
use crate::text;
use crate::ui::{SearchAdapter, Shell};

/// A name that fits before "is looking".
const NAME: usize = 11;

pub(crate) fn bind(shell: &Shell, touched: &Touched) {
    let on = touched.clone();
    shell.global::<SearchAdapter>().on_found(move || on(Touch::Found));
}

pub(crate) fn show(shell: &Shell, person: &Person, rings: u8) {
    let page = shell.global::<SearchAdapter>();
    let person = super::person(&Person { name: text::short(&person.name, NAME), ..person.clone() });
    if page.get_person() != person {
        page.set_person(person);
    }
    page.set_rings(rings.into());
}
