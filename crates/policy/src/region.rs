//! Regions as data: what the law of each gives, with the clause it stands in. The clauses' codes are those of
//! `docs/threats.md`.
//!
//! A *floor* holds whatever the family decides. A *default* holds where the family decided nothing.

use serde::{Deserialize, Serialize};

use crate::allowance::Break;
use crate::schedule::{Day, Days, TimeOfDay, Window};
use crate::verdict::Reason;

/// Categories of apps that a region has rules about.
pub mod category {
    /// Games.
    pub const GAME: &str = "game";
    /// Answers questions with a voice that no human made.
    pub const GENERATIVE_VOICE: &str = "generative-voice";
}

/// At this age, in years, rules for minors end.
pub const ADULT: u8 = 18;

/// Whose law gives the defaults and the floors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// China.
    Cn,
    /// European Union and EEA.
    Eu,
    /// United Kingdom.
    Uk,
    /// United States.
    Us,
    /// Anywhere else.
    Neutral,
}

/// One clause, and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clause {
    /// Its code.
    pub id: &'static str,
    /// What follows, for a reader.
    pub says: &'static str,
    /// What follows, for a decision.
    pub rule: Rule,
}

/// What follows from a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Floor: on the charger only calls for help.
    Charging,
    /// Floor: apps of this category never.
    Forbidden(&'static str),
    /// Floor: no app, or none of this category, in these windows, below [`ADULT`].
    Closed {
        /// `None`: every app.
        category: Option<&'static str>,
        /// When.
        windows: &'static [Window],
        /// What the child is told.
        reason: Reason,
    },
    /// Default: the day's allowance below this age, where no clause before it has a lower one.
    Day {
        /// Years.
        below: u8,
        /// Minutes.
        minutes: u16,
    },
    /// Default: a break, below [`ADULT`].
    Break(Break),
}

impl Rule {
    /// Whether it holds whatever the family decides.
    pub fn is_floor(self) -> bool {
        !matches!(self, Self::Day { .. } | Self::Break(_))
    }
}

const fn window(days: Days, from: u8, to: u8) -> Window {
    Window { days, from: TimeOfDay::at(from), to: TimeOfDay::at(to) }
}

const NIGHT: [Window; 1] = [window(Days::ALL, 22, 6)];

/// All of the week but Friday, Saturday and Sunday from 20:00 to 21:00.
const NO_GAMES: [Window; 4] = [
    window(Days::of(&[Day::Mon, Day::Tue, Day::Wed, Day::Thu]), 0, 0),
    window(Days::of(&[Day::Fri]), 0, 20),
    window(Days::of(&[Day::Fri, Day::Sat]), 21, 20),
    window(Days::of(&[Day::Sun]), 21, 0),
];

const CN: [Clause; 7] = [
    Clause {
        id: "B14",
        says: "on the charger nothing works but emergency calls and helplines",
        rule: Rule::Charging,
    },
    Clause {
        id: "B10",
        says: "no app that answers with a generated voice",
        rule: Rule::Forbidden(category::GENERATIVE_VOICE),
    },
    Clause {
        id: "M6",
        says: "no app from 22:00 to 06:00, below 18",
        rule: Rule::Closed { category: None, windows: &NIGHT, reason: Reason::Night },
    },
    // The notice of 2021 opens games on statutory holidays too. The watch has no calendar of them, so they stay closed.
    Clause {
        id: "L75",
        says: "games on Friday, Saturday and Sunday from 20:00 to 21:00 only, below 18",
        rule: Rule::Closed { category: Some(category::GAME), windows: &NO_GAMES, reason: Reason::GameHours },
    },
    // M7 lets filed educational apps pass; the catalogue does not say which are filed, so none does.
    Clause {
        id: "M4",
        says: "60 minutes of apps a day below 16",
        rule: Rule::Day { below: 16, minutes: 60 },
    },
    Clause {
        id: "M4",
        says: "120 minutes of apps a day at 16 and 17",
        rule: Rule::Day { below: ADULT, minutes: 120 },
    },
    // The clause asks for a reminder; how long a rest is, is ours.
    Clause {
        id: "M5",
        says: "a break of 10 minutes after 30 minutes of apps, below 18",
        rule: Rule::Break(Break { after_min: 30, rest_min: 10 }),
    },
];

impl Region {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Cn, Self::Eu, Self::Uk, Self::Us, Self::Neutral];

    /// The word in orders and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cn => "cn",
            Self::Eu => "eu",
            Self::Uk => "uk",
            Self::Us => "us",
            Self::Neutral => "neutral",
        }
    }

    /// Its clauses.
    pub fn clauses(self) -> &'static [Clause] {
        match self {
            Self::Cn => &CN,
            Self::Eu | Self::Uk | Self::Us | Self::Neutral => &[],
        }
    }

    /// Whom a child can always call, by the digits that are dialled there: 12355 is the line for the young of the
    /// Communist Youth League, 116111 the European child helpline, 0800 1111 Childline, 988 the Suicide and Crisis
    /// Lifeline.
    pub fn helplines(self) -> &'static [&'static str] {
        match self {
            Self::Cn => &["12355"],
            Self::Eu => &["116111"],
            Self::Uk => &["08001111"],
            Self::Us => &["988"],
            Self::Neutral => &[],
        }
    }
}
