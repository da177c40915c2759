//! Where the modem keeps short messages: `ME` and `SM`, fifty places each (3GPP TS 27.005, 3.1).
//!
//! Invariant: a message keeps its place until it is deleted.

use std::collections::BTreeMap;

use super::pdu::Stored;

/// Places in each of the two memories.
pub(crate) const CAPACITY: usize = 50;

/// The two memories the modem has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Memory {
    #[default]
    Me,
    Sm,
}

impl Memory {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "ME" => Some(Self::Me),
            "SM" => Some(Self::Sm),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Me => "ME",
            Self::Sm => "SM",
        }
    }
}

#[derive(Debug)]
struct Message {
    pdu: Stored,
    read: bool,
}

/// Both memories and which of them is in use.
#[derive(Debug, Default)]
pub(crate) struct Store {
    me: BTreeMap<usize, Message>,
    sm: BTreeMap<usize, Message>,
    /// mem1 (read, delete), mem2 (send), mem3 (receive).
    pub(crate) selected: [Memory; 3],
}

impl Store {
    fn of(&self, memory: Memory) -> &BTreeMap<usize, Message> {
        match memory {
            Memory::Me => &self.me,
            Memory::Sm => &self.sm,
        }
    }

    fn of_mut(&mut self, memory: Memory) -> &mut BTreeMap<usize, Message> {
        match memory {
            Memory::Me => &mut self.me,
            Memory::Sm => &mut self.sm,
        }
    }

    /// Messages in both memories.
    pub(crate) fn len(&self) -> usize {
        self.me.len() + self.sm.len()
    }

    /// Free places where received messages go.
    pub(crate) fn free(&self) -> usize {
        CAPACITY - self.of(self.selected[2]).len().min(CAPACITY)
    }

    /// Stores a received message; the place, or none when it is full.
    pub(crate) fn receive(&mut self, pdu: Stored) -> Option<(Memory, usize)> {
        let memory = self.selected[2];
        let places = self.of_mut(memory);
        let index = (1..=CAPACITY).find(|index| !places.contains_key(index))?;
        places.insert(index, Message { pdu, read: false });
        Some((memory, index))
    }

    /// `+CMGL` lines of the messages with this status (0 unread, 1 read, 4 all), which are read then.
    pub(crate) fn list(&mut self, status: u8) -> Vec<String> {
        let memory = self.selected[0];
        let wanted = |message: &Message| status == 4 || status == u8::from(message.read);
        let mut lines = Vec::new();
        for (index, message) in self.of_mut(memory).iter_mut().filter(|(_, message)| wanted(message)) {
            lines.push(format!("+CMGL: {index},{},,{}", u8::from(message.read), message.pdu.length));
            lines.push(message.pdu.hex.clone());
            message.read = true;
        }
        lines
    }

    /// `+CMGR` lines.
    pub(crate) fn read(&mut self, index: usize) -> Option<Vec<String>> {
        let memory = self.selected[0];
        let message = self.of_mut(memory).get_mut(&index)?;
        let head = format!("+CMGR: {},,{}", u8::from(message.read), message.pdu.length);
        message.read = true;
        Some(vec![head, message.pdu.hex.clone()])
    }

    /// `+CMGD`: one message, or with a flag the read ones (1 to 3) or all (4).
    pub(crate) fn delete(&mut self, index: usize, flag: u8) -> bool {
        let memory = self.selected[0];
        let places = self.of_mut(memory);
        match flag {
            0 => places.remove(&index).is_some(),
            1..=3 => {
                places.retain(|_, message| !message.read);
                true
            }
            _ => {
                places.clear();
                true
            }
        }
    }

    /// Used and total of the three selected memories, with or without their names.
    pub(crate) fn usage(&self, named: bool) -> String {
        let one = |memory: &Memory| {
            let used = self.of(*memory).len();
            if named {
                format!("\"{}\",{used},{CAPACITY}", memory.name())
            } else {
                format!("{used},{CAPACITY}")
            }
        };
        format!("+CPMS: {}", self.selected.iter().map(one).collect::<Vec<_>>().join(","))
    }
}
