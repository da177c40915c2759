//! One controller for each page: takes what the model says to Slint, and touches back.

pub(crate) mod app;
pub(crate) mod apps;
pub(crate) mod call;
pub(crate) mod calls;
pub(crate) mod contacts;
pub(crate) mod emergency;
pub(crate) mod enrol;
pub(crate) mod face;
pub(crate) mod lock;
pub(crate) mod looked;
pub(crate) mod looks;
pub(crate) mod lost;
pub(crate) mod search;

use std::rc::Rc;

pub use app::Finger;

use jiff::civil::DateTime;

use crate::model::{Person, Touch};
use crate::{faces, text, ui};

/// Where a page's touches go.
pub(crate) type Touched = Rc<dyn Fn(Touch)>;

pub(crate) fn person(person: &Person) -> ui::Person {
    let look = if person.id.is_empty() { faces::service() } else { faces::face(&person.picture, &person.id) };
    ui::Person { id: person.id.as_str().into(), name: text::shown(&person.name, text::NAME).into(), look }
}

/// The time of a moment, as the face says it.
fn clock(time: DateTime) -> String {
    format!("{}:{:02}", time.hour(), time.minute())
}
