//! What became of every call, and whether the diary says the same. No I/O.
//!
//! **Invariants:** each call the network made has exactly one [`Outcome`]; a call that was not disturbed leaves exactly
//! the lines it must in the diary; only a fault that was on excuses a call that was lost.

use std::collections::BTreeMap;

/// Who is at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// A contact, by its id.
    Contact(String),
    /// Nobody's contact, or withheld.
    Stranger,
}

/// How a call ended, as the network saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The watch ended it.
    ByWatch,
    /// The other end hung up.
    ByRemote,
    /// The modem left the network with it.
    WithNetwork,
    /// It never reached the watch.
    Unreachable,
    /// ModemManager's probe ended it (`ATH`), before anybody could see it.
    ByProbe,
}

/// Whether another call was there when it came (ADR 0014).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// None was.
    First,
    /// One was, and this one is told busy.
    Busy,
    /// One was, and this one waits for its end.
    Waits,
}

/// The evidence about one call to the watch.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) who: Who,
    /// How the diary names the caller when he is turned away.
    pub(crate) label: String,
    /// The screen showed that contact ringing.
    pub(crate) rang: bool,
    /// `None`: the network still holds it.
    pub(crate) ended: Option<Ended>,
    /// The caller hung up before there could be a verdict.
    pub(crate) in_haste: bool,
    /// Before it rang it may have had to wait.
    pub(crate) place: Place,
    /// What was wrong while it lasted.
    pub(crate) faults: Vec<&'static str>,
}

/// What became of a call to the watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It rang.
    Rang,
    /// It was ended before it rang.
    TurnedAway,
    /// The caller was faster than the verdict.
    GaveUp,
    /// It waited behind another call until the caller hung up.
    Waited,
    /// It did not get through because of this.
    Lost(&'static str),
}

impl Seen {
    /// The one outcome, or what cannot be.
    pub(crate) fn outcome(&self) -> Result<Outcome, String> {
        let contact = matches!(self.who, Who::Contact(_));
        match (self.rang, self.ended, self.faults.first()) {
            (_, None, _) => Err("the network still holds it".into()),
            (true, ..) if !contact => Err("a stranger rang".into()),
            (true, _, None) if self.place == Place::Busy => Err("a second call rang".into()),
            (true, Some(Ended::Unreachable), _) => Err("it rang and never reached the watch".into()),
            (true, ..) => Ok(Outcome::Rang),
            (false, Some(Ended::ByWatch), None) if contact && self.place != Place::Busy => {
                Err("a contact was turned away".into())
            }
            (false, Some(Ended::ByWatch), _) => Ok(Outcome::TurnedAway),
            (false, Some(_), Some(fault)) => Ok(Outcome::Lost(fault)),
            (false, Some(Ended::ByRemote), None) if self.in_haste => Ok(Outcome::GaveUp),
            (false, Some(Ended::ByRemote), None) if self.place == Place::Waits => Ok(Outcome::Waited),
            (false, Some(how), None) => {
                Err(format!("it neither rang nor was turned away, but ended {how:?}"))
            }
        }
    }
}

/// How often something is in the diary: at least, at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Range(u64, u64);

impl Range {
    fn add(&mut self, least: u64, most: u64) {
        self.0 += least;
        self.1 += most;
    }

    fn holds(self, count: u64) -> bool {
        (self.0..=self.1).contains(&count)
    }
}

/// All calls of one watch.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Calls, both ways.
    pub(crate) calls: u32,
    pub(crate) rang: u32,
    pub(crate) turned_away: u32,
    pub(crate) gave_up: u32,
    pub(crate) waited: u32,
    pub(crate) dialled: u32,
    /// By the fault.
    pub(crate) lost: BTreeMap<&'static str, u32>,
    /// What was not as it should be.
    pub(crate) wrong: Vec<String>,
    /// All calls in their order, for whoever looks for what went wrong.
    pub(crate) story: Vec<String>,
    /// Calls turned away, by the caller's label.
    refused: BTreeMap<String, Range>,
    /// Calls that rang, and calls dialled, by the contact.
    answered_for: BTreeMap<(bool, String), Range>,
}

