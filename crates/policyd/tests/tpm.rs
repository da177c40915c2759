//! The anchor in a real TPM (swtpm) and in front of broken ones.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use nestling_policyd::anchor::tpm::{Open, TpmAnchor, TpmError};
use nestling_policyd::anchor::{Anchor, AnchorError, Home, LogKey};
use nestling_policyd::core::boot::{AnchorFound, Anchored, Bound};
use testkit::SoftTpm;

/// Longer than any answer takes here.
const PATIENCE: Duration = Duration::from_secs(30);

/// Handles as the anchor uses them.
const COUNTER: u32 = 0x0150_4e00;
const FIRST_SLOT: u32 = 0x0150_4e01;
const KEY: u32 = 0x0150_4e03;

fn file(stream: UnixStream) -> File {
    File::from(OwnedFd::from(stream))
}

fn anchor(tpm: &SoftTpm) -> TpmAnchor {
    let socket = tpm.socket();
    TpmAnchor::over(Box::new(move || UnixStream::connect(&socket).map(file)), PATIENCE)
}

fn to(epoch: u64) -> Anchored {
    Anchored { epoch, bound: Bound::To([u8::try_from(epoch).unwrap(); 32]) }
}

/// A message of a TPM: its size is in bytes 2 to 5.
fn message(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut message = vec![0; 10];
    stream.read_exact(&mut message)?;
    let size = u32::from_be_bytes(message[2..6].try_into().unwrap());
    message.resize(size as usize, 0);
    stream.read_exact(&mut message[10..])?;
    Ok(message)
}

/// Sends a command of the test's own and returns the response code.
fn command(tpm: &SoftTpm, bytes: &[u8]) -> u32 {
    let mut stream = UnixStream::connect(tpm.socket()).unwrap();
    stream.write_all(bytes).unwrap();
    u32::from_be_bytes(message(&mut stream).unwrap()[6..10].try_into().unwrap())
}

/// A command with handles, an empty password and parameters.
fn authorized(code: u32, handles: &[u32], parameters: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x80\x02\0\0\0\0".to_vec();
    bytes.extend(code.to_be_bytes());
    bytes.extend(handles.iter().flat_map(|handle| handle.to_be_bytes()));
    bytes.extend(b"\0\0\0\x09\x40\0\0\x09\0\0\0\0\0");
    bytes.extend(parameters);
    let size = u32::try_from(bytes.len()).unwrap();
    bytes[2..6].copy_from_slice(&size.to_be_bytes());
    bytes
}

fn undefine(tpm: &SoftTpm, index: u32) {
    assert_eq!(command(tpm, &authorized(0x122, &[0x4000_0001, index], b"")), 0);
}

/// Somebody else's index.
fn define(tpm: &SoftTpm, index: u32, attributes: u32, size: u16) {
    let mut parameters = b"\0\0\0\x0e".to_vec();
    parameters.extend(index.to_be_bytes());
    parameters.extend(b"\0\x0b");
    parameters.extend(attributes.to_be_bytes());
    parameters.extend(b"\0\0");
    parameters.extend(size.to_be_bytes());
    assert_eq!(command(tpm, &authorized(0x12a, &[0x4000_0001], &parameters)), 0);
}

#[test]
fn a19_what_was_raised_is_read_and_is_never_lowered() {
    let tpm = SoftTpm::start().unwrap();
    let mut anchor = anchor(&tpm);
    assert_eq!(anchor.home(), Home::Tpm);
    assert_eq!(anchor.read(), AnchorFound::Empty);
    assert!(matches!(anchor.raise(to(0)), Err(AnchorError::Lowered)));
    for epoch in 1..6 {
        anchor.raise(to(epoch)).unwrap();
        assert_eq!(anchor.read(), AnchorFound::Held(to(epoch)));
    }
    let other = Anchored { bound: Bound::Released, ..to(5) };
    for lower in [to(4), to(1), to(0), other] {
        assert!(matches!(anchor.raise(lower), Err(AnchorError::Lowered)));
        assert_eq!(anchor.read(), AnchorFound::Held(to(5)));
    }
    // Nobody knows whether a raise without an answer happened: once more is fine.
    anchor.raise(to(5)).unwrap();
    let released = Anchored { epoch: 6, bound: Bound::Released };
    anchor.raise(released).unwrap();
    assert_eq!(anchor.read(), AnchorFound::Held(released));
}

#[test]
fn a31_a_power_cut_takes_nothing_of_what_was_answered() {
    let mut tpm = SoftTpm::start().unwrap();
    let key = anchor(&tpm).key().unwrap();
    for epoch in 1..4 {
        anchor(&tpm).raise(to(epoch)).unwrap();
        tpm.power_cycle().unwrap();
        assert_eq!(anchor(&tpm).read(), AnchorFound::Held(to(epoch)));
        assert!(anchor(&tpm).key().unwrap() == key);
    }
}

