//! The part of the model that knows who looks where the child is.
//!
//! **Invariant:** a look is on the screen from when it is told of until its end, which comes by itself: policyd need not be there
//! to say so.

use std::time::Duration;

use ipc::{Look, Looked, limits};

#[derive(Debug, Default)]
pub(super) struct Looks {
    looking: Vec<Look>,
    today: u32,
    looked: Vec<Looked>,
}

impl Looks {
    pub(super) fn set(&mut self, mut looking: Vec<Look>, today: u32) {
        looking.truncate(limits::LOOKS);
        (self.looking, self.today) = (looking, today);
    }

    pub(super) fn set_looked(&mut self, mut looked: Vec<Looked>) {
        looked.truncate(limits::LOOKED);
        self.looked = looked;
    }

    /// The looks of today, the newest first.
    pub(super) fn looked(&self) -> &[Looked] {
        &self.looked
    }

    /// Who looks now.
    pub(super) fn names(&self, now: Duration) -> Vec<&str> {
        self.looking.iter().filter(|look| now < end(look)).map(|look| look.name.as_str()).collect()
    }

    pub(super) fn today(&self) -> u32 {
        self.today
    }

    pub(super) fn next_change(&self, now: Duration) -> Option<Duration> {
        self.looking.iter().map(end).filter(|end| *end > now).min()
    }
}

fn end(look: &Look) -> Duration {
    Duration::from_millis(look.until_ms)
}
