//! The words.

use serde::{Deserialize, Deserializer, Serialize};

/// Name of an app: 1 to 32 of `a-z`, `0-9`, `-`, as in the policy and in the catalogue. Never a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct AppId(String);

impl AppId {
    /// Reads one; `None` if the text is no id.
    pub fn parse(text: &str) -> Option<Self> {
        policy::is_id(text).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for AppId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("an app's id is 1 to 32 of a-z, 0-9 and -"))
    }
}

/// What appd asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Which apps does the catalogue have?
    List,
    /// Verify an app and start it; with its display as the packet's one descriptor.
    Start {
        /// Which.
        app: AppId,
        /// Name appd gives this run; never used twice on one connection.
        session: u64,
    },
    /// Stop the processor for it: nothing of it runs until it is thawed.
    Freeze {
        /// Which run.
        session: u64,
    },
    /// Let it go on.
    Thaw {
        /// Which run.
        session: u64,
    },
    /// End all its processes now. [`Message::Ended`] follows.
    End {
        /// Which run.
        session: u64,
    },
}

/// What the launcher sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Message {
    /// The answer to the oldest unanswered request.
    Reply(Answer),
    /// A run is over, whoever ended it; its cgroup is empty.
    Ended {
        /// Which run.
        session: u64,
        /// How.
        end: End,
    },
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Answer {
    /// To `List`: every app the catalogue lists, ordered by id.
    Apps(Vec<AppInfo>),
    /// To `Start`: it runs.
    Started,
    /// To `Freeze`, `Thaw`, `End`: done.
    Done,
    /// No, and nothing was started or changed.
    Refused(Refusal),
}

/// An app of the catalogue, as a screen shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppInfo {
    /// Its id.
    pub id: AppId,
    /// Its name, at most 40 characters, without control or direction marks.
    pub name: String,
    /// What it is, such as `game`: 1 to 32 of `a-z`, `0-9`, `-`.
    pub category: String,
    /// The youngest child it is for, years.
    pub age: u8,
}

impl AppInfo {
    /// As a decision needs it.
    pub fn as_asked(&self) -> policy::App<'_> {
        policy::App { id: self.id.as_str(), category: &self.category, age: self.age }
    }
}

/// Why an app was not started, or a session not touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The packet was no request.
    #[error("the request cannot be read")]
    Malformed,
    /// The catalogue, signed by the reviewers, does not list it.
    #[error("no reviewer signed this app")]
    NotSigned,
    /// The bundle on the watch is not the one that was signed.
    #[error("the app is not the one that was signed")]
    Altered,
    /// The reviewers' word for a new app is too old.
    #[error("the catalogue is out of date, and the app was never on this watch")]
    Expired,
    /// The catalogue itself cannot be believed.
    #[error("the catalogue cannot be believed")]
    Catalogue,
    /// No guardian granted it.
    #[error("no guardian granted this app")]
    NotGranted,
    /// The grant is over for now.
    #[error("the time for this app is up")]
    TimeUp,
    /// There are no rules to grant anything: sealed, or no guardian yet.
    #[error("there are no rules")]
    NoRules,
    /// A part of the sandbox could not be built, so there is none.
    #[error("the sandbox could not be built")]
    Sandbox,
    /// Storage is full or failing.
    #[error("storage failed")]
    Storage,
    /// As many apps run as may.
    #[error("too many apps run")]
    Busy,
    /// There is no such session.
    #[error("there is no such session")]
    NoSession,
}

impl Refusal {
    /// The word in the diary and on the bus, as in the packet.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::NotSigned => "not-signed",
            Self::Altered => "altered",
            Self::Expired => "expired",
            Self::Catalogue => "catalogue",
            Self::NotGranted => "not-granted",
            Self::TimeUp => "time-up",
            Self::NoRules => "no-rules",
            Self::Sandbox => "sandbox",
            Self::Storage => "storage",
            Self::Busy => "busy",
            Self::NoSession => "no-session",
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum End {
    /// By itself, with this code.
    Exited(i32),
    /// By a signal: its own fault (such as SIGSEGV, or SIGSYS for a forbidden call), or `End` (SIGKILL).
    Signalled(i32),
    /// It used more memory than an app may.
    OutOfMemory,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_a_refusal_is_the_one_in_the_packet() {
        for refusal in [Refusal::NotSigned, Refusal::TimeUp, Refusal::NoSession, Refusal::Altered] {
            assert_eq!(serde_json::to_string(&refusal).unwrap(), format!("\"{}\"", refusal.as_str()));
        }
    }

    #[test]
    fn a37_an_id_is_never_a_path() {
        for text in ["", "..", "a/b", "/etc/passwd", "a.b", "A", "draw\0", "draw\n", &"a".repeat(33)] {
            assert_eq!(AppId::parse(text), None, "{text:?}");
        }
        assert!(AppId::parse("draw-2").is_some());
    }
}
