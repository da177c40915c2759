//! The drawer: apps the family granted.

use std::rc::Rc;

use ipc::App;
use slint::{ComponentHandle as _, Model as _, ModelRc, VecModel};

use super::Touched;
use crate::model::Touch;
use crate::text;
use crate::ui::{self, AppsAdapter, Shell};

pub(crate) fn bind(shell: &Shell, touched: &Touched) {
    let page = shell.global::<AppsAdapter>();
    let on = touched.clone();
    page.on_open(move |id| on(Touch::Open(id.into())));
    let on = touched.clone();
    page.on_turn(move |by| on(Touch::Turn(by)));
    let on = touched.clone();
    page.on_close(move || on(Touch::Close));
}

pub(crate) fn show(shell: &Shell, apps: &[App], before: bool, after: bool) {
    let page = shell.global::<AppsAdapter>();
    let apps = apps.iter().map(tile).collect::<Vec<_>>();
    if !page.get_apps().iter().eq(apps.iter().cloned()) {
        page.set_apps(ModelRc::from(Rc::new(VecModel::from(apps))));
    }
    page.set_before(before);
    page.set_after(after);
}

fn tile(app: &App) -> ui::AppTile {
    let mut name = text::shown(&app.name, text::NAME);
    if app.name == app.id {
        // Nobody gave it a name: then its id stands there, as a name would.
        name = initial(&name) + &name.chars().skip(1).collect::<String>();
    }
    ui::AppTile {
        id: app.id.as_str().into(),
        initial: initial(&name).into(),
        name: name.into(),
        ready: app.reason.is_empty(),
    }
}

/// What stands on the picture of an app that has none of its own.
pub(super) fn initial(name: &str) -> String {
    name.chars().next().map(|first| first.to_uppercase().collect()).unwrap_or_default()
}
