//! Who is calling, and whether that may ring.

use policy::{
    Action, Caller, Contact, Moment, NumberError, Numbering, Policy, Reason, Verdict, decide, normalise,
};

use super::types::Rules;

/// Words some networks send in place of a number.
const WITHHELD: [&str; 6] = ["anonymous", "private", "withheld", "unknown", "unavailable", "restricted"];

/// Reads what the network sent.
pub(super) fn read(text: &str, plan: &Numbering) -> Caller {
    let text = text.trim();
    if WITHHELD.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Caller::Withheld;
    }
    match normalise(text, plan) {
        Ok(number) => Caller::Number(number),
        Err(NumberError::Empty) => Caller::Withheld,
        Err(_) => Caller::Unreadable,
    }
}

/// What the diary may know of a caller that was turned away.
pub(super) fn label(caller: Caller) -> String {
    match caller {
        Caller::Number(number) => number.tail(),
        Caller::Withheld => "withheld".into(),
        Caller::Unreadable => "unreadable".into(),
    }
}

/// The contact whose call may come in or go out, or the name of the reason why not.
pub(super) fn admit<'r>(
    rules: &'r Rules,
    moment: &Moment<'_>,
    action: Action<'_>,
) -> Result<&'r Contact, &'static str> {
    match decide(&rules.book, moment, &action) {
        Verdict::Allow { .. } => known(&rules.book.policy, action).ok_or("unknown-number"),
        // While sealed nobody but guardians is known, which says nothing about the caller.
        Verdict::Deny { reason: Reason::UnknownNumber, .. } if rules.sealed => Err("sealed"),
        Verdict::Deny { reason, .. } => Err(reason.as_str()),
    }
}

/// The contact of a number.
pub(super) fn known<'p>(policy: &'p Policy, action: Action<'_>) -> Option<&'p Contact> {
    match action {
        Action::Ring(Caller::Number(number)) | Action::Dial(number) => policy.contact_of(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::numbering_of_imsi;
    use proptest::prelude::*;

    #[test]
    fn a04_a_withheld_caller_is_one_however_the_network_says_it() {
        let finland = numbering_of_imsi("244990000000042");
        for text in ["", " ", "+", "anonymous", "Anonymous", "PRIVATE", "unavailable"] {
            assert_eq!(read(text, finland), Caller::Withheld, "{text:?}");
        }
        for text in ["Mum", "sip:mum@example.org", "112", "+358405550001;phone-context=x"] {
            assert_eq!(read(text, finland), Caller::Unreadable, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a26_no_caller_text_panics(text in "\\PC*", imsi in "[0-9]{0,15}") {
            let _ = label(read(&text, numbering_of_imsi(&imsi)));
        }
    }
}
