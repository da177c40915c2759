//! A world on sockets: what a terminal, a receiver and a developer at the control socket see.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests are tests")]

use std::time::Duration;

use sim::{Client, Command, Event, Fault, LatLon, Registration, Reply, Scenario, Walk, World, WorldConfig};
use tempfile::TempDir;
use tokio::io::{
    AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, duplex,
};
use tokio::net::UnixListener;

const PATIENCE: Duration = Duration::from_secs(20);
const MUM: &str = "+358405550001";

/// Reads until the text ends with `end`.
async fn until(stream: &mut (impl tokio::io::AsyncRead + Unpin), end: &str) -> String {
    let mut text = String::new();
    let read = async {
        while !text.ends_with(end) {
            let byte = stream.read_u8().await.expect("the modem is still there");
            text.push(char::from(byte));
        }
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("no {end:?} from the modem"));
    text
}

fn terminal(world: &World) -> DuplexStream {
    let (ours, theirs) = duplex(4096);
    let world = world.clone();
    tokio::spawn(async move { world.serve_modem(theirs).await });
    ours
}

#[tokio::test]
async fn a_call_made_over_the_control_socket_rings_and_its_end_is_in_the_log() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("control");
    let world = World::start_thread(WorldConfig::default()).unwrap();
    world.serve_control(&socket).unwrap();
    let mut terminal = {
        let path = folder.path().join("modem");
        let listener = UnixListener::bind(&path).unwrap();
        world.connect_modem(&path);
        tokio::time::timeout(PATIENCE, listener.accept()).await.unwrap().unwrap().0
    };
    terminal.write_all(b"AT+CLIP=1;+CRC=1\r").await.unwrap();
    until(&mut terminal, "OK\r\n").await;
    let client = std::thread::spawn(move || {
        let mut client = Client::connect(socket).unwrap();
        client.send(&Command::Call { number: Some(MUM.into()) }).unwrap();
        client
    });
    assert!(until(&mut terminal, ",,,,0\r\n").await.contains("+CRING: VOICE"));
    let mut client = client.join().unwrap();
    terminal.write_all(b"AT+CHUP\r").await.unwrap();
    until(&mut terminal, "OK\r\n").await;
    let Reply::Events { events } = client.send(&Command::Events { since: 0 }).unwrap() else { panic!() };
    let at = |wanted: fn(&Event) -> bool| events.iter().find(|stamped| wanted(&stamped.event)).unwrap().at_us;
    let rang = at(|event| matches!(event, Event::Ringing { .. }));
    let ended = at(|event| matches!(event, Event::HungUpByWatch { .. }));
    assert!(rang < ended && ended - rang < 20_000_000, "{rang} {ended}");
    assert!(client.send(&Command::HangUp { number: None }).is_err(), "there is no call any more");
    let Reply::Status(status) = client.send(&Command::Status).unwrap() else { panic!() };
    assert!(status.linked && status.calls.is_empty());
}

#[tokio::test]
async fn a_lost_terminal_is_waited_for_and_the_call_still_rings() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("modem");
    let listener = UnixListener::bind(&path).unwrap();
    let world = World::start(WorldConfig::default());
    world.connect_modem(&path);
    let (first, _) = listener.accept().await.unwrap();
    world.call(Some(MUM)).unwrap();
    drop(first);
    let (mut second, _) = tokio::time::timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    until(&mut second, "RING\r\n").await;
}

#[tokio::test]
async fn a_world_on_a_thread_lets_its_lines_go_when_it_is_dropped() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("modem");
    let listener = UnixListener::bind(&path).unwrap();
    let world = World::start_thread(WorldConfig::default()).unwrap();
    world.connect_modem(&path);
    world.serve_control(folder.path().join("control")).unwrap();
    let accepted = tokio::time::timeout(PATIENCE, listener.accept()).await;
    let (mut line, _) = accepted.unwrap().unwrap();
    line.write_all(b"AT\r").await.unwrap();
    until(&mut line, "OK\r\n").await;
    drop(world);
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, line.read_to_end(&mut rest)).await.unwrap().unwrap();
    let again = tokio::time::timeout(Duration::from_millis(500), listener.accept()).await;
    assert!(again.is_err(), "nobody connects again");
}

