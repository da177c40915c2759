//! Counts what an app could make without end.
//!
//! **Invariants:** what is counted is what is kept: a count falls only when the thing itself is gone. The first
//! reason to end the session counts.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use smithay::reexports::wayland_server::backend::ObjectId;

use crate::budget::Budget;
use crate::{Limits, Rate, Reason};

/// The counts of one session.
#[derive(Debug)]
pub(crate) struct Guard {
    /// Why the session ends after this turn.
    pub(crate) reason: Option<Reason>,
    /// Open files of pools and buffers.
    pub(crate) files: Arc<AtomicUsize>,
    /// Descriptors that a request took.
    pub(crate) descriptors_taken: usize,
    commits: Budget,
    pixels: Budget,
    /// Rectangles in a region; damage and callbacks of a surface that were not taken yet.
    kept: HashMap<ObjectId, usize>,
    /// The sum of `kept`.
    total: usize,
    list: usize,
    lists: usize,
}

impl Guard {
    pub(crate) fn new(limits: &Limits, screen: (u32, u32), now: Instant) -> Self {
        let pixels = screen.0.saturating_mul(screen.1);
        let rate = Rate {
            per_second: limits.screens.per_second.saturating_mul(pixels),
            burst: limits.screens.burst.saturating_mul(pixels),
        };
        Self {
            reason: None,
            files: Arc::default(),
            descriptors_taken: 0,
            commits: Budget::new(limits.commits, now),
            pixels: Budget::new(rate, now),
            kept: HashMap::new(),
            total: 0,
            list: limits.list,
            lists: limits.lists,
        }
    }

    pub(crate) fn end(&mut self, reason: Reason) {
        self.reason.get_or_insert(reason);
    }

    pub(crate) fn keep(&mut self, object: ObjectId) {
        let kept = self.kept.entry(object).or_default();
        *kept += 1;
        self.total += 1;
        if *kept > self.list || self.total > self.lists {
            self.end(Reason::Flood);
        }
    }

    pub(crate) fn forget(&mut self, object: &ObjectId) {
        let kept = self.kept.remove(object).unwrap_or(0);
        self.total = self.total.saturating_sub(kept);
    }

    pub(crate) fn consume(&mut self, object: &ObjectId, count: usize) {
        if let Some(kept) = self.kept.get_mut(object) {
            let count = count.min(*kept);
            *kept -= count;
            self.total = self.total.saturating_sub(count);
        }
    }

    pub(crate) fn commit(&mut self, now: Instant) {
        if !self.commits.take(1, now) {
            self.end(Reason::Flood);
        }
    }

    /// False when drawing these pixels is more than an app may ask for.
    pub(crate) fn draw(&mut self, pixels: usize, now: Instant) -> bool {
        self.pixels.take(pixels, now)
    }
}
