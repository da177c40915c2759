//! Incoming, outgoing and running calls.

use ipc::CallState;
use slint::ComponentHandle as _;

use super::Touched;
use crate::model::{OnCall, Touch};
use crate::text;
use crate::ui::{CallAdapter, CallPhase, Shell};

/// A name that fits before "is calling".
const WAITING: usize = 12;

/// Keys that fit above the keypad.
const TYPED: usize = 7;

pub(crate) fn bind(shell: &Shell, touched: &Touched) {
    let page = shell.global::<CallAdapter>();
    let on = touched.clone();
    page.on_answer(move || on(Touch::Answer));
    let on = touched.clone();
    page.on_hang_up(move || on(Touch::HangUp));
    let on = touched.clone();
    page.on_mute(move || on(Touch::Mute));
    let on = touched.clone();
    page.on_keypad(move |shown| on(Touch::Keypad(shown)));
    let on = touched.clone();
    page.on_tone(move |key| on(Touch::Tone(key.into())));
}

pub(crate) fn show(shell: &Shell, call: &OnCall) {
    let page = shell.global::<CallAdapter>();
    page.set_phase(match call.state {
        CallState::Ringing if !call.answering => CallPhase::Ringing,
        CallState::Ringing | CallState::Dialling => CallPhase::Dialling,
        CallState::Active | CallState::None => CallPhase::Active,
    });
    let person = super::person(&call.person);
    if page.get_person() != person {
        page.set_person(person);
    }
    page.set_rings(call.rings.into());
    page.set_duration(duration(call.seconds).into());
    page.set_can_answer(call.can_answer);
    page.set_muted(call.muted);
    page.set_answering(call.answering);
    page.set_typed(typed(call.keypad.as_deref().unwrap_or_default()).into());
    page.set_waiting(text::shown(&call.waiting, WAITING).into());
}

/// The end of it, as much as there is room for.
fn typed(keys: &str) -> &str {
    keys.get(keys.len().saturating_sub(TYPED)..).unwrap_or_default()
}

fn duration(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 { format!("{minutes}:{seconds:02}") } else { format!("{hours}:{minutes:02}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::{duration, typed};

    #[test]
    fn the_last_keys_are_shown() {
        assert_eq!(["", "12", "1234567", "0123456789#"].map(typed), ["", "12", "1234567", "456789#"]);
    }

    #[test]
    fn a_call_is_counted_in_minutes_then_in_hours() {
        assert_eq!([0, 9, 161, 3_725].map(duration), ["0:00", "0:09", "2:41", "1:02:05"]);
    }
}