#[tokio::test]
async fn a_new_terminal_takes_the_modem_over() {
    let world = World::start(WorldConfig::default());
    let mut first = terminal(&world);
    world.wait_for(0, PATIENCE, |event| *event == Event::Linked).await.unwrap();
    let mut second = terminal(&world);
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, first.read_to_end(&mut rest)).await.unwrap().unwrap();
    second.write_all(b"AT\r").await.unwrap();
    until(&mut second, "OK\r\n").await;
    assert!(world.status().linked);
}

#[tokio::test]
async fn a_walk_is_told_every_second_and_its_end_is_in_the_log() {
    let world = World::start(WorldConfig::default());
    let (ours, theirs) = duplex(4096);
    let teller = world.clone();
    tokio::spawn(async move { teller.serve_sky(theirs).await });
    let near = LatLon::new(60.172, 24.941_4).unwrap();
    world.walk(Walk::new(vec![near], 20.0).unwrap());
    world.wait_for(0, PATIENCE, |event| matches!(event, Event::WalkEnded { .. })).await.unwrap();
    assert_eq!(world.status().position, near);
    let mut lines = BufReader::new(ours).lines();
    let told = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with("$GPGGA") && line.contains(",6010.32000,N,02456.48400,E,1,") {
                return;
            }
        }
        panic!("the sky fell silent");
    };
    tokio::time::timeout(PATIENCE, told).await.expect("the place is told");
}

#[tokio::test]
async fn a_line_that_is_no_command_gets_an_error_and_one_without_end_the_door() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("control");
    let world = World::start(WorldConfig::default());
    world.serve_control(&socket).unwrap();
    let mut stream = BufReader::new(tokio::net::UnixStream::connect(&socket).await.unwrap());
    stream.get_mut().write_all(b"{\"do\":\"like\"}\n").await.unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    assert!(matches!(serde_json::from_str(&line).unwrap(), Reply::Error { .. }), "{line}");
    // The other side may close before all is written.
    let _ = stream.get_mut().write_all(&vec![b'x'; sim::control::LINE_LIMIT + 1]).await;
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("the door");
}

#[tokio::test]
async fn a_modem_that_vanished_cannot_be_opened_until_it_is_back_and_nobody_reaches_it() {
    let world = World::start(WorldConfig::default());
    let mut first = terminal(&world);
    world.wait_for(0, PATIENCE, |event| *event == Event::Linked).await.unwrap();
    world.call(Some(MUM)).unwrap();
    world.begin(Fault::Vanished).unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, first.read_to_end(&mut rest)).await.unwrap().unwrap();
    let number = || Some(MUM.to_owned());
    world.wait_for(0, PATIENCE, |event| *event == Event::Lost { number: number() }).await.unwrap();
    let mut closed = terminal(&world);
    tokio::time::timeout(PATIENCE, closed.read_to_end(&mut rest)).await.unwrap().unwrap();
    world.call(Some(MUM)).unwrap();
    world.wait_for(0, PATIENCE, |event| *event == Event::Unreachable { number: number() }).await.unwrap();
    assert!(!world.status().linked);
    world.end("vanished").unwrap();
    let mut again = terminal(&world);
    again.write_all(b"AT\r").await.unwrap();
    until(&mut again, "OK\r\n").await;
    assert_eq!(world.status().registration, Registration::Home);
}

