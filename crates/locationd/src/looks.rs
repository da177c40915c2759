//! Until when a guardian looks, and who is given the position meanwhile.
//!
//! **Invariants:** a look is over at its end, on the boot-time clock, whatever policyd says or whether it is there; who carries
//! the position to a guardian is given it only while a look is open.

use std::time::Duration;

use daemon::access::Peer;
use futures_util::StreamExt as _;
use ipc::{Look, Looks1Proxy};
use tokio::sync::watch;
use zbus::Connection;
use zbus::proxy::CacheProperties;

/// Why the position is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The lifeline: help called for is no look.
    Lifeline,
    /// A developer's hand, which is in no product.
    Developer,
    /// It is carried to a guardian who looks.
    Bearer,
}

impl Reader {
    /// Who may ask at all. Nobody is a bearer yet.
    pub fn of(peer: Peer) -> Option<Self> {
        match peer {
            Peer::Telephony => Some(Self::Lifeline),
            Peer::Agent => Some(Self::Developer),
            Peer::Policy | Peer::Location | Peer::Apps | Peer::Shell => None,
        }
    }

    /// Whether the position is given; `open` is when the last open look ends, on the boot-time clock.
    pub fn is_given(self, open: Option<Duration>, now: Duration) -> bool {
        match self {
            Self::Lifeline | Self::Developer => true,
            Self::Bearer => open.is_some_and(|end| now < end),
        }
    }
}

/// Follows what policyd says, until nobody wants to know any more: when the last open look ends.
///
/// # Errors
/// The bus is gone.
pub async fn follow(connection: Connection, open: watch::Sender<Option<Duration>>) -> zbus::Result<()> {
    let looks = Looks1Proxy::builder(&connection).cache_properties(CacheProperties::No).build().await?;
    let mut owner = looks.inner().receive_owner_changed().await?;
    let mut changed = looks.receive_looks_changed().await?;
    let read = async || match looks.looking().await {
        Ok(looking) => drop(open.send_replace(last_end(&looking))),
        Err(error) => tracing::debug!(%error, "policyd does not tell who looks"),
    };
    read().await;
    loop {
        tokio::select! {
            biased;
            Some(new) = owner.next() => {
                if new.is_some() {
                    read().await;
                }
            }
            Some(signal) = changed.next() => {
                if let Ok(arguments) = signal.args() {
                    open.send_replace(last_end(&arguments.looking));
                }
            }
            () = open.closed() => return Ok(()),
            else => return Ok(()),
        }
    }
}

fn last_end(looking: &[Look]) -> Option<Duration> {
    looking.iter().map(|look| Duration::from_millis(look.until_ms)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t16_a_bearer_is_given_the_position_only_while_a_look_is_open() {
        let (end, before) = (Duration::from_secs(220), Duration::from_millis(219_999));
        assert!(!Reader::Bearer.is_given(None, before));
        assert!(Reader::Bearer.is_given(Some(end), before));
        assert!(!Reader::Bearer.is_given(Some(end), end), "it ends by itself");
    }

    #[test]
    fn t14_nobody_in_a_product_carries_a_position_yet_and_help_waits_for_no_look() {
        let peers = [Peer::Policy, Peer::Telephony, Peer::Location, Peer::Apps, Peer::Shell, Peer::Agent];
        let readers: Vec<_> = peers.into_iter().filter_map(Reader::of).collect();
        assert_eq!(readers, [Reader::Lifeline, Reader::Developer]);
        assert!(readers.iter().all(|reader| reader.is_given(None, Duration::ZERO)));
    }

    #[test]
    fn the_last_of_several_looks_counts() {
        let look = |until_ms| Look { guardian: "g".into(), name: "G".into(), since_ms: 0, until_ms };
        assert_eq!(last_end(&[look(5), look(9), look(7)]), Some(Duration::from_millis(9)));
        assert_eq!(last_end(&[]), None);
    }
}
