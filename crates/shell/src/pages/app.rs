//! What the watch says above an app, and why there is none.

use std::rc::Rc;

use slint::ComponentHandle as _;

use super::{Touched, apps};
use crate::model::{AppPhase, Sorry, Touch};
use crate::text;
use crate::ui::{self, AppAdapter, Shell, SorryAdapter};

/// The finger on the app, in pixels of the screen. It goes to the app alone; the model never hears of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Finger {
    /// It touched.
    Down(f32, f32),
    /// It moved while touching.
    Move(f32, f32),
    /// It was lifted.
    Up,
}

pub(crate) fn bind(shell: &Shell, touched: &Touched, finger: Rc<dyn Fn(Finger)>) {
    let page = shell.global::<AppAdapter>();
    let on = touched.clone();
    page.on_home(move || on(Touch::Home));
    let on = touched.clone();
    page.on_help(move || on(Touch::Help));
    let to = finger.clone();
    page.on_down(move |x, y| to(Finger::Down(x, y)));
    let to = finger.clone();
    page.on_moved(move |x, y| to(Finger::Move(x, y)));
    page.on_up(move || finger(Finger::Up));
    let on = touched.clone();
    shell.global::<SorryAdapter>().on_close(move || on(Touch::Close));
}

pub(crate) fn show(shell: &Shell, id: &str, name: &str, phase: AppPhase, left: Option<u64>) {
    let page = shell.global::<AppAdapter>();
    let name = text::shown(name, text::NAME);
    page.set_id(id.into());
    page.set_initial(apps::initial(&name).into());
    page.set_name(name.into());
    page.set_phase(match phase {
        AppPhase::Starting => ui::AppPhase::Starting,
        AppPhase::Live => ui::AppPhase::Live,
        AppPhase::TimeUp => ui::AppPhase::TimeUp,
        AppPhase::Waiting => ui::AppPhase::Waiting,
    });
    page.set_left(left.and_then(|left| i32::try_from(left).ok()).unwrap_or(-1));
}

pub(crate) fn sorry(shell: &Shell, why: Sorry) {
    shell.global::<SorryAdapter>().set_why(match why {
        Sorry::NotChecked => ui::Sorry::NotChecked,
        Sorry::NotAllowed => ui::Sorry::NotAllowed,
        Sorry::TimeUp => ui::Sorry::TimeUp,
        Sorry::Stopped => ui::Sorry::Stopped,
        Sorry::NotNow => ui::Sorry::NotNow,
    });
}