#[tokio::test]
async fn what_is_late_comes_and_what_hangs_does_not_answer() {
    let world = World::start(WorldConfig::default());
    // All but the last byte has been heard when the next is written.
    let (mut terminal, theirs) = duplex(1);
    let served = world.clone();
    tokio::spawn(async move { served.serve_modem(theirs).await });
    world.begin(Fault::Delayed { ms: 50 }).unwrap();
    terminal.write_all(b"AT\r").await.unwrap();
    until(&mut terminal, "OK\r\n").await;
    world.begin(Fault::Hung).unwrap();
    terminal.write_all(b"AT+CGSN\r\r").await.unwrap();
    world.call(Some(MUM)).unwrap();
    world.mend();
    terminal.write_all(b"ATI\r").await.unwrap();
    let heard = until(&mut terminal, "OK\r\n").await;
    assert!(heard.contains("Manufacturer") && !heard.contains("RING"), "{heard}");
    assert_eq!(world.status().faults, []);
    assert_eq!(world.status().calls.len(), 1, "the network does not know that it hung");
}

#[tokio::test]
async fn sixteen_modems_in_one_program_keep_apart() {
    let worlds: Vec<World> = (0..16).map(|number| World::start(WorldConfig::numbered(number))).collect();
    let mut imeis = std::collections::BTreeSet::new();
    for (number, world) in worlds.iter().enumerate() {
        let mut terminal = terminal(world);
        if number % 2 == 0 {
            world.begin(Fault::Denied).unwrap();
        }
        terminal.write_all(b"AT+CGSN;+CREG?\r").await.unwrap();
        let heard = until(&mut terminal, "OK\r\n").await;
        assert!(heard.contains(if number % 2 == 0 { "+CREG: 0,3" } else { "+CREG: 0,1" }), "{heard}");
        imeis.insert(heard.lines().nth(1).unwrap().to_owned());
    }
    assert_eq!(imeis.len(), 16);
}

/// What the network sees of a scenario when no watch is there.
fn plays(file: &str) -> Vec<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let scenario = Scenario::parse(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    let world = World::start_thread(WorldConfig::default()).unwrap();
    let told = scenario.play(drop, |step| match world.run(step.command.clone()) {
        Reply::Done => Ok(()),
        other => Err(format!("line {}: {other:?}", step.line)),
    });
    told.unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(world.faults(), [], "{file} leaves nothing wrong behind");
    let name = |stamped: &sim::Stamped| match &stamped.event {
        Event::FaultBegan { fault } => format!("+{}", fault.name()),
        Event::FaultEnded { fault } => format!("-{fault}"),
        event => serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned(),
    };
    world.events(0).iter().map(name).collect()
}

#[test]
fn every_scenario_is_played_as_it_is_written() {
    let mut files: Vec<String> =
        std::fs::read_dir(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
    files.sort();
    let seen: Vec<_> = files.iter().map(|file| (file.as_str(), plays(file).join(" "))).collect();
    let expected = [
        (
            "flood.toml",
            "+flood -flood +truncated +disordered +garbage ringing ringing ringing -truncated -disordered -garbage \
             hung-up-by-remote hung-up-by-remote hung-up-by-remote ringing hung-up-by-remote",
        ),
        (
            "modem-hangs-and-vanishes.toml",
            "ringing +hung hung-up-by-remote +vanished -hung -vanished ringing hung-up-by-remote",
        ),
        (
            "no-network.toml",
            "+searching unreachable +denied +airplane -searching -denied -airplane +roaming ringing \
             hung-up-by-remote -roaming ringing hung-up-by-remote",
        ),
        (
            "sim-swapped.toml",
            "ringing +sim-pulled lost +sim-swapped ringing +sim-locked lost -sim-pulled -sim-swapped -sim-locked \
             ringing hung-up-by-remote",
        ),
        (
            "stranger-on-a-noisy-line.toml",
            "+echo +delayed +nonsense ringing ringing ringing hung-up-by-remote -echo -delayed -nonsense",
        ),
        // Without a watch the two that wait stay when Mum gives up.
        ("two-callers.toml", "ringing ringing ringing hung-up-by-remote"),
    ];
    let expected: Vec<_> = expected.iter().map(|(file, events)| (*file, (*events).to_owned())).collect();
    assert_eq!(seen, expected);
}
