//! The watch is lost: a guardian, and help.

use slint::ComponentHandle as _;

use super::Touched;
use crate::model::{Person, Touch};
use crate::text;
use crate::ui::{LostAdapter, Shell};

/// A name that fits after "Call".
const NAME: usize = 10;

pub(crate) fn bind(shell: &Shell, touched: &Touched) {
    let page = shell.global::<LostAdapter>();
    let on = touched.clone();
    page.on_dial(move |id| on(Touch::Dial(id.into())));
    let on = touched.clone();
    page.on_help(move || on(Touch::Help));
}

pub(crate) fn show(shell: &Shell, guardian: Option<&Person>, emergency: &str, not_now: bool) {
    let page = shell.global::<LostAdapter>();
    page.set_reachable(guardian.is_some());
    if let Some(guardian) = guardian {
        let short = Person { name: text::short(&guardian.name, NAME), ..guardian.clone() };
        let person = super::person(&short);
        if page.get_guardian() != person {
            page.set_guardian(person);
        }
    }
    page.set_emergency(text::shown(emergency, 6).into());
    page.set_not_now(not_now);
}
