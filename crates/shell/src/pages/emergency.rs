//! The seconds before an emergency call.

use slint::ComponentHandle as _;

use super::Touched;
use crate::model::Touch;
use crate::text;
use crate::ui::{EmergencyAdapter, Shell};

pub(crate) fn bind(shell: &Shell, touched: &Touched) {
    let on = touched.clone();
    shell.global::<EmergencyAdapter>().on_mistake(move || on(Touch::Mistake));
}

pub(crate) fn show(shell: &Shell, number: &str, seconds: u64) {
    let page = shell.global::<EmergencyAdapter>();
    page.set_number(text::shown(number, 6).into());
    page.set_seconds(seconds as i32);
    page.set_left(seconds as f32 / 3.0);
}
