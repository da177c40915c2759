//! The launcher over a real socket, with real sandboxes; what was granted and signed is made up.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it is surprised")]

#[path = "../../sandbox/tests/world/mod.rs"]
mod world;

mod watch;

use std::fs::{self, File};
use std::io::BufRead;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use launch::{Answer, End, Message, Refusal, Request};
use watch::{Watch, id};

#[test]
fn an_app_starts_speaks_and_its_end_is_told() {
    let mut watch = Watch::new();
    let appd = watch.connect();
    assert_eq!(watch.ask(&appd, &Request::List, None), Answer::Apps(vec![watch::info("draw")]));
    let mut screen = watch.started(&appd, "draw", 7);
    screen.tell("hello");
    assert_eq!(screen.line(), "hello");
    assert_eq!(watch.leaves(), 1);
    screen.tell("exit 3");
    assert_eq!(watch.hear(&appd), Message::Ended { session: 7, end: End::Exited(3) });
    assert_eq!(watch.leaves(), 0, "its cgroup is gone");
}

#[test]
fn a37_a_forbidden_call_is_told_as_sigsys() {
    let mut watch = Watch::new();
    let appd = watch.connect();
    let mut screen = watch.started(&appd, "draw", 1);
    screen.tell("call 41 1 1 0"); // socket, on x86_64; listxattr's neighbour elsewhere: not on the list either
    assert_eq!(watch.hear(&appd), Message::Ended { session: 1, end: End::Signalled(31) });
}

#[test]
fn freeze_thaw_and_end_do_what_they_say() {
    let mut watch = Watch::new();
    let appd = watch.connect();
    let mut screen = watch.started(&appd, "draw", 1);
    assert_eq!(watch.ask(&appd, &Request::Freeze { session: 1 }, None), Answer::Done);
    screen.tell("hello");
    screen.0.get_ref().set_read_timeout(Some(Duration::from_millis(60))).unwrap();
    assert!(screen.0.fill_buf().is_err(), "nothing of it runs");
    screen.0.get_ref().set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(watch.ask(&appd, &Request::Thaw { session: 1 }, None), Answer::Done);
    assert_eq!(screen.line(), "hello");
    assert_eq!(watch.ask(&appd, &Request::Freeze { session: 1 }, None), Answer::Done);
    assert_eq!(watch.ask(&appd, &Request::End { session: 1 }, None), Answer::Done);
    assert_eq!(watch.hear(&appd), Message::Ended { session: 1, end: End::Signalled(9) });
    for request in [Request::Freeze { session: 1 }, Request::Thaw { session: 1 }, Request::End { session: 9 }]
    {
        assert_eq!(watch.ask(&appd, &request, None), Answer::Refused(Refusal::NoSession));
    }
}

#[test]
fn a35_what_is_not_granted_or_not_signed_never_starts() {
    let mut watch = Watch::new();
    let appd = watch.connect();
    let refusals = [Refusal::NotGranted, Refusal::TimeUp, Refusal::NoRules];
    for (session, refusal) in refusals.into_iter().enumerate() {
        watch.family.0.borrow_mut().insert("draw".into(), refusal);
        let (answer, mut screen) = watch.start(&appd, "draw", session as u64);
        assert_eq!(answer, Answer::Refused(refusal));
        assert_eq!(screen.line(), "", "its display is closed");
    }
    for (app, refusal) in [
        ("unsigned", Refusal::NotSigned),
        ("altered", Refusal::Altered),
        // A bundle without a program.
        ("empty", Refusal::Sandbox),
    ] {
        assert_eq!(watch.start(&appd, app, 9).0, Answer::Refused(refusal));
    }
    assert_eq!(watch.leaves(), 0);
}

#[test]
fn a_third_app_waits_and_a_session_is_not_named_twice() {
    let mut watch = Watch::new();
    let appd = watch.connect();
    let mut first = watch.started(&appd, "draw", 1);
    assert_eq!(watch.start(&appd, "chess", 1).0, Answer::Refused(Refusal::Malformed));
    let _second = watch.started(&appd, "chess", 2);
    assert_eq!(watch.start(&appd, "paint", 3).0, Answer::Refused(Refusal::Busy));
    first.tell("exit 0");
    assert_eq!(watch.hear(&appd), Message::Ended { session: 1, end: End::Exited(0) });
    let _third = watch.started(&appd, "paint", 3);
    assert_eq!(watch.leaves(), 2);
}

