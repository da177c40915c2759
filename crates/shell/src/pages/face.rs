//! The time.

use jiff::civil::DateTime;
use slint::ComponentHandle as _;

use super::Touched;
use crate::model::{Hint, Touch};
use crate::text;
use crate::ui::{self, FaceAdapter, Shell};

/// The nestling sleeps from eight in the evening to seven in the morning.
const AWAKE: std::ops::Range<i8> = 7..20;

/// A name that fits before "called".
const CALLER: usize = 10;

pub(crate) fn bind(shell: &Shell, touched: &Touched) {
    let page = shell.global::<FaceAdapter>();
    let on = touched.clone();
    page.on_contacts(move || on(Touch::Contacts));
    let on = touched.clone();
    page.on_ask(move || on(Touch::Ask));
    let on = touched.clone();
    page.on_open_apps(move || on(Touch::Apps));
    let on = touched.clone();
    page.on_calls(move || on(Touch::Calls));
    let on = touched.clone();
    page.on_looked(move || on(Touch::Looked));
}

pub(crate) fn show(shell: &Shell, hint: Hint, time: DateTime, apps: bool, missed: Option<(&str, u32)>) {
    let page = shell.global::<FaceAdapter>();
    let (name, count) = missed.unwrap_or_default();
    page.set_caller(text::shown(name, CALLER).into());
    page.set_missed(i32::try_from(count).unwrap_or(i32::MAX));
    page.set_apps(apps);
    let (hour, minute, second) = (f32::from(time.hour()), f32::from(time.minute()), f32::from(time.second()));
    page.set_second(second * 6.0);
    // Whole minutes: a hand that creeps would be drawn again every second.
    page.set_minute(minute * 6.0);
    page.set_hour(hour % 12.0 * 30.0 + minute * 0.5);
    page.set_asleep(!AWAKE.contains(&time.hour()));
    page.set_weekday(i32::from(time.weekday().to_sunday_zero_offset()));
    page.set_day(i32::from(time.day()));
    page.set_spoken(super::clock(time).into());
    page.set_hint(match hint {
        Hint::None => ui::Hint::None,
        Hint::Ask => ui::Hint::Ask,
        Hint::Signal => ui::Hint::Signal,
        Hint::NotNow => ui::Hint::NotNow,
        Hint::Missed => ui::Hint::Missed,
    });
}

pub(crate) fn battery(shell: &Shell, percent: Option<u8>) {
    shell.global::<FaceAdapter>().set_battery(percent.map_or(-1.0, |percent| f32::from(percent) / 100.0));
}
