//! Until when a guardian looks, and who is given the position meanwhile.
//!
//! **Invariants:** a look is over at its end, on the boot-time clock, whatever policyd says or whether it is there; who carries
//! the position to a guardian is given it only while a look is open, and telephonyd only while it is open for help ([`crate::help`]).

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

/// Until when it is given, on the boot-time clock; `None`: it is not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Given {
    /// The end of the last open look.
    pub look: Option<Duration>,
    /// The end of the time that help opened.
    pub help: Option<Duration>,
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

    /// Whether the position is given `now`, on the boot-time clock.
    pub fn is_given(self, given: Given, now: Duration) -> bool {
        let is_open = |end: Option<Duration>| end.is_some_and(|end| now < end);
        match self {
            Self::Lifeline => is_open(given.help),
            Self::Developer => true,
            Self::Bearer => is_open(given.look),
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

    /// A moment of the boot-time clock, and one in which nothing ended yet.
    const END: Duration = Duration::from_secs(220);
    const BEFORE: Duration = Duration::from_millis(219_999);

    #[test]
    fn t16_a_bearer_is_given_the_position_only_while_a_look_is_open() {
        let (look, help) = (Given { look: Some(END), help: None }, Given { look: None, help: Some(END) });
        assert!(!Reader::Bearer.is_given(Given::default(), BEFORE) && !Reader::Bearer.is_given(help, BEFORE));
        assert!(Reader::Bearer.is_given(look, BEFORE));
        assert!(!Reader::Bearer.is_given(look, END), "it ends by itself");
    }

    #[test]
    fn t14_telephonyd_is_given_the_position_only_while_it_is_open_for_help() {
        let (look, help) = (Given { look: Some(END), help: None }, Given { look: None, help: Some(END) });
        let lifeline = Reader::Lifeline;
        assert!(!lifeline.is_given(Given::default(), BEFORE) && !lifeline.is_given(look, BEFORE));
        assert!(lifeline.is_given(help, BEFORE), "no look is waited for");
        assert!(!lifeline.is_given(help, END), "it ends by itself");
    }

    #[test]
    fn t14_nobody_in_a_product_carries_a_position_yet() {
        let peers = [Peer::Policy, Peer::Telephony, Peer::Location, Peer::Apps, Peer::Shell, Peer::Agent];
        let readers: Vec<_> = peers.into_iter().filter_map(Reader::of).collect();
        assert_eq!(readers, [Reader::Lifeline, Reader::Developer]);
        let always: Vec<_> =
            readers.into_iter().filter(|reader| reader.is_given(Given::default(), BEFORE)).collect();
        assert_eq!(always, [Reader::Developer]);
    }

    #[test]
    fn the_last_of_several_looks_counts() {
        let look = |until_ms| Look { guardian: "g".into(), name: "G".into(), since_ms: 0, until_ms };
        assert_eq!(last_end(&[look(5), look(9), look(7)]), Some(Duration::from_millis(9)));
        assert_eq!(last_end(&[]), None);
    }
}
