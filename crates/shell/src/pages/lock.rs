//! Sealed: the lifeline only.

use slint::ComponentHandle as _;

use super::Touched;
use crate::model::Touch;
use crate::text;
use crate::ui::{LockAdapter, Shell};

pub(crate) fn bind(shell: &Shell, touched: &Touched) {
    let page = shell.global::<LockAdapter>();
    let on = touched.clone();
    page.on_contacts(move || on(Touch::Contacts));
    let on = touched.clone();
    page.on_help(move || on(Touch::Help));
}

pub(crate) fn show(shell: &Shell, emergency: &str) {
    shell.global::<LockAdapter>().set_emergency(text::shown(emergency, 6).into());
}
