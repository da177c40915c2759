//! The calls that are over, and the page of somebody in it.

use std::rc::Rc;

use ipc::PastCall;
use jiff::civil::DateTime;
use slint::{ComponentHandle as _, Model as _, ModelRc, VecModel};

use super::Touched;
use crate::model::{Person, Touch};
use crate::text;
use crate::ui::{self, CallsAdapter, PersonAdapter, Shell, Way};

/// A name that fits in a row.
const NAME: usize = 16;

pub(crate) fn bind(shell: &Shell, touched: &Touched) {
    let page = shell.global::<CallsAdapter>();
    let on = touched.clone();
    page.on_open(move |id| on(Touch::Person(id.into())));
    let on = touched.clone();
    page.on_turn(move |by| on(Touch::Turn(by)));
    let on = touched.clone();
    page.on_close(move || on(Touch::Close));
    let page = shell.global::<PersonAdapter>();
    let on = touched.clone();
    page.on_dial(move |id| on(Touch::Dial(id.into())));
    let on = touched.clone();
    page.on_close(move || on(Touch::Close));
}

pub(crate) fn show(
    shell: &Shell,
    calls: &[(PastCall, bool)],
    (before, after): (bool, bool),
    today: DateTime,
    local: impl Fn(i64) -> DateTime,
) {
    let page = shell.global::<CallsAdapter>();
    let rows = calls.iter().map(|(call, may_call)| row(call, *may_call, today, local(call.unix_time)));
    let rows = rows.collect::<Vec<_>>();
    if !page.get_calls().iter().eq(rows.iter().cloned()) {
        page.set_calls(ModelRc::from(Rc::new(VecModel::from(rows))));
    }
    page.set_before(before);
    page.set_after(after);
}

pub(crate) fn show_person(shell: &Shell, person: &Person) {
    let (page, person) = (shell.global::<PersonAdapter>(), super::person(person));
    if page.get_person() != person {
        page.set_person(person);
    }
}

fn row(call: &PastCall, may_call: bool, today: DateTime, at: DateTime) -> ui::CallRow {
    let (id, picture) = (call.contact.clone(), call.picture.clone());
    let person = super::person(&Person { id, name: text::short(&call.name, NAME), picture });
    // What a wrong clock wrote seems to come from later: then the day is said, too.
    let is_today = at.date() == today.date();
    ui::CallRow {
        person,
        way: match (call.incoming, call.outcome.as_str()) {
            (true, "missed") => Way::Missed,
            (true, _) => Way::Came,
            (false, _) => Way::Went,
        },
        time: if is_today { super::clock(at) } else { String::new() }.into(),
        weekday: i32::from(at.weekday().to_sunday_zero_offset()),
        day: i32::from(at.day()),
        may_call,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_call_has_its_time_today_and_its_day_before_that() {
        let call = |incoming, outcome: &str| PastCall {
            contact: "mum".into(),
            name: "Mum".into(),
            picture: String::new(),
            incoming,
            outcome: outcome.into(),
            unix_time: 0,
            seconds: 0,
        };
        let today = date(2026, 11, 23).at(10, 0, 0, 0);
        let of = |incoming, outcome, at| {
            let row = row(&call(incoming, outcome), true, today, at);
            (row.way, row.time.to_string(), row.weekday, row.day)
        };
        let early = date(2026, 11, 23).at(8, 5, 0, 0);
        assert_eq!(of(true, "missed", early), (Way::Missed, "8:05".into(), 1, 23));
        assert_eq!(of(true, "declined", early), (Way::Came, "8:05".into(), 1, 23));
        let late = date(2026, 11, 22).at(23, 59, 0, 0);
        assert_eq!(of(false, "unanswered", late), (Way::Went, String::new(), 0, 22));
        let later = date(2026, 11, 24).at(0, 0, 0, 0);
        assert_eq!(of(true, "answered", later), (Way::Came, String::new(), 2, 24));
    }
}
