//! What a slot holds, and what counter and slots mean together. No I/O.

use crate::core::boot::{AnchorFound, Anchored, Bound};

/// Bytes of a slot: a version, the counter's value at which it is the valid one, the epoch, what the watch is bound by,
/// and a hash. Numbers are big-endian, as all in a TPM.
pub(super) const LENGTH: usize = 50;
const VERSION: u8 = 1;
const BOUND: u8 = 1;
const RELEASED: u8 = 2;

/// A slot's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// The counter's value at which this is the valid slot.
    pub(super) at: u64,
    /// What it says.
    pub(super) anchored: Anchored,
}

impl Slot {
    pub(super) fn to_bytes(self) -> [u8; LENGTH] {
        let (kind, hash) = match self.anchored.bound {
            Bound::To(hash) => (BOUND, hash),
            Bound::Released => (RELEASED, [0; 32]),
        };
        let mut bytes = [0; LENGTH];
        let parts =
            [&[VERSION][..], &self.at.to_be_bytes(), &self.anchored.epoch.to_be_bytes(), &[kind], &hash];
        for (place, byte) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *place = *byte;
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; LENGTH]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (at, rest) = rest.split_first_chunk()?;
        let (epoch, rest) = rest.split_first_chunk()?;
        let (kind, rest) = rest.split_first()?;
        let hash = <[u8; 32]>::try_from(rest).ok()?;
        let bound = match *kind {
            BOUND => Bound::To(hash),
            RELEASED if hash == [0; 32] => Bound::Released,
            _ => return None,
        };
        let anchored = Anchored { epoch: u64::from_be_bytes(*epoch), bound };
        (*version == VERSION).then_some(Self { at: u64::from_be_bytes(*at), anchored })
    }
}

/// Everything but the key; `None` is what was never written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contents {
    pub(super) counter: Option<u64>,
    /// The first is written for even values of the counter, the second for odd ones.
    pub(super) slots: [Option<[u8; LENGTH]>; 2],
}

impl Contents {
    /// What that means. The counter decides which slot counts; the other one is older, or of a raise that was cut short.
    pub(super) fn found(&self) -> AnchorFound {
        let [even, odd] = self.slots.map(|slot| slot.map(|bytes| Slot::from_bytes(&bytes)));
        let Some(counter) = self.counter else {
            // Nothing is written into a slot before the counter has its first value.
            return if (even, odd) == (None, None) { AnchorFound::Empty } else { AnchorFound::Unreadable };
        };
        let (current, other) = if counter.is_multiple_of(2) { (even, odd) } else { (odd, even) };
        match (current, other) {
            (Some(Some(slot)), _) if slot.at == counter => AnchorFound::Held(slot.anchored),
            // Never raised, or the first raise was cut short.
            (None, None) => AnchorFound::Empty,
            (None, Some(Some(slot))) if Some(slot.at) == counter.checked_add(1) => AnchorFound::Empty,
            _ => AnchorFound::Unreadable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TO: Anchored = Anchored { epoch: 3, bound: Bound::To([7; 32]) };

    fn slot(at: u64) -> [u8; LENGTH] {
        Slot { at, anchored: Anchored { epoch: at, ..TO } }.to_bytes()
    }

    #[test]
    fn a_slot_is_read_as_it_was_written_and_no_other_bytes_are() {
        for bound in [Bound::To([7; 32]), Bound::Released] {
            let slot = Slot { at: 5, anchored: Anchored { epoch: u64::MAX, bound } };
            let bytes = slot.to_bytes();
            assert_eq!(Slot::from_bytes(&bytes), Some(slot));
            for (place, wrong) in [(0, 2), (17, 0), (17, 3)] {
                let mut bytes = bytes;
                bytes[place] = wrong;
                assert_eq!(Slot::from_bytes(&bytes), None);
            }
        }
        let mut released = Slot { at: 5, anchored: Anchored { epoch: 1, bound: Bound::Released } }.to_bytes();
        released[49] = 1;
        assert_eq!(Slot::from_bytes(&released), None);
    }

    #[test]
    fn a31_the_counter_alone_says_which_slot_counts() {
        let held = |epoch| AnchorFound::Held(Anchored { epoch, ..TO });
        let (empty, unreadable) = (AnchorFound::Empty, AnchorFound::Unreadable);
        let rows = [
            ("no TPM was ever prepared", None, [None, None], empty),
            ("the counter was taken away", None, [Some(slot(8)), None], unreadable),
            ("prepared", Some(7), [None, None], empty),
            ("first raise cut before its commit", Some(7), [Some(slot(8)), None], empty),
            ("first raise", Some(8), [Some(slot(8)), None], held(8)),
            ("second raise cut before its commit", Some(8), [Some(slot(8)), Some(slot(9))], held(8)),
            ("second raise", Some(9), [Some(slot(8)), Some(slot(9))], held(9)),
            ("third raise cut before its commit", Some(9), [Some(slot(10)), Some(slot(9))], held(9)),
            ("third raise", Some(10), [Some(slot(10)), Some(slot(9))], held(10)),
            ("somebody else counts", Some(11), [Some(slot(10)), Some(slot(9))], unreadable),
            ("somebody else counts after the first raise", Some(9), [Some(slot(8)), None], unreadable),
            ("a slot of the future", Some(8), [Some(slot(10)), Some(slot(9))], unreadable),
            ("a damaged slot", Some(8), [Some([0; LENGTH]), Some(slot(7))], unreadable),
            ("a damaged slot that does not count yet", Some(8), [Some(slot(8)), Some([0; LENGTH])], held(8)),
            ("the counter's end", Some(u64::MAX), [Some(slot(0)), None], unreadable),
        ];
        for (name, counter, slots, expected) in rows {
            assert_eq!(Contents { counter, slots }.found(), expected, "{name}");
        }
    }
}
