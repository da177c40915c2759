//! Packets with at most one descriptor, `SCM_RIGHTS` (unix(7)).

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest packet, bytes.
pub const MAX_PACKET: usize = 128 * 1024;

/// Why there is no message.
#[derive(Debug, thiserror::Error)]
pub enum PacketError {
    /// The other side is gone.
    #[error("the other side is gone")]
    Gone,
    /// There is nothing to read, or no room to write, on a socket that does not wait.
    #[error("not now")]
    WouldBlock,
    /// The socket failed.
    #[error("the socket failed")]
    Socket(#[source] Errno),
    /// Too long, or with more than one descriptor.
    #[error("a packet is at most {MAX_PACKET} bytes and one descriptor")]
    TooLarge,
    /// Not a message of this version.
    #[error("the packet is no message")]
    Malformed(#[source] serde_json::Error),
}

impl From<Errno> for PacketError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::AGAIN => Self::WouldBlock,
            Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN => Self::Gone,
            errno => Self::Socket(errno),
        }
    }
}

/// Sends one message, with a descriptor or without.
///
/// # Errors
/// See [`PacketError`]; nothing was sent then.
pub fn send(
    socket: impl AsFd,
    message: &impl Serialize,
    descriptor: Option<BorrowedFd<'_>>,
) -> Result<(), PacketError> {
    let bytes = serde_json::to_vec(message).map_err(PacketError::Malformed)?;
    if bytes.len() > MAX_PACKET {
        return Err(PacketError::TooLarge);
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = descriptor.as_slice();
    if !descriptors.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    sendmsg(socket, &[IoSlice::new(&bytes)], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives one message and its descriptor, if it has one (close-on-exec).
///
/// # Errors
/// See [`PacketError`]. After `TooLarge` and `Malformed` the next packet can be read.
pub fn receive<T: DeserializeOwned>(socket: impl AsFd) -> Result<(T, Option<OwnedFd>), PacketError> {
    let mut bytes = vec![0; MAX_PACKET];
    // Room for two, so that a second one is seen and closed; the kernel closes what has no room.
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let got = recvmsg(socket, &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let mut descriptors = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            descriptors.extend(received);
        }
    }
    if got.bytes == 0 {
        return Err(PacketError::Gone);
    }
    if got.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) || descriptors.len() > 1 {
        return Err(PacketError::TooLarge);
    }
    let text = bytes.get(..got.bytes).unwrap_or_default();
    let message = serde_json::from_slice(text).map_err(PacketError::Malformed)?;
    Ok((message, descriptors.pop()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AppId, Request};
    use proptest::prelude::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
    }

    fn send_raw(socket: &OwnedFd, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() {
            assert!(ancillary.push(SendAncillaryMessage::ScmRights(descriptors)));
        }
        sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL).unwrap();
    }

    fn open_files() -> usize {
        std::fs::read_dir("/proc/self/fd").unwrap().count()
    }

    #[test]
    fn a_message_and_its_descriptor_arrive_together() {
        let (left, right) = pair();
        let start = Request::Start { app: AppId::parse("draw").unwrap(), session: 7 };
        send(&left, &start, Some(left.as_fd())).unwrap();
        send(&left, &Request::List, None).unwrap();
        let (message, descriptor) = receive::<Request>(&right).unwrap();
        assert!(message == start && descriptor.is_some());
        // It is the sender's own end: as long as it is open the sender is not gone.
        drop(descriptor);
        let (message, descriptor) = receive::<Request>(&right).unwrap();
        assert!(message == Request::List && descriptor.is_none());
        drop(left);
        assert!(matches!(receive::<Request>(&right), Err(PacketError::Gone)));
    }

    #[test]
    fn a_packet_too_long_or_with_too_many_descriptors_is_refused_and_leaks_none() {
        let (left, right) = pair();
        let before = open_files();
        send_raw(&left, &vec![b' '; MAX_PACKET + 1], &[left.as_fd()]);
        send_raw(&left, br#""list""#, &[left.as_fd(), left.as_fd()]);
        send_raw(&left, br#""list""#, &[left.as_fd(); 4]);
        for _ in 0..3 {
            assert!(matches!(receive::<Request>(&right), Err(PacketError::TooLarge)));
        }
        send_raw(&left, br#"{"start":{"app":"../x","session":1}}"#, &[left.as_fd()]);
        send_raw(&left, br#"{"start":{"app":"x","session":1,"root":true}}"#, &[]);
        for _ in 0..2 {
            assert!(matches!(receive::<Request>(&right), Err(PacketError::Malformed(_))));
        }
        send(&left, &Request::List, None).unwrap();
        assert!(receive::<Request>(&right).is_ok(), "the next packet is read as if nothing had been");
        assert_eq!(open_files(), before);
    }

    proptest! {
        #[test]
        fn no_packet_panics(bytes in prop::collection::vec(any::<u8>(), 1..300)) {
            let (left, right) = pair();
            send_raw(&left, &bytes, &[]);
            let _ = receive::<Request>(&right);
        }
    }
}
