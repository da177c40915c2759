//! Who looks where the child is: above every page, and a count on the face.

use slint::ComponentHandle as _;

use crate::text;
use crate::ui::{LooksAdapter, Shell};

/// A name that fits before "looks".
const NAME: usize = 7;

pub(crate) fn show(shell: &Shell, looking: &[&str], today: u32) {
    let card = shell.global::<LooksAdapter>();
    card.set_name(text::short(looking.first().copied().unwrap_or_default(), NAME).into());
    let names: Vec<_> = looking.iter().map(|name| text::shown(name, text::NAME)).collect();
    card.set_names(names.join(", ").into());
    card.set_people(i32::try_from(looking.len()).unwrap_or(i32::MAX));
    card.set_today(i32::try_from(today).unwrap_or(i32::MAX));
}
