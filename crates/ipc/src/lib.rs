//! The D-Bus contract: names, wire types, proxies and error names.
//!
//! One interface for each object path, because bus policy cannot see which interface a `Properties`
//! call reads. Daemons implement the interfaces, everyone else uses the proxies here; nobody spells a
//! name or a signature a second time. The introspection XML of what daemons serve is kept in `golden/`, so
//! that a change of the contract is a readable diff; the shell's `Display1` is not there yet.
//!
//! **Invariant:** knows nothing of any daemon's inside, and holds no decision.

mod error;
mod proxies;
mod wire;

pub use error::{Refusal, Result};
pub use proxies::{
    Apps1Proxy, Diary1Proxy, Display1Proxy, Guardian1Proxy, Location1Proxy, Looks1Proxy, Policy1Proxy,
    Search1Proxy, Telephony1Proxy,
};
pub use wire::{
    App, AppSession, AppState, Call, CallState, Cell, Contact, DiaryEntry, DiaryRecord, Guardian, Happening,
    Look, Looked, Missed, ModemState, NetworkTime, News, PastCall, PolicyState, Position, Search, limits,
};

/// Well-known bus names, one for each daemon.
pub mod names {
    /// policyd: `Policy1`, `Diary1`, `Guardian1`, `Looks1`, `Search1`.
    pub const POLICY: &str = "org.nestling.Policy";
    /// telephonyd: `Telephony1`.
    pub const TELEPHONY: &str = "org.nestling.Telephony";
    /// locationd: `Location1`.
    pub const LOCATION: &str = "org.nestling.Location";
    /// The shell: `Display1`. What the screen is told is sent to this name; policyd tells the other daemons by theirs, and nobody
    /// broadcasts.
    pub const SHELL: &str = "org.nestling.Shell";
    /// appd: `Apps1`.
    pub const APPS: &str = "org.nestling.Apps";
}

/// Object paths, one for each interface.
pub mod paths {
    /// `org.nestling.Policy1`
    pub const POLICY: &str = "/org/nestling/Policy1";
    /// `org.nestling.Diary1`
    pub const DIARY: &str = "/org/nestling/Diary1";
    /// `org.nestling.Guardian1`
    pub const GUARDIAN: &str = "/org/nestling/Guardian1";
    /// `org.nestling.Looks1`
    pub const LOOKS: &str = "/org/nestling/Looks1";
    /// `org.nestling.Search1`
    pub const SEARCH: &str = "/org/nestling/Search1";
    /// `org.nestling.Telephony1`
    pub const TELEPHONY: &str = "/org/nestling/Telephony1";
    /// `org.nestling.Location1`
    pub const LOCATION: &str = "/org/nestling/Location1";
    /// `org.nestling.Apps1`
    pub const APPS: &str = "/org/nestling/Apps1";
    /// `org.nestling.Display1`
    pub const DISPLAY: &str = "/org/nestling/Display1";
}