#[test]
fn every_app_has_a_user_and_files_of_its_own() {
    use std::os::unix::fs::MetadataExt;
    let mut watch = Watch::new();
    let appd = watch.connect();
    let mut draw = watch.started(&appd, "draw", 1);
    let mut chess = watch.started(&appd, "chess", 2);
    let getuid = if cfg!(target_arch = "x86_64") { 102 } else { 174 };
    let mut users = Vec::new();
    for (name, screen) in [("draw", &mut draw), ("chess", &mut chess)] {
        screen.tell("files");
        assert_eq!(screen.line(), "0");
        screen.tell(&format!("call {getuid}"));
        let user = screen.line().parse::<u32>().unwrap();
        assert_eq!(fs::metadata(watch.data.join(name)).unwrap().uid(), user);
        users.push(user);
    }
    assert_ne!(users[0], users[1]);
}

#[test]
fn a37_an_app_does_not_outlive_the_connection_it_was_started_on() {
    let mut watch = Watch::new();
    let appd = watch.connect();
    let mut screen = watch.started(&appd, "draw", 1);
    let frozen = watch.started(&appd, "chess", 2);
    assert_eq!(watch.ask(&appd, &Request::Freeze { session: 2 }, None), Answer::Done);
    drop(appd);
    watch.turn_until(0);
    assert_eq!(screen.line(), "");
    drop(frozen);
    let appd = watch.connect();
    watch.started(&appd, "draw", 1);
}

#[test]
fn a_newer_appd_takes_over_and_finds_nothing_running() {
    let mut watch = Watch::new();
    let old = watch.connect();
    let mut screen = watch.started(&old, "draw", 1);
    let new = watch.connect();
    assert_eq!(screen.line(), "");
    assert!(watch.is_hung_up(&old));
    assert_eq!(watch.ask(&new, &Request::End { session: 1 }, None), Answer::Refused(Refusal::NoSession));
}

#[test]
fn a37_an_app_that_execs_itself_for_ever_is_ended_while_others_are_served() {
    let mut watch = Watch::new();
    let appd = watch.connect();
    let mut other = watch.started(&appd, "chess", 0);
    for session in 1..=20 {
        let mut screen = watch.started(&appd, "draw", session);
        screen.tell("execs");
        assert_eq!(screen.line(), "main", "it executed itself");
        std::thread::sleep(Duration::from_millis(7 * session));
        let start = Instant::now();
        assert_eq!(watch.ask(&appd, &Request::End { session }, None), Answer::Done);
        // Whether its process is gone already or not, nothing of it comes back.
        let thaw = watch.told(&appd, &Request::Thaw { session });
        let ended = Message::Ended { session, end: End::Signalled(9) };
        if thaw == Message::Reply(Answer::Done) {
            assert_eq!(watch.hear(&appd), ended);
        } else {
            assert_eq!(thaw, ended);
            assert_eq!(watch.hear(&appd), Message::Reply(Answer::Refused(Refusal::NoSession)));
        }
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        other.tell("hello");
        assert_eq!(other.line(), "hello");
        assert_eq!(watch.leaves(), 1);
    }
}

#[test]
fn a37_appds_end_ends_an_app_that_execs_itself_for_ever() {
    let mut watch = Watch::new();
    for round in 0..5 {
        let appd = watch.connect();
        for session in 1..=2 {
            let mut screen = watch.started(&appd, "draw", session);
            screen.tell("execs");
            assert_eq!(screen.line(), "main");
        }
        std::thread::sleep(Duration::from_millis(13 * round));
        drop(appd);
        watch.turn_until(0);
    }
}

