//! Reading the screen as a child would: is it the face, does something ring, is it locked?

use crate::vm::screen::{Pixel, Screen};

/// Colours of the look that tell screens apart.
mod colour {
    use super::Pixel;

    pub(super) const LEAF: Pixel = [0x28, 0xc7, 0x6f];
    pub(super) const RED: Pixel = [0xf0, 0x44, 0x3a];
    pub(super) const LILAC: Pixel = [0xb4, 0x9b, 0xff];
    pub(super) const CORAL: Pixel = [0xff, 0x6b, 0x5e];
    pub(super) const SKY: Pixel = [0x58, 0xb4, 0xff];
    pub(super) const SUN: Pixel = [0xff, 0xc9, 0x3c];
}

/// Where a finger finds the red button of a ringing call on the 466 px screen.
pub const RED_BUTTON: (u32, u32) = (133, 356);
/// The green one, 200 px beside it.
pub const GREEN_BUTTON: (u32, u32) = (333, 356);
/// The help button of the locked screen.
pub const HELP_BUTTON: (u32, u32) = (153, 355);
/// The eye of the face that counts the looks of the day.
pub const LOOKS_TODAY: (u32, u32) = (233, 147);
/// The way back from a list to the time.
pub const LIST_BACK: (u32, u32) = (233, 379);
/// The pill that ends a search.
pub const FOUND_PILL: (u32, u32) = (233, 371);
/// Its left end, where no button for one finger reaches.
const FOUND_END: (u32, u32) = (176, 371);
/// The pill of a lost watch that calls a guardian.
pub const GUARDIAN_PILL: (u32, u32) = (233, 263);
/// Its right end, behind the words.
const GUARDIAN_END: (u32, u32) = (376, 263);
/// The pill on an unbound watch's face.
pub const ASK_PILL: (u32, u32) = (233, 316);

/// The eye of the card that says who looks: its middle, and the card's upper edge above its words.
const EYE: (u32, u32) = (144, 88);
const CARD: (u32, u32) = (233, 56);
/// The number of missed calls on the face: with a button to the apps beside it, and without.
const MISSED: [(u32, u32); 2] = [(161, 370), (203, 377)];
/// The face's button that leads to the apps.
pub const APPS_BUTTON: (u32, u32) = (275, 394);
/// The watch's own button above an app.
const SOS_BUTTON: (u32, u32) = (233, 405);
/// What the drawing pad draws on.
pub const PAPER: Pixel = [0xff, 0xf6, 0xe0];

/// What a child sees, as far as this program can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The time, and nothing to complain about; perhaps that somebody called ([`missed`]).
    Face,
    /// The time, and a hint that there is no guardian yet.
    New,
    /// A call rings and can be answered.
    Ringing,
    /// A call runs or is being dialled.
    Call,
    /// The apps to choose from.
    Drawer,
    /// The drawing pad, under the watch's own button.
    App,
    /// There is no app, but not for want of a signature.
    Sorry,
    /// There is no app, because nobody checked it.
    NotChecked,
    /// The lock.
    Locked,
    /// A guardian looks for the watch.
    SearchedFor,
    /// The watch is lost: help, and a guardian.
    Lost,
    /// Something else.
    Other,
}

/// What is on the screen.
pub fn seen(screen: &Screen) -> Seen {
    let middle = (233, 233);
    let red = share(screen, RED_BUTTON, 30, colour::RED) > 0.4;
    let green = share(screen, GREEN_BUTTON, 30, colour::LEAF) > 0.4;
    let call = share(screen, (middle.0, middle.1 + 150), 30, colour::RED) > 0.4;
    let chick = share(screen, middle, 34, colour::SUN) > 0.25;
    // On the face an eye in that colour counts who looked.
    let lock = !chick && share(screen, (middle.0, middle.1 - 100), 40, colour::LILAC) > 0.1;
    let hint = share(screen, ASK_PILL, 24, colour::SUN);
    let back = share(screen, (middle.0, middle.1 + 134), 30, colour::SUN) > 0.3;
    if share(screen, FOUND_END, 6, colour::SUN) > 0.9 {
        return Seen::SearchedFor;
    }
    if share(screen, GUARDIAN_END, 6, colour::LEAF) > 0.9 {
        return Seen::Lost;
    }
    if back && !chick {
        return if lock { Seen::NotChecked } else { Seen::Sorry };
    }
    // Its word stands at the top, in a colour no other page has there.
    if !chick && share(screen, (middle.0, middle.1 - 180), 24, colour::SKY) > 0.05 {
        return Seen::Drawer;
    }
    if share(screen, SOS_BUTTON, 24, colour::RED) > 0.4 && share(screen, (110, 300), 20, PAPER) > 0.6 {
        return Seen::App;
    }
    match (red, green, call, lock, chick) {
        // Its two buttons stand almost where those of a ringing call are.
        (_, _, _, true, _) => Seen::Locked,
        (true, true, ..) => Seen::Ringing,
        (_, _, true, ..) => Seen::Call,
        (.., true) if hint > 0.3 => Seen::New,
        // "No signal" stands there in the same colour.
        (.., true) if hint < 0.01 || missed(screen) => Seen::Face,
        _ => Seen::Other,
    }
}

/// Whether the face says that a call was missed.
pub fn missed(screen: &Screen) -> bool {
    MISSED.iter().any(|place| share(screen, *place, 12, colour::CORAL) > 0.5)
}

/// Whether the screen says that somebody looks where the child is.
pub fn looked_at(screen: &Screen) -> bool {
    share(screen, EYE, 4, colour::LILAC) > 0.8 && share(screen, CARD, 2, colour::LILAC) > 0.3
}

/// How much of the square around a point has a colour, 0 to 1.
fn share(screen: &Screen, (x, y): (u32, u32), reach: u32, colour: Pixel) -> f64 {
    let mut hits = 0_u32;
    for py in y.saturating_sub(reach)..=y + reach {
        for px in x.saturating_sub(reach)..=x + reach {
            let pixel = screen.pixel(px as usize, py as usize);
            let near = |pixel: Pixel| pixel.iter().zip(&colour).all(|(a, b)| a.abs_diff(*b) <= 24);
            hits += u32::from(pixel.is_some_and(near));
        }
    }
    f64::from(hits) / f64::from((2 * reach + 1).pow(2))
}
