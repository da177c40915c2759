//! The client against a gpsd that a test plays.

use std::path::PathBuf;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::UnixListener;
use tokio::time::timeout;

use super::*;

const FIX: &[u8] =
    b"{\"class\":\"TPV\",\"mode\":2,\"time\":\"2026-11-23T12:00:00Z\",\"lat\":60.17,\"lon\":24.94,\"eph\":7.5}\r\n";

struct Played {
    listener: UnixListener,
    fixes: mpsc::Receiver<Fix>,
    _folder: TempDir,
}

/// A socket, and a client that follows it.
fn play() -> Played {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("gpsd.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let (sender, fixes) = mpsc::channel(4);
    tokio::spawn(async move { follow(&path, sender, &Told::default()).await });
    Played { listener, fixes, _folder: folder }
}

impl Played {
    /// The next connection, after it asked for reports.
    async fn accept(&self) -> BufReader<UnixStream> {
        let (stream, _) = self.listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        assert_eq!(line.as_bytes(), WATCH);
        stream
    }
}

#[tokio::test]
async fn a51_garbage_and_a_megabyte_do_not_hide_the_next_fix() {
    let mut played = play();
    let mut gpsd = played.accept().await;
    for bytes in [b"not json\n".as_slice(), &vec![b'['; 1024 * 1024], b"\n\xff\xfe\n{}\n", FIX] {
        gpsd.write_all(bytes).await.unwrap();
    }
    assert_eq!(played.fixes.recv().await.unwrap().time.as_second(), 1_795_435_200);
}

#[tokio::test]
async fn a_gpsd_that_hangs_up_is_connected_to_again() {
    let mut played = play();
    for _ in 0..3 {
        let mut gpsd = played.accept().await;
        gpsd.write_all(FIX).await.unwrap();
        assert!(played.fixes.recv().await.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_gpsd_that_is_silent_is_connected_to_again() {
    let mut played = play();
    let silent = played.accept().await;
    let mut gpsd = played.accept().await;
    gpsd.write_all(FIX).await.unwrap();
    assert!(played.fixes.recv().await.is_some());
    drop(silent);
}

#[tokio::test(start_paused = true)]
async fn a51_a_gpsd_that_drips_bytes_is_silent() {
    let mut played = play();
    let mut dripping = played.accept().await;
    let drip = tokio::spawn(async move {
        while dripping.write_all(b" ").await.is_ok() {
            sleep(Duration::from_secs(5)).await;
        }
    });
    let mut gpsd = timeout(Duration::from_mins(1), played.accept()).await.unwrap();
    gpsd.write_all(FIX).await.unwrap();
    assert!(played.fixes.recv().await.is_some());
    drip.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_unplugged_receiver_wakes_nobody_often() {
    let played = play();
    let (began, mut held) = (Instant::now(), Vec::new());
    while began.elapsed() < Duration::from_hours(1) {
        held.push(played.accept().await);
    }
    assert!((10..25).contains(&held.len()), "{} connections in an hour", held.len());
}

#[tokio::test(start_paused = true)]
async fn a51_a_flood_is_read_at_our_own_pace() {
    let mut played = play();
    let mut gpsd = played.accept().await;
    let flood = tokio::spawn(async move { while gpsd.write_all(FIX).await.is_ok() {} });
    let began = Instant::now();
    for _ in 0..20_000 {
        assert!(played.fixes.recv().await.is_some());
    }
    let seconds = began.elapsed().as_secs() as usize;
    let fastest = 20_000 * FIX.len() / FLOOD;
    assert!((fastest - 1..=fastest + 2).contains(&seconds), "{seconds} s for {fastest} s of reading");
    drop(played);
    flood.await.unwrap();
}

#[tokio::test]
async fn nobody_who_wants_fixes_ends_the_client() {
    let folder = tempfile::tempdir().unwrap();
    let (sender, fixes) = mpsc::channel(1);
    drop(fixes);
    follow(&folder.path().join("none"), sender, &Told::default()).await;
}
