//! What can be asked, and the answers.

use crate::app::Permission;
use crate::number::E164;

/// Who is calling or writing, after the network's text was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// A number in one spelling.
    Number(E164),
    /// The caller hides it.
    Withheld,
    /// The network sent a text that is nobody's number.
    Unreadable,
}

/// What the reviewers signed about an app, as far as a decision needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct App<'a> {
    /// Its id in the catalogue.
    pub id: &'a str,
    /// Its category.
    pub category: &'a str,
    /// The youngest child it is for, years.
    pub age: u8,
}

/// What somebody wants to do. Emergency calls are not here: the `lifeline` crate answers for them before
/// any rule is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action<'a> {
    /// A call comes in.
    Ring(Caller),
    /// The child calls a number.
    Dial(E164),
    /// The child calls a helpline for children, by the digits of `Region::helplines`.
    Helpline(&'a str),
    /// A text comes in and would be shown.
    Receive(Caller),
    /// The child writes a text to a number.
    Write(E164),
    /// The child opens an app, or an app that is open goes on.
    Open(&'a App<'a>),
    /// An app that is open uses something. Whether it may be open is asked by `Open`.
    Use {
        /// The app's id.
        app: &'a str,
        /// What it uses.
        permission: Permission,
    },
    /// An alarm or a timer sounds.
    Alarm,
}

/// Why not. The word is what the diary keeps and what a screen translates; each says what a child is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// "Your family does not know this number."
    UnknownNumber,
    /// "Somebody called and hid the number."
    Withheld,
    /// "Somebody called, and the number could not be read."
    UnreadableNumber,
    /// "Your family has not switched this on for this person."
    NotThisContact,
    /// "Your family has not switched messages on."
    NotThisFeature,
    /// "That is no helpline here."
    NotAHelpline,
    /// "A grown-up has not said yes to this app."
    NotGranted,
    /// "The time for this app is over."
    TimeUp,
    /// "A grown-up has not said yes to this app using that."
    NoPermission,
    /// "You are in class."
    NotInClass,
    /// "It is bedtime."
    Bedtime,
    /// "Not now: your family planned this time for something else."
    Schedule,
    /// "A grown-up has paused the watch."
    Paused,
    /// "This watch is lost. It calls only those who can help."
    Lost,
    /// "The watch is charging."
    Charging,
    /// "You are too young for this app."
    TooYoung,
    /// "Your time for today is over."
    DayLimit,
    /// "Your time for apps like this is over for today."
    CategoryLimit,
    /// "Time for a break."
    Break,
    /// "It is night."
    Night,
    /// "Games are for Friday, Saturday and Sunday from 8 to 9 in the evening."
    GameHours,
    /// "Apps like this are not for children here."
    RegionForbids,
    /// "The watch does not know how long you played. Try again soon."
    UsageUnknown,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::UnknownNumber,
        Self::Withheld,
        Self::UnreadableNumber,
        Self::NotThisContact,
        Self::NotThisFeature,
        Self::NotAHelpline,
        Self::NotGranted,
        Self::TimeUp,
        Self::NoPermission,
        Self::NotInClass,
        Self::Bedtime,
        Self::Schedule,
        Self::Paused,
        Self::Lost,
        Self::Charging,
        Self::TooYoung,
        Self::DayLimit,
        Self::CategoryLimit,
        Self::Break,
        Self::Night,
        Self::GameHours,
        Self::RegionForbids,
        Self::UsageUnknown,
    ];

    /// The word in the diary and on the bus. It never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownNumber => "unknown-number",
            Self::Withheld => "withheld",
            Self::UnreadableNumber => "unreadable-number",
            Self::NotThisContact => "not-this-contact",
            Self::NotThisFeature => "not-this-feature",
            Self::NotAHelpline => "not-a-helpline",
            Self::NotGranted => "not-granted",
            Self::TimeUp => "time-up",
            Self::NoPermission => "no-permission",
            Self::NotInClass => "not-in-class",
            Self::Bedtime => "bedtime",
            Self::Schedule => "schedule",
            Self::Paused => "paused",
            Self::Lost => "lost",
            Self::Charging => "charging",
            Self::TooYoung => "too-young",
            Self::DayLimit => "day-limit",
            Self::CategoryLimit => "category-limit",
            Self::Break => "break",
            Self::Night => "night",
            Self::GameHours => "game-hours",
            Self::RegionForbids => "region-forbids",
            Self::UsageUnknown => "usage-unknown",
        }
    }
}

/// The answer, and how long it holds while the rules stay as they are. Times are seconds since 1970, UTC, on the clock of
/// [`Moment::unix`](crate::Moment).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Allow {
        /// From this second on it is no longer allowed, if what is allowed goes on until then; `None`: no clock ends it.
        until: Option<i64>,
    },
    /// No, and why.
    Deny {
        /// Why not.
        reason: Reason,
        /// Not before this second is it allowed, if no app is used until then; `None`: only an order changes it, or the
        /// watch leaving its charger, or usage becoming known.
        until: Option<i64>,
    },
}

impl Verdict {
    /// Whether it is `Allow`.
    pub fn is_allow(self) -> bool {
        matches!(self, Self::Allow { .. })
    }
}
