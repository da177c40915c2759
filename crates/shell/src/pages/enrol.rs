//! First run: the code for the first guardian.

use std::rc::Rc;

use slint::{ComponentHandle as _, ModelRc, SharedString, VecModel};

use super::Touched;
use crate::model::{Enrol, Touch};
use crate::text;
use crate::ui::{EnrolAdapter, EnrolPhase, Shell};

pub(crate) fn bind(shell: &Shell, touched: &Touched) {
    let page = shell.global::<EnrolAdapter>();
    let on = touched.clone();
    page.on_again(move || on(Touch::Ask));
    let on = touched.clone();
    page.on_close(move || on(Touch::Close));
}

pub(crate) fn show(shell: &Shell, enrol: &Enrol) {
    let page = shell.global::<EnrolAdapter>();
    let (phase, code, left) = match enrol {
        Enrol::Waiting => (EnrolPhase::Waiting, "", 0),
        Enrol::Code(code, left) => (EnrolPhase::Code, code.as_str(), *left),
        Enrol::Failed => (EnrolPhase::Failed, "", 0),
    };
    let lines = text::code_lines(code).into_iter().map(SharedString::from).collect::<Vec<_>>();
    page.set_lines(ModelRc::from(Rc::new(VecModel::from(lines))));
    page.set_left(left as f32 / 100.0);
    page.set_phase(phase);
}
