//! "Who saw me": today's looks.

use std::rc::Rc;

use ipc::Looked;
use jiff::civil::DateTime;
use slint::{ComponentHandle as _, Model as _, ModelRc, VecModel};

use super::Touched;
use crate::model::{Person, Touch};
use crate::text;
use crate::ui::{self, LookedAdapter, Shell};

/// A name that fits before "looked".
const NAME: usize = 11;

pub(crate) fn bind(shell: &Shell, touched: &Touched) {
    let page = shell.global::<LookedAdapter>();
    let on = touched.clone();
    page.on_turn(move |by| on(Touch::Turn(by)));
    let on = touched.clone();
    page.on_close(move || on(Touch::Close));
}

pub(crate) fn show(
    shell: &Shell,
    looks: &[Looked],
    (before, after): (bool, bool),
    local: impl Fn(i64) -> DateTime,
) {
    let page = shell.global::<LookedAdapter>();
    let row = |look: &Looked| {
        let (id, picture) = (look.guardian.clone(), look.picture.clone());
        let person = super::person(&Person { id, name: text::short(&look.name, NAME), picture });
        ui::LookRow { person, time: super::clock(local(look.unix_time)).into() }
    };
    let rows = looks.iter().map(row).collect::<Vec<_>>();
    if !page.get_looks().iter().eq(rows.iter().cloned()) {
        page.set_looks(ModelRc::from(Rc::new(VecModel::from(rows))));
    }
    page.set_before(before);
    page.set_after(after);
}
