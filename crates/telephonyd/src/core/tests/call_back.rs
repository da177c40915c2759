//! Those who help call back.

use super::*;

const WINDOW_MS: u64 = 30 * 60_000;

/// The child has called 112 and the call has ended.
fn after_112() -> Watch {
    let mut watch = Watch::new();
    let ticket = watch.dial_emergency("112");
    watch.event(Event::Dialled(ticket, Some(CallId("help".into()))));
    watch.outgoing("help", Progress::Active, "112");
    watch.wait(120_000);
    watch.outgoing("help", Progress::Over, "112");
    watch
}

#[test]
fn t8_after_an_emergency_call_anybody_rings_for_half_an_hour_and_the_diary_says_why() {
    for number in [STRANGER, "", "112", "anonymous", "18100"] {
        let mut watch = after_112();
        assert_eq!(watch.diary(), ["emergency-call number=112", "emergency-window number=112 minutes=30"]);
        watch.effects.clear();
        watch.wait(WINDOW_MS - 5000);
        watch.incoming("a", number);
        watch.wait(1500);
        assert_eq!(watch.state(), CallState::Ringing, "{number}");
        assert_eq!((watch.core.shown.contact.as_str(), watch.core.shown.name.as_str()), ("", "112"));
        watch.gone("a");
        let caller = match number {
            STRANGER => "…66",
            "" | "anonymous" => "withheld",
            _ => "unreadable",
        };
        assert_eq!(watch.diary(), [format!("call-missed caller={caller} reason=emergency-window")]);
        watch.wait(5000);
        watch.incoming("b", STRANGER);
        assert_eq!((watch.state(), watch.hang_ups("b")), (CallState::None, 1), "the window is over");
    }
}

#[test]
fn t8_what_rang_within_the_window_rings_on_and_a_friend_in_class_has_her_name() {
    let mut watch = after_112();
    watch.wait(WINDOW_MS - 1000);
    watch.incoming("a", STRANGER);
    watch.wait(60_000);
    watch.rules(without("aunt"), false);
    assert_eq!((watch.state(), watch.hang_ups("a")), (CallState::Ringing, 0));

    let mut watch = after_112();
    let mut policy = family();
    policy.contacts[2].may.ring = false;
    watch.rules(policy, false);
    watch.incoming("a", FRIEND);
    assert_eq!(watch.core.shown.contact, "friend");
}

#[test]
fn a06_a_call_back_is_not_answered_without_a_touch_either() {
    let mut watch = after_112();
    watch.incoming("a", STRANGER);
    let early = watch.request(Request::Accept(watch.core.shown.id));
    assert_eq!(watch.answer(early), Some(Err(Refused::TooEarly)));
    watch.seen("a", Direction::Incoming, Progress::Active, STRANGER);
    assert_eq!((watch.hang_ups("a"), watch.state()), (1, CallState::None));
}

#[test]
fn a04_only_a_call_for_help_that_was_made_opens_the_window() {
    let mut watch = Watch::new();
    watch.modem(ModemState::Absent);
    watch.dial_emergency("112");
    watch.modem(ModemState::Registered);
    let failed = watch.dial_emergency("112");
    watch.event(Event::Dialled(failed, None));
    watch.dial_emergency(STRANGER);
    let aunt = watch.request(Request::Dial("aunt".into()));
    watch.event(Event::Dialled(aunt, Some(CallId("aunt".into()))));
    watch.outgoing("aunt", Progress::Active, AUNT);
    watch.gone("aunt");
    watch.incoming("a", STRANGER);
    assert_eq!((watch.state(), watch.hang_ups("a")), (CallState::None, 1));
}

#[test]
fn a44_the_wall_clock_neither_ends_nor_lengthens_the_window() {
    for step in [-100_000, 100_000] {
        let mut watch = after_112();
        watch.wait(WINDOW_MS - 1000);
        let unix = MORNING + watch.now.as_secs().cast_signed() + step;
        watch.effects.extend(watch.core.handle(Event::Tick, Now { boot: watch.now, unix }));
        watch.incoming("a", STRANGER);
        assert_eq!(watch.state(), CallState::Ringing);
        watch.gone("a");
        watch.wait(1000);
        watch.incoming("b", STRANGER);
        assert_eq!(watch.hang_ups("b"), 1);
    }
}

#[test]
fn a45_a_restart_keeps_the_window_and_a_reboot_or_a_forged_one_does_not() {
    let watch = after_112();
    let kept = watch.effects.iter().rev().find_map(|effect| match effect {
        Effect::KeepCallBack(window) => Some(window.clone()),
        _ => None,
    });
    let mut restarted = Watch::new();
    restarted.now = watch.now;
    restarted.event(Event::CallBack(kept.clone().unwrap()));
    restarted.incoming("a", STRANGER);
    assert_eq!(restarted.state(), CallState::Ringing);
    let longer = serde_json::to_string(&kept.unwrap()).unwrap().replace("\"until_ms\":", "\"until_ms\":1000");
    let name = r#"{"number":"Mum","until_ms":100000}"#.to_owned();
    for forged in [longer, name] {
        let mut watch = Watch::new();
        watch.event(Event::CallBack(serde_json::from_str(&forged).unwrap()));
        watch.incoming("a", STRANGER);
        assert_eq!(watch.hang_ups("a"), 1, "{forged}");
    }
}
