//! The modem as a terminal sees it.

use proptest::prelude::*;

use super::*;

fn at(seconds: u64) -> Now {
    Now { mono: Duration::from_secs(seconds), unix_ms: 1_795_434_000_000 }
}

fn text(out: &[Output]) -> String {
    let bytes = out.iter().filter_map(|output| match output {
        Output::Bytes(bytes) => Some(bytes.clone()),
        Output::Event(_) => None,
    });
    String::from_utf8(bytes.flatten().collect()).unwrap()
}

fn events(out: &[Output]) -> Vec<Event> {
    let events = out.iter().filter_map(|output| match output {
        Output::Event(event) => Some(event.clone()),
        Output::Bytes(_) => None,
    });
    events.collect()
}

fn ask(modem: &mut Modem, line: &str) -> String {
    text(&modem.feed(format!("{line}\r").as_bytes(), at(1)))
}

/// As ModemManager leaves it.
fn ready() -> Modem {
    let mut modem = Modem::new(ModemConfig::default());
    for line in ["ATE0", "AT+CREG=2", "AT+CLIP=1", "AT+CRC=1", "AT+CCWA=1"] {
        assert_eq!(ask(&mut modem, line), "\r\nOK\r\n", "{line}");
    }
    modem
}

const MUM: &str = "+358405550001";

/// Every command of a recorded start of ModemManager 1.24 and how it is answered.
#[test]
fn all_that_modem_manager_asks_is_answered() {
    let mut modem = Modem::new(ModemConfig::default());
    for line in include_str!("asked.txt").lines().filter(|line| !line.starts_with('#')) {
        let (command, wanted) = line.split_once(" | ").unwrap();
        let answer = ask(&mut modem, command);
        let (start, last) = (answer.trim_start(), answer.trim_end());
        assert!(start.starts_with(wanted), "{command}: {answer}");
        assert!(last.ends_with(if wanted == "ERROR" { "ERROR" } else { "OK" }), "{command}: {answer}");
    }
}

#[test]
fn a_call_rings_every_three_seconds_and_is_listed_for_as_long_as_it_lives() {
    let mut modem = ready();
    let out = modem.incoming(Some(MUM), at(10)).unwrap();
    assert_eq!(events(&out), [Event::Ringing { number: Some(MUM.into()) }]);
    assert_eq!(text(&out), "\r\n+CRING: VOICE\r\n\r\n+CLIP: \"+358405550001\",145,,,,0\r\n");
    assert_eq!(modem.next_tick(), Some(Duration::from_secs(13)));
    assert!(text(&modem.tick(at(12))).is_empty());
    assert!(text(&modem.tick(at(13))).contains("+CRING"));
    assert!(ask(&mut modem, "AT+CLCC").contains("+CLCC: 1,1,4,0,0,\"+358405550001\",145"));
    assert_eq!(ask(&mut modem, "ATA"), "\r\nOK\r\n");
    assert!(ask(&mut modem, "AT+CLCC").contains("+CLCC: 1,1,0,"));
    assert_eq!(modem.next_tick(), None);
    let out = modem.feed(b"AT+CHLD=11\r", at(20));
    let number = Some(MUM.to_owned());
    assert_eq!(events(&out), [Event::HungUpByWatch { number, answered: true, command: HangUp::Chld }]);
    assert_eq!(ask(&mut modem, "AT+CLCC"), "\r\nOK\r\n");
}

#[test]
fn a_withheld_caller_has_no_number_anywhere() {
    let mut modem = ready();
    let out = modem.incoming(None, at(1)).unwrap();
    assert!(text(&out).ends_with("+CLIP: \"\",128,,,,1\r\n"));
    assert!(ask(&mut modem, "AT+CLCC").contains("+CLCC: 1,1,4,0,0,\"\",128"));
    assert_eq!(events(&modem.feed(b"AT+CHUP\r", at(2))).len(), 1);
}

#[test]
fn a_second_caller_waits_and_rings_when_the_first_is_gone() {
    let mut modem = ready();
    modem.incoming(Some(MUM), at(1)).unwrap();
    let out = modem.incoming(Some("+358405550002"), at(2)).unwrap();
    assert_eq!(text(&out), "\r\n+CCWA: \"+358405550002\",145,1\r\n");
    assert!(ask(&mut modem, "AT+CLCC").contains("+CLCC: 2,1,5,"));
    let out = modem.feed(b"AT+CHLD=11\r", at(3));
    assert!(text(&out).contains("+CLIP: \"+358405550002\""));
    assert!(ask(&mut modem, "AT+CLCC").contains("+CLCC: 2,1,4,"));
}

