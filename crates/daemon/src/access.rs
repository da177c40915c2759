//! Who is calling. Bus policy has let the message through; every daemon looks again.

use ipc::{Refusal, names};
use nix::unistd::{User, getuid};
use serde::Deserialize;
use zbus::Connection;
use zbus::fdo::DBusProxy;
use zbus::message::Header;
use zbus::names::{BusName, WellKnownName};

/// Programs that can be told apart, one unix user each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// policyd
    Policy,
    /// telephonyd
    Telephony,
    /// locationd
    Location,
    /// appd
    Apps,
    /// the shell
    Shell,
    /// the developer's agent; its user does not exist in a product image
    Agent,
}

impl Peer {
    const ALL: [Self; 6] =
        [Self::Policy, Self::Telephony, Self::Location, Self::Apps, Self::Shell, Self::Agent];

    /// The unix user it runs as.
    pub fn user(self) -> &'static str {
        match self {
            Self::Policy => "nestling-policy",
            Self::Telephony => "nestling-telephony",
            Self::Location => "nestling-location",
            Self::Apps => "nestling-apps",
            Self::Shell => "nestling-shell",
            Self::Agent => "nestling-agent",
        }
    }

    /// The word in the diary.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Telephony => "telephony",
            Self::Location => "location",
            Self::Apps => "apps",
            Self::Shell => "shell",
            Self::Agent => "agent",
        }
    }

    fn name(self) -> Option<&'static str> {
        match self {
            Self::Policy => Some(names::POLICY),
            Self::Telephony => Some(names::TELEPHONY),
            Self::Location => Some(names::LOCATION),
            Self::Apps => Some(names::APPS),
            Self::Shell => Some(names::SHELL),
            Self::Agent => None,
        }
    }
}

/// How callers are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// By the unix user of the connection, as the bus knows it.
    #[default]
    Users,
    /// For a private bus where everything runs as one user: by the bus name the caller owns; a caller of
    /// our own user without a name counts as the agent. Callers of other users are refused.
    SameUser,
}

/// Tells callers apart and refuses those who may not.
#[derive(Debug, Clone)]
pub struct Access {
    connection: Connection,
    trust: Trust,
}

impl Access {
    /// Asks this connection's bus.
    pub fn new(connection: &Connection, trust: Trust) -> Self {
        Self { connection: connection.clone(), trust }
    }

    /// The caller of a message, if it is one of `allowed`.
    ///
    /// # Errors
    /// `NotAllowed` for everybody else, also when the bus cannot say who it is.
    pub async fn require(&self, header: &Header<'_>, allowed: &[Peer]) -> Result<Peer, Refusal> {
        match self.caller(header).await {
            Ok(Some(peer)) if allowed.contains(&peer) => Ok(peer),
            Ok(_) => Err(Refusal::NotAllowed("not for this user".into())),
            Err(error) => {
                tracing::warn!(%error, "the bus does not say who is calling");
                Err(Refusal::NotAllowed("the caller is unknown".into()))
            }
        }
    }

    async fn caller(&self, header: &Header<'_>) -> zbus::Result<Option<Peer>> {
        let Some(sender) = header.sender() else { return Ok(None) };
        let bus = DBusProxy::new(&self.connection).await?;
        let uid = bus.get_connection_unix_user(BusName::from(sender.clone())).await?;
        if self.trust == Trust::Users {
            let owns = |peer: &Peer| {
                User::from_name(peer.user()).ok().flatten().is_some_and(|u| u.uid.as_raw() == uid)
            };
            return Ok(Peer::ALL.into_iter().find(owns));
        }
        if uid != getuid().as_raw() {
            return Ok(None);
        }
        for peer in Peer::ALL {
            let Some(name) = peer.name() else { continue };
            let name = BusName::from(WellKnownName::from_static_str(name)?);
            if bus.get_name_owner(name).await.is_ok_and(|owner| owner.inner() == sender) {
                return Ok(Some(peer));
            }
        }
        Ok(Some(Peer::Agent))
    }
}