#[test]
fn a43_a_process_that_does_not_end_keeps_its_place_and_the_loop_goes_on() {
    let mut watch = Watch::new();
    let appd = watch.connect();
    let _first = watch.started(&appd, "draw", 1);
    let Some(stuck) = world::Stuck::all_of(&watch.cgroup.join("app-draw-1")) else { return };
    // A newer appd: the older one's apps are ended.
    let turn = Instant::now();
    let appd = watch.connect();
    assert!(turn.elapsed() < Duration::from_secs(2), "the one that stays is not waited for");
    assert_eq!(watch.leaves(), 1);
    let mut second = watch.started(&appd, "chess", 1);
    assert_eq!(watch.start(&appd, "paint", 2).0, Answer::Refused(Refusal::Busy), "its place is taken");
    second.tell("hello");
    assert_eq!(second.line(), "hello");
    drop(stuck);
    watch.turn_until(1);
    let _third = watch.started(&appd, "paint", 2);
}

#[test]
fn a37_a_stranger_is_turned_away_and_disturbs_nobody() {
    let mut watch = Watch::with_peer(12_345);
    let stranger = watch.connect();
    assert!(watch.is_hung_up(&stranger));
}

#[test]
fn a37_packets_that_are_no_requests_are_refused_and_the_next_is_read() {
    let mut watch = Watch::new();
    let appd = watch.connect();
    let mut screen = watch.started(&appd, "draw", 1);
    for text in [
        &b"{"[..],
        b"null",
        b"\"stop\"",
        br#"{"start":{"app":"../../etc","session":2}}"#,
        br#"{"start":{"app":"draw","session":-1}}"#,
        br#"{"start":{"app":"draw","session":2,"user":0}}"#,
        &[0xff; 9000],
    ] {
        rustix::net::send(&appd, text, rustix::net::SendFlags::NOSIGNAL).unwrap();
        assert_eq!(watch.hear(&appd), Message::Reply(Answer::Refused(Refusal::Malformed)));
    }
    // A start without a display, and a display where none belongs.
    let start = Request::Start { app: id("chess"), session: 2 };
    assert_eq!(watch.ask(&appd, &start, None), Answer::Refused(Refusal::Malformed));
    let answer = watch.ask(&appd, &Request::List, Some(appd.as_fd()));
    assert_eq!(answer, Answer::Refused(Refusal::Malformed));
    screen.tell("hello");
    assert_eq!(screen.line(), "hello");
}

#[test]
fn a37_only_the_screens_own_display_gets_through() {
    let mut watch = Watch::new();
    let appd = watch.connect();
    let folder = File::open("/").unwrap();
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let connected = std::net::TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
    let datagrams = std::os::unix::net::UnixDatagram::unbound().unwrap();
    let listening = std::os::unix::net::UnixListener::bind(watch.data.join("x")).unwrap();
    for descriptor in
        [folder.as_fd(), connected.as_fd(), tcp.as_fd(), datagrams.as_fd(), listening.as_fd(), appd.as_fd()]
    {
        let start = Request::Start { app: id("draw"), session: 1 };
        assert_eq!(watch.ask(&appd, &start, Some(descriptor)), Answer::Refused(Refusal::Malformed));
    }
    assert_eq!(watch.leaves(), 0);
}

#[test]
fn a43_an_appd_that_does_not_read_is_gone() {
    let mut watch = Watch::new();
    let appd = watch.connect();
    let _screen = watch.started(&appd, "draw", 1);
    let start = Instant::now();
    while watch.leaves() == 1 {
        let _ = launch::send(&appd, &Request::List, None);
        watch.turn();
        assert!(start.elapsed() < Duration::from_secs(20), "its answers pile up for ever");
    }
}

#[test]
fn no_descriptor_stays_open_after_a_start() {
    let mut watch = Watch::new();
    let appd = watch.connect();
    let open = || fs::read_dir("/proc/self/fd").unwrap().flatten().count();
    let mut run = |session| {
        let mut screen = watch.started(&appd, "draw", session);
        screen.tell("exit 0");
        assert_eq!(watch.hear(&appd), Message::Ended { session, end: End::Exited(0) });
    };
    // Other tests of this process open descriptors too: many rounds, and only growth with them counts.
    run(0);
    let before = open();
    (1..200).for_each(&mut run);
    assert!(open() < before + 100, "{before} then {}", open());
}