#[test]
fn a_dialled_call_rings_at_the_other_end_and_is_taken() {
    let mut modem = ready();
    let out = modem.feed(b"ATD+358401234567;\r", at(1));
    assert_eq!(events(&out), [Event::Dialled { number: "+358401234567".into() }]);
    assert!(ask(&mut modem, "AT+CLCC").contains("+CLCC: 1,0,2,"));
    assert_eq!(events(&modem.tick(at(2))), [Event::RemoteRinging { number: "+358401234567".into() }]);
    assert!(ask(&mut modem, "AT+CLCC").contains("+CLCC: 1,0,3,"));
    modem.remote_answer().unwrap();
    assert!(ask(&mut modem, "AT+CLCC").contains("+CLCC: 1,0,0,"));
    assert_eq!(ask(&mut modem, "AT+VTS=5"), "\r\nOK\r\n");
    assert_eq!(text(&modem.remote_hang_up(at(3)).unwrap()), "\r\nNO CARRIER\r\n");
    assert_eq!(modem.remote_hang_up(at(3)), Err(WorldError::NoCall));
}

#[test]
fn the_emergency_number_is_carried_without_a_sim_and_no_other() {
    let mut modem = Modem::new(ModemConfig { sim: None, ..ModemConfig::default() });
    assert_eq!(ask(&mut modem, "AT+CPIN?"), "\r\n+CME ERROR: 10\r\n");
    assert_eq!(ask(&mut modem, "ATD+358401234567;"), "\r\nNO CARRIER\r\n");
    assert_eq!(ask(&mut modem, "ATD112;"), "\r\nOK\r\n");
}

#[test]
fn an_unregistered_watch_is_not_reached() {
    let mut modem = ready();
    assert_eq!(text(&modem.set_registration(Registration::Denied)), "\r\n+CREG: 3\r\n");
    let out = modem.incoming(Some(MUM), at(1)).unwrap();
    assert_eq!(out, [Output::Event(Event::Unreachable { number: Some(MUM.into()) })]);
}

#[test]
fn a_lost_network_takes_the_call_along() {
    let mut modem = ready();
    modem.incoming(Some(MUM), at(1)).unwrap();
    let out = modem.set_registration(Registration::Searching);
    assert_eq!(events(&out), [Event::Lost { number: Some(MUM.into()) }]);
    assert_eq!(text(&out), "\r\nNO CARRIER\r\n\r\n+CREG: 2\r\n");
    assert!(modem.calls().is_empty());
}

#[test]
fn a_radio_that_is_off_carries_nothing_until_the_watch_switches_it_on() {
    let mut modem = ready();
    assert_eq!(text(&modem.set_radio(false)), "\r\n+CREG: 0\r\n");
    assert_eq!(ask(&mut modem, "AT+CFUN?"), "\r\n+CFUN: 4\r\n\r\nOK\r\n");
    assert_eq!(ask(&mut modem, "ATD112;"), "\r\nNO CARRIER\r\n");
    assert!(ask(&mut modem, "AT+CFUN=1").contains("+CREG: 1,"));
    assert!(ask(&mut modem, "AT+COPS?").contains("Kidfone FI"));
    assert_eq!(ask(&mut modem, "AT+CFUN=7"), "\r\nERROR\r\n");
}

#[test]
fn a_tray_is_empty_locked_or_somebody_elses() {
    let mut modem = ready();
    let card = SimCard::default();
    modem.incoming(Some(MUM), at(1)).unwrap();
    let out = modem.set_tray(Tray::Empty);
    assert_eq!(events(&out), [Event::Lost { number: Some(MUM.into()) }]);
    assert!(text(&out).ends_with("+CREG: 0\r\n"));
    assert_eq!(ask(&mut modem, "AT+CPIN?"), "\r\n+CME ERROR: 10\r\n");
    assert_eq!(text(&modem.set_tray(Tray::Locked(card.clone()))), "", "it stays unregistered");
    assert_eq!(ask(&mut modem, "AT+CPIN?"), "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n");
    assert_eq!(ask(&mut modem, "AT+CIMI"), "\r\n+CME ERROR: 11\r\n");
    assert_eq!(ask(&mut modem, "AT+CPIN=\"1234\""), "\r\nERROR\r\n");
    assert_eq!(ask(&mut modem, "ATD112;"), "\r\nOK\r\n");
    let other = SimCard::numbered(7);
    assert_ne!(other, card);
    modem.set_tray(Tray::Open(other.clone()));
    assert_eq!(modem.registration(), Registration::Home);
    assert!(ask(&mut modem, "AT+CIMI").contains(&other.imsi));
}

