//! What appd and the launcher say to each other: typed messages over a SEQPACKET socket, one packet each.
//!
//! appd asks ([`Request`]), the launcher answers every request with one [`Message::Reply`] in the order they came
//! and tells by itself when an app is over ([`Message::Ended`]). A request to start carries one descriptor, the
//! app's end of its display. The launcher believes nothing in a request but the name of the app, and looks that up
//! in what was signed and granted.
//!
//! **Invariants:** a packet is at most [`MAX_PACKET`] bytes and carries at most one descriptor; a longer one, an unknown
//! word or field is refused whole; no descriptor of a refused packet stays open.

mod message;
mod packet;

pub use message::{Answer, AppId, AppInfo, End, Message, Refusal, Request};
pub use packet::{MAX_PACKET, PacketError, receive, send};

/// Where the launcher listens. Only appd's user may connect.
pub const SOCKET: &str = "/run/nestling/launcher/launcher.sock";