#[test]
fn a15_two_tpms_share_no_key() {
    let (one, other) = (SoftTpm::start().unwrap(), SoftTpm::start().unwrap());
    let key = anchor(&one).key().unwrap();
    assert!(key != anchor(&other).key().unwrap());
    assert!(key != LogKey::from_bytes([0; 32]));
    assert_eq!(format!("{key:?}"), "LogKey(..)");
}

/// A way to the TPM that breaks, as by a power cut, after `commands` of them.
fn cut_after(tpm: &SoftTpm, commands: usize) -> TpmAnchor {
    let socket = tpm.socket();
    let open: Open = Box::new(move || {
        let (ours, mut theirs) = UnixStream::pair()?;
        let mut tpm = UnixStream::connect(&socket)?;
        thread::spawn(move || {
            let mut pass = || -> io::Result<()> {
                tpm.write_all(&message(&mut theirs)?)?;
                theirs.write_all(&message(&mut tpm)?)
            };
            for _ in 0..commands {
                if pass().is_err() {
                    break;
                }
            }
            // The next command is read and goes nowhere.
            let _ = message(&mut theirs);
            let _ = theirs.shutdown(Shutdown::Both);
        });
        Ok(file(ours))
    });
    TpmAnchor::over(open, PATIENCE)
}

/// Does something again and again, cut one command later each time, until it succeeds.
fn cut_everywhere(
    tpm: &mut SoftTpm,
    act: impl Fn(&mut TpmAnchor) -> Result<(), AnchorError>,
    after_a_cut: impl Fn(&mut TpmAnchor),
) -> usize {
    for commands in 0..100 {
        let done = act(&mut cut_after(tpm, commands));
        tpm.power_cycle().unwrap();
        match done {
            Ok(()) => return commands,
            Err(AnchorError::Tpm(TpmError::Io(_))) => after_a_cut(&mut anchor(tpm)),
            Err(other) => panic!("cut after {commands} commands: {other:?}"),
        }
    }
    panic!("it never succeeds")
}

#[test]
fn a31_a_tpm_cut_anywhere_while_it_is_prepared_is_empty_and_goes_on() {
    let mut tpm = SoftTpm::start().unwrap();
    let commands = cut_everywhere(
        &mut tpm,
        |anchor| anchor.key().map(drop),
        |anchor| assert_eq!(anchor.read(), AnchorFound::Empty),
    );
    assert!(commands > 10, "{commands}");
    let key = anchor(&tpm).key().unwrap();
    anchor(&tpm).raise(to(1)).unwrap();
    assert!(anchor(&tpm).key().unwrap() == key);
}

#[test]
fn a31_a_raise_cut_before_its_commit_leaves_the_old_epoch() {
    for before in 0..3 {
        let mut tpm = SoftTpm::start().unwrap();
        anchor(&tpm).key().unwrap();
        for epoch in 1..=before {
            anchor(&tpm).raise(to(epoch)).unwrap();
        }
        let held = if before == 0 { AnchorFound::Empty } else { AnchorFound::Held(to(before)) };
        cut_everywhere(
            &mut tpm,
            |anchor| anchor.raise(to(before + 1)),
            |anchor| assert_eq!(anchor.read(), held),
        );
        assert_eq!(anchor(&tpm).read(), AnchorFound::Held(to(before + 1)));
    }
}

#[test]
fn a33_a_tpm_that_was_cleared_is_empty_and_gets_another_key() {
    let tpm = SoftTpm::start().unwrap();
    let key = anchor(&tpm).key().unwrap();
    anchor(&tpm).raise(to(1)).unwrap();
    // TPM2_Clear, authorized by the lockout hierarchy.
    assert_eq!(command(&tpm, &authorized(0x126, &[0x4000_000a], b"")), 0);
    assert_eq!(anchor(&tpm).read(), AnchorFound::Empty);
    assert!(anchor(&tpm).key().unwrap() != key);
    anchor(&tpm).raise(to(1)).unwrap();
    assert_eq!(anchor(&tpm).read(), AnchorFound::Held(to(1)));
}

#[test]
fn a31_an_index_that_is_gone_or_somebody_elses_is_no_anchor() {
    let tpm = SoftTpm::start().unwrap();
    anchor(&tpm).raise(to(1)).unwrap();
    undefine(&tpm, FIRST_SLOT);
    assert_eq!(anchor(&tpm).read(), AnchorFound::Unreadable);
    // The right size, and parts of it could be written.
    define(&tpm, FIRST_SLOT, 0x0204_0004, 50);
    assert_eq!(anchor(&tpm).read(), AnchorFound::Unreadable);
    let foreign = |error| matches!(error, AnchorError::Tpm(TpmError::Foreign(FIRST_SLOT)));
    assert!(anchor(&tpm).raise(to(2)).is_err_and(foreign));
    undefine(&tpm, FIRST_SLOT);
    // The right attributes, and another size.
    define(&tpm, FIRST_SLOT, 0x0204_1004, 51);
    assert!(anchor(&tpm).key().is_err_and(foreign));
    undefine(&tpm, COUNTER);
    assert_eq!(anchor(&tpm).read(), AnchorFound::Unreadable);
}

