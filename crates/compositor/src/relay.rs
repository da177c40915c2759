//! Carries bytes between the app's socket and the Wayland library, and counts them.
//!
//! The library reads its socket until it is empty and answers `wl_display.sync` by itself, so a client that
//! never stops would hold the thread. Therefore the library gets the far end of a second socket pair, and what
//! the app sends passes through here: one bounded piece a turn, cut into messages by their headers (Wayland
//! protocol, "Wire Format": object id, size and opcode).
//!
//! **Invariants:** no call waits. A piece is at most [`PIECE`] bytes; a message that the library cannot take
//! never reaches it. While the app does not read, nothing more is read from it. Descriptors pass one way only.

use std::collections::VecDeque;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, Shutdown, SocketFlags, SocketType, recv, recvmsg, send, sendmsg,
    shutdown, socketpair,
};

use crate::budget::Budget;
use crate::{Limits, Reason};

/// Bytes read from the app in one turn.
const PIECE: usize = 16 * 1024;
/// The largest message libwayland and wayland-backend take.
const MESSAGE: usize = 4096;
/// Descriptors in one piece, as libwayland sends them at most.
const DESCRIPTORS: usize = 28;
/// `wl_display` is object 1; opcode 1 is `get_registry`. A registry is never destroyed.
const GET_REGISTRY: (u32, u16) = (1, 1);
/// Registries per session.
const REGISTRIES: u32 = 16;

/// The two sockets and what passed between them.
#[derive(Debug)]
pub(crate) struct Relay {
    app: OwnedFd,
    inner: OwnedFd,
    piece: Vec<u8>,
    framing: Framing,
    requests: Budget,
    bytes: Budget,
    unread: VecDeque<u8>,
    unread_limit: usize,
    descriptors: usize,
    passed: u64,
    /// The app's connection outlives this.
    kept: bool,
}

impl Relay {
    /// The relay, and the socket for the library.
    pub(crate) fn new(app: OwnedFd, limits: &Limits, now: Instant) -> Result<(Self, UnixStream), Errno> {
        let (inner, library) =
            socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        let relay = Self {
            app,
            inner,
            piece: vec![0; PIECE],
            framing: Framing::default(),
            requests: Budget::new(limits.requests, now),
            bytes: Budget::new(limits.bytes, now),
            unread: VecDeque::new(),
            unread_limit: limits.unread,
            descriptors: 0,
            passed: 0,
            kept: false,
        };
        Ok((relay, UnixStream::from(library)))
    }

    /// The app's socket, which then stays open, although nobody serves it.
    pub(crate) fn keep(&mut self) -> Option<OwnedFd> {
        let socket = self.app.try_clone().ok();
        self.kept = socket.is_some();
        socket
    }

    pub(crate) fn app(&self) -> BorrowedFd<'_> {
        self.app.as_fd()
    }

    /// The app has not read everything: wait until it can be written to.
    pub(crate) fn clogged(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Descriptors that passed since the session began.
    pub(crate) fn descriptors(&self) -> usize {
        self.descriptors
    }

    /// Requests that passed since the session began.
    pub(crate) fn requests(&self) -> u64 {
        self.passed
    }

    /// Hands one piece of what the app sent to the library. True when there was any.
    pub(crate) fn pull(&mut self, now: Instant) -> Result<bool, Reason> {
        if self.clogged() {
            return Ok(false);
        }
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let mut slices = [IoSliceMut::new(&mut self.piece)];
        let received = match recvmsg(&self.app, &mut slices, &mut control, flags) {
            Ok(received) => received,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(false),
            Err(_) => return Err(Reason::Closed),
        };
        if received.flags.contains(ReturnFlags::CTRUNC) {
            return Err(Reason::Flood);
        }
        let mut descriptors = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                descriptors.extend(rights);
            }
        }
        let piece = self.piece.get(..received.bytes).unwrap_or_default();
        if piece.is_empty() {
            return Err(Reason::Closed);
        }
        let count = self.framing.feed(piece)?;
        self.passed += count as u64;
        self.descriptors += descriptors.len();
        if !self.requests.take(count, now) || !self.bytes.take(piece.len(), now) {
            return Err(Reason::Flood);
        }
        forward(&self.inner, piece, &descriptors)?;
        Ok(true)
    }

    /// Hands what the library wrote to the app, as far as the app reads.
    pub(crate) fn push(&mut self) -> Result<(), Reason> {
        loop {
            let mut piece = [0; 4096];
            match recv(&self.inner, &mut piece, RecvFlags::DONTWAIT) {
                Ok((count, _)) if count > 0 => {
                    self.unread.extend(piece.get(..count).unwrap_or_default());
                }
                _ => break,
            }
        }
        while !self.unread.is_empty() {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            match send(&self.app, self.unread.as_slices().0, flags) {
                Ok(count) => drop(self.unread.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => return Err(Reason::Closed),
            }
        }
        if self.unread.len() > self.unread_limit { Err(Reason::Silent) } else { Ok(()) }
    }
}