#[test]
fn one_of_two_callers_hangs_up_and_the_other_stays() {
    let mut modem = ready();
    modem.incoming(Some(MUM), at(1)).unwrap();
    modem.incoming(None, at(2)).unwrap();
    assert_eq!(modem.remote_leaves(Some("+358405550009"), at(3)), Err(WorldError::NoCall));
    let out = modem.remote_leaves(None, at(3)).unwrap();
    assert_eq!((events(&out), text(&out)), (vec![Event::HungUpByRemote { number: None }], String::new()));
    modem.incoming(None, at(4)).unwrap();
    let out = modem.remote_leaves(Some(MUM), at(5)).unwrap();
    assert!(text(&out).starts_with("\r\nNO CARRIER\r\n\r\n+CRING"), "the one that waited rings");
}

#[test]
fn modems_with_numbers_are_told_apart() {
    let [first, second] = [1, 2].map(ModemConfig::numbered);
    let cards = [&first, &second].map(|config| config.sim.clone().unwrap());
    assert!(first.imei != second.imei && cards[0].imsi != cards[1].imsi && cards[0].iccid != cards[1].iccid);
    assert_eq!((first.imei.len(), cards[0].imsi.len()), (15, 15));
}

#[test]
fn a_text_is_stored_announced_read_and_deleted() {
    let mut modem = ready();
    let out = modem.sms(MUM, "Hi kid, dinner at six!", at(1)).unwrap();
    assert_eq!(text(&out), "\r\n+CMTI: \"ME\",1\r\n");
    assert!(ask(&mut modem, "AT+CPMS?").contains("+CPMS: \"ME\",1,50,"));
    assert!(ask(&mut modem, "AT+CMGR=1").starts_with("\r\n+CMGR: 0,,39\r\n0791"));
    assert!(ask(&mut modem, "AT+CMGL=4").starts_with("\r\n+CMGL: 1,1,,39\r\n0791"));
    assert_eq!(ask(&mut modem, "AT+CMGD=1"), "\r\nOK\r\n");
    assert_eq!(ask(&mut modem, "AT+CMGR=1"), "\r\n+CMS ERROR: 321\r\n");
}

#[test]
fn the_parts_of_a_long_text_arrive_one_after_the_other() {
    let mut modem = ready();
    let out = modem.sms(MUM, &"x".repeat(200), at(1)).unwrap();
    assert_eq!(text(&out), "\r\n+CMTI: \"ME\",1\r\n");
    assert_eq!(text(&modem.tick(at(1))), "");
    assert_eq!(modem.next_tick(), Some(Duration::from_millis(1400)));
    assert_eq!(text(&modem.tick(at(2))), "\r\n+CMTI: \"ME\",2\r\n");
    assert_eq!(modem.next_tick(), None);
}

#[test]
fn a_full_store_refuses_a_text_whole() {
    let mut modem = ready();
    for _ in 0..49 {
        modem.sms(MUM, "x", at(1)).unwrap();
    }
    let out = modem.sms(MUM, &"x".repeat(200), at(1)).unwrap();
    assert_eq!(events(&out), [Event::SmsRefused { number: MUM.into() }]);
    for second in 1..60 {
        modem.tick(at(second));
    }
    assert_eq!(modem.stored_messages(), 49);
}

#[test]
fn a_text_is_sent_after_the_prompt() {
    let mut modem = ready();
    assert_eq!(ask(&mut modem, "AT+CMGS=43"), "\r\n> ");
    let pdu = b"0001000C9153485055001000081E006F006E0020006D007900200077006100790020D83DDE000020006F006B\x1a";
    let out = modem.feed(pdu, at(1));
    assert_eq!(text(&out), "\r\n+CMGS: 1\r\n\r\nOK\r\n");
    let sent = Event::SmsSent { number: MUM.into(), text: "on my way 😀 ok".into(), part: None };
    assert_eq!(events(&out), [sent]);
    assert_eq!(ask(&mut modem, "AT+CMGS=44"), "\r\n> ");
    assert_eq!(text(&modem.feed(pdu, at(1))), "\r\n+CMS ERROR: 304\r\n");
    assert_eq!(ask(&mut modem, "AT"), "\r\nOK\r\n");
}