#[test]
fn a31_a_key_that_is_gone_is_not_made_again() {
    let tpm = SoftTpm::start().unwrap();
    anchor(&tpm).raise(to(1)).unwrap();
    undefine(&tpm, KEY);
    assert_eq!(anchor(&tpm).read(), AnchorFound::Held(to(1)));
    assert!(matches!(anchor(&tpm).key(), Err(AnchorError::KeyGone)));
}

#[test]
fn a31_the_key_cannot_be_written_again() {
    let tpm = SoftTpm::start().unwrap();
    let key = anchor(&tpm).key().unwrap();
    let mut parameters = b"\0\x20".to_vec();
    parameters.extend([7; 32]);
    parameters.extend(b"\0\0");
    // TPM_RC_NV_LOCKED
    assert_eq!(command(&tpm, &authorized(0x137, &[KEY, KEY], &parameters)), 0x148);
    assert!(anchor(&tpm).key().unwrap() == key);
}

/// A TPM that answers every command with these bytes and then waits, or goes.
fn answering(bytes: &'static [u8], goes: bool) -> TpmAnchor {
    let open: Open = Box::new(move || {
        let (ours, mut theirs) = UnixStream::pair()?;
        thread::spawn(move || {
            while message(&mut theirs).is_ok() {
                let _ = theirs.write_all(bytes);
                if goes {
                    break;
                }
            }
        });
        Ok(file(ours))
    });
    TpmAnchor::over(open, Duration::from_millis(100))
}

#[test]
fn a31_a_tpm_that_lies_or_is_silent_is_no_anchor_and_holds_up_nobody() {
    let answers: [(&[u8], bool); 9] = [
        (b"", false),
        (b"", true),
        (b"\x80\x01\0\0", false),
        (b"\x80\x01\0\0", true),
        // Shorter than a header, longer than any answer, longer than it says.
        (b"\x80\x01\0\0\0\x09\0\0\0\0", false),
        (b"\x80\x01\xff\xff\xff\xff\0\0\0\0", false),
        (b"\x80\x01\0\0\0\x0b\0\0\0\0xx", false),
        // An index with no name, and a TPM that wants the command again for ever.
        (b"\x80\x01\0\0\0\x1a\0\0\0\0\0\x0e\x01\x50\x4e\0\0\x0b\x02\x04\0\x14\0\0\0\x08", false),
        (b"\x80\x01\0\0\0\x0a\0\0\x09\x22", false),
    ];
    for (bytes, goes) in answers {
        assert_eq!(answering(bytes, goes).read(), AnchorFound::Unreadable, "{bytes:?}");
        assert!(answering(bytes, goes).key().is_err(), "{bytes:?}");
        let mut anchor = answering(bytes, goes);
        assert!(anchor.raise(to(1)).is_err(), "{bytes:?}");
        assert!(anchor.raise(to(1)).is_err(), "{bytes:?}, again");
    }
}

#[test]
fn a_tpm_that_fell_silent_is_left_alone() {
    let opened = Arc::new(AtomicUsize::new(0));
    let counted = opened.clone();
    let silent: Open = Box::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        let (ours, theirs) = UnixStream::pair()?;
        thread::spawn(move || io::copy(&mut &theirs, &mut io::sink()));
        Ok(file(ours))
    });
    let mut anchor = TpmAnchor::over(silent, Duration::from_millis(100));
    for _ in 0..3 {
        assert!(matches!(anchor.raise(to(1)), Err(AnchorError::Tpm(TpmError::Silent))));
    }
    assert_eq!(opened.load(Ordering::Relaxed), 1);
}

#[test]
fn a_busy_tpm_is_asked_again() {
    let tpm = SoftTpm::start().unwrap();
    let socket = tpm.socket();
    let busy: Open = Box::new(move || {
        let (ours, mut theirs) = UnixStream::pair()?;
        let mut tpm = UnixStream::connect(&socket)?;
        thread::spawn(move || -> io::Result<()> {
            loop {
                message(&mut theirs)?;
                // TPM_RC_RETRY
                theirs.write_all(b"\x80\x01\0\0\0\x0a\0\0\x09\x22")?;
                tpm.write_all(&message(&mut theirs)?)?;
                theirs.write_all(&message(&mut tpm)?)?;
            }
        });
        Ok(file(ours))
    });
    let mut anchor = TpmAnchor::over(busy, PATIENCE);
    anchor.raise(to(1)).unwrap();
    assert_eq!(anchor.read(), AnchorFound::Held(to(1)));
}

#[test]
fn a31_a_missing_tpm_is_no_anchor() {
    let mut anchor = TpmAnchor::new(PathBuf::from("/nowhere/tpmrm0"));
    assert_eq!(anchor.read(), AnchorFound::Unreadable);
    assert!(matches!(anchor.key(), Err(AnchorError::Tpm(TpmError::Open(_)))));
    assert!(!Path::new("/nowhere").exists());
}