impl Ledger {
    /// A call to the watch is over.
    pub(crate) fn incoming(&mut self, seen: &Seen) {
        self.calls += 1;
        let outcome = match seen.outcome() {
            Ok(outcome) => outcome,
            Err(what) => return self.wrong.push(format!("{what}: {seen:?}")),
        };
        let (label, faults) = (&seen.label, &seen.faults);
        self.story.push(format!("{label} {outcome:?} {:?} {faults:?}", seen.ended));
        match outcome {
            Outcome::Rang => self.rang += 1,
            Outcome::TurnedAway => self.turned_away += 1,
            Outcome::GaveUp => self.gave_up += 1,
            Outcome::Waited => self.waited += 1,
            Outcome::Lost(fault) => *self.lost.entry(fault).or_default() += 1,
        }
        // A modem that comes back with a call in it shows that call anew.
        let undisturbed = seen.faults.is_empty();
        let twice = if undisturbed { 0 } else { 3 };
        // A disturbed one may have been ended before telephonyd saw it: with the line, or by a modem that was started again.
        let certain = |wanted| u64::from(outcome == wanted && undisturbed);
        let maybe = u64::from(matches!(outcome, Outcome::GaveUp));
        let away = certain(Outcome::TurnedAway);
        self.refused.entry(seen.label.clone()).or_default().add(away, away + maybe + twice);
        if let Who::Contact(id) = &seen.who {
            let known = certain(Outcome::Rang) + certain(Outcome::Waited);
            let range = self.answered_for.entry((true, id.clone())).or_default();
            range.add(known, known + maybe + twice);
        }
    }

    /// A call of the watch's is over, or the modem did not make it.
    pub(crate) fn outgoing(&mut self, contact: &str, made: bool, fault: Option<&'static str>) {
        self.calls += 1;
        self.story.push(format!("to {contact}, made {made} {fault:?}"));
        match (made, fault) {
            (true, _) => self.dialled += 1,
            (false, Some(fault)) => *self.lost.entry(fault).or_default() += 1,
            (false, None) => return self.wrong.push(format!("{contact} was not dialled")),
        }
        let range = self.answered_for.entry((false, contact.to_owned())).or_default();
        let disturbed = u64::from(fault.is_some());
        range.add(u64::from(made) * (1 - disturbed), 1 + disturbed);
    }

    /// Compares with the diary, which is whole: what it says was turned away, rang and was dialled.
    pub(crate) fn close(&mut self, told: &Told) {
        for (label, count) in &told.refused {
            let range = self.refused.get(label).copied().unwrap_or_default();
            if !range.holds(*count) {
                self.wrong.push(format!("the diary turned {label} away {count} times, it was {range:?}"));
            }
        }
        for (label, range) in self.refused.iter().filter(|(label, _)| !told.refused.contains_key(*label)) {
            if !range.holds(0) {
                self.wrong.push(format!("the diary does not know {label}, who was turned away {range:?}"));
            }
        }
        for (key, count) in &told.answered_for {
            let range = self.answered_for.get(key).copied().unwrap_or_default();
            if !range.holds(*count) {
                self.wrong.push(format!("the diary has {count} calls of {key:?}, there were {range:?}"));
            }
        }
        for (key, range) in self.answered_for.iter().filter(|(key, _)| !told.answered_for.contains_key(*key))
        {
            if !range.holds(0) {
                self.wrong.push(format!("the diary has no call of {key:?}, there were {range:?}"));
            }
        }
    }

    /// As [`Ledger::close`], where a modem garbled who called: at least as many are in the diary as were turned away.
    pub(crate) fn close_garbled(&mut self, told: &Told) {
        let (away, known) = (u64::from(self.turned_away), told.refused.values().sum::<u64>());
        if known < away {
            self.wrong.push(format!("{away} were turned away by a garbled modem, the diary knows {known}"));
        }
    }

    /// Adds what happened to the same watch later.
    pub(crate) fn merge(&mut self, later: Self) {
        self.calls += later.calls;
        self.rang += later.rang;
        self.turned_away += later.turned_away;
        self.gave_up += later.gave_up;
        self.waited += later.waited;
        self.dialled += later.dialled;
        for (fault, count) in later.lost {
            *self.lost.entry(fault).or_default() += count;
        }
        self.wrong.extend(later.wrong);
        self.story.extend(later.story);
    }
}

/// What the diary says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    refused: BTreeMap<String, u64>,
    /// Incoming or not, and the contact.
    answered_for: BTreeMap<(bool, String), u64>,
}

impl Told {
    /// A line: its kind, and a look into its details.
    pub(crate) fn line<'a>(&mut self, kind: &str, detail: impl Fn(&str) -> Option<&'a str>) {
        let of = |name| detail(name).unwrap_or_default().to_owned();
        match kind {
            "call-refused" => {
                let count = detail("count").map_or(1, |count| count.parse().unwrap_or(0));
                *self.refused.entry(of("caller")).or_default() += count;
            }
            "call-answered" | "call-declined" | "call-missed" => {
                *self.answered_for.entry((true, of("contact"))).or_default() += 1;
            }
            "call-dialled" => *self.answered_for.entry((false, of("contact"))).or_default() += 1,
            _ => {}
        }
    }
}