#[test]
fn nonsense_is_an_error_and_noise_is_no_command() {
    let mut modem = ready();
    assert_eq!(ask(&mut modem, "AT+NONSENSE=1"), "\r\nERROR\r\n");
    assert_eq!(ask(&mut modem, "ATS0=1"), "\r\nERROR\r\n");
    assert_eq!(ask(&mut modem, &format!("AT+CUSD=1,\"{}\"", "A".repeat(10_000))), "\r\nERROR\r\n");
    assert_eq!(ask(&mut modem, "ERROR"), "");
    assert_eq!(ask(&mut modem, "AT"), "\r\nOK\r\n");
}

#[test]
fn the_clock_is_told_in_local_time() {
    let mut modem = ready();
    assert!(ask(&mut modem, "AT+CCLK?").starts_with("\r\n+CCLK: \"26/11/23,13:40:00+08\""));
}

#[derive(Clone, Debug)]
enum Step {
    Feed(Vec<u8>),
    Line(String),
    Incoming(Option<String>),
    Answer,
    HangUp,
    Sms(String),
    Tick,
    Unlinked,
    Tray(bool),
    Radio(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let known = prop::sample::select(vec![
        "A",
        "H",
        "+CHUP",
        "+CHLD=11",
        "+CHLD=12",
        "+CHLD=0",
        "+CLCC",
        "D112;",
        "D123;",
        "+CMGS=20",
        "+CMGL=4",
        "+CMGD=1,4",
        "+CPMS=\"SM\",\"SM\",\"SM\"",
        "Z",
        "E1",
        "+CLIP=1",
        "+COPS=3,2",
        "+COPS?",
        "+CRSM=176,12258,0,0,10",
    ]);
    let step = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64).prop_map(Step::Feed),
        known.prop_map(|line| Step::Line(line.to_owned())),
        "\\PC{0,40}".prop_map(Step::Line),
        prop::option::of("\\+?[0-9]{0,22}").prop_map(Step::Incoming),
        Just(Step::Answer),
        Just(Step::HangUp),
        "\\PC{0,200}".prop_map(Step::Sms),
        Just(Step::Tick),
        Just(Step::Unlinked),
        any::<bool>().prop_map(Step::Tray),
        any::<bool>().prop_map(Step::Radio),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    /// Never panics; indexes are unique; at most one call rings; the held line stays within its limit.
    #[test]
    fn whatever_happens_the_invariants_hold(steps in steps()) {
        let mut modem = Modem::new(ModemConfig::default());
        for (second, step) in steps.into_iter().enumerate() {
            let now = at(second as u64);
            match step {
                Step::Feed(bytes) => drop(modem.feed(&bytes, now)),
                Step::Line(line) => drop(modem.feed(format!("AT{line}\r").as_bytes(), now)),
                Step::Incoming(number) => drop(modem.incoming(number.as_deref(), now)),
                Step::Answer => drop(modem.remote_answer()),
                Step::HangUp => drop(modem.remote_hang_up(now)),
                Step::Sms(text) => drop(modem.sms("+358405550001", &text, now)),
                Step::Tick => drop(modem.tick(now)),
                Step::Unlinked => modem.unlinked(),
                Step::Tray(full) => {
                    drop(modem.set_tray(if full { Tray::Open(SimCard::default()) } else { Tray::Empty }));
                }
                Step::Radio(on) => drop(modem.set_radio(on)),
            }
            let calls = modem.calls();
            let ringing = calls.iter().filter(|call| call.state == CallState::Incoming).count();
            prop_assert!(ringing <= 1);
            let reached = calls.iter().any(|call| call.incoming);
            prop_assert!(!reached || modem.registration().serves(), "who is not registered is not called");
            prop_assert!(calls.iter().enumerate().all(|(at, call)| calls[..at].iter().all(|c| c.index != call.index)));
            prop_assert!(modem.line.len() <= at::LINE_LIMIT);
        }
    }
}