impl Drop for Relay {
    /// The watcher may still hold a copy of the socket: the app must see the end all the same.
    fn drop(&mut self) {
        if !self.kept {
            let _ = shutdown(&self.app, Shutdown::Both);
        }
    }
}

/// The library empties its socket in every turn, so a piece always fits.
fn forward(inner: &OwnedFd, piece: &[u8], descriptors: &[OwnedFd]) -> Result<(), Reason> {
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    let sent = if descriptors.is_empty() {
        send(inner, piece, flags)
    } else {
        let borrowed: Vec<BorrowedFd<'_>> = descriptors.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&borrowed));
        sendmsg(inner, &[IoSlice::new(piece)], &mut control, flags)
    };
    if sent == Ok(piece.len()) { Ok(()) } else { Err(Reason::Protocol) }
}

/// Finds the messages in a stream of bytes.
#[derive(Debug, Default)]
struct Framing {
    /// The beginning of a header that was cut.
    header: Vec<u8>,
    /// Bytes of the current message that are still to come.
    rest: usize,
    registries: u32,
}

impl Framing {
    /// How many messages begin in `piece`.
    fn feed(&mut self, piece: &[u8]) -> Result<usize, Reason> {
        let mut piece = piece;
        let mut count = 0;
        while !piece.is_empty() {
            let skipped = self.rest.min(piece.len());
            piece = piece.get(skipped..).unwrap_or_default();
            self.rest -= skipped;
            while self.rest == 0 && self.header.len() < 8 {
                let Some((first, others)) = piece.split_first() else { return Ok(count) };
                self.header.push(*first);
                piece = others;
            }
            if let Some((object, size, opcode)) = self.take_header() {
                if !(8..=MESSAGE).contains(&size) || size % 4 != 0 {
                    return Err(Reason::Protocol);
                }
                if (object, opcode) == GET_REGISTRY {
                    self.registries += 1;
                    if self.registries > REGISTRIES {
                        return Err(Reason::Flood);
                    }
                }
                self.rest = size - 8;
                count += 1;
            }
        }
        Ok(count)
    }

    fn take_header(&mut self) -> Option<(u32, usize, u16)> {
        let (object, word) = self.header.split_first_chunk::<4>()?;
        let word = u32::from_ne_bytes(*word.first_chunk::<4>()?);
        let object = u32::from_ne_bytes(*object);
        self.header.clear();
        Some((object, (word >> 16) as usize, (word & 0xffff) as u16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(object: u32, opcode: u16, body: usize) -> Vec<u8> {
        let mut bytes = object.to_ne_bytes().to_vec();
        bytes.extend((((8 + body as u32) << 16) | u32::from(opcode)).to_ne_bytes());
        bytes.extend(vec![7; body]);
        bytes
    }

    proptest! {
        #[test]
        fn messages_are_counted_however_they_are_cut(
            bodies in prop::collection::vec(0usize..40, 1..40),
            cuts in prop::collection::vec(1usize..50, 1..200),
        ) {
            let stream: Vec<u8> = bodies.iter().flat_map(|words| message(3, 0, words * 4)).collect();
            let mut framing = Framing::default();
            let (mut at, mut count) = (0, 0);
            for cut in cuts.iter().cycle() {
                let end = (at + cut).min(stream.len());
                count += framing.feed(&stream[at..end]).unwrap();
                at = end;
                if at == stream.len() {
                    break;
                }
            }
            prop_assert_eq!(count, bodies.len());
        }

        #[test]
        fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut framing = Framing::default();
            for piece in noise.chunks(13) {
                if framing.feed(piece).is_err() {
                    break;
                }
            }
        }
    }

    #[test]
    fn a_message_shorter_than_its_header_or_longer_than_the_library_takes_is_refused() {
        for size in [0u32, 4, 7, 9, 4100, 0xffff] {
            let mut bytes = 3u32.to_ne_bytes().to_vec();
            bytes.extend((size << 16).to_ne_bytes());
            assert_eq!(Framing::default().feed(&bytes), Err(Reason::Protocol), "{size}");
        }
    }

    #[test]
    fn registries_are_few() {
        let stream: Vec<u8> = (0..17).flat_map(|_| message(1, 1, 4)).collect();
        assert_eq!(Framing::default().feed(&stream), Err(Reason::Flood));
    }
}
