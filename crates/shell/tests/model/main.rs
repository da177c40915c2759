//! The state machine without a screen.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use ipc::{
    App, AppSession, AppState, Call, CallState, Contact, Look, Looked, Missed, ModemState, PastCall,
    PolicyState, Search,
};
use nestling_shell::model::{Command, Enrol, Event, Hint, Model, OnCall, Screen, Touch};

mod call;
mod help;
mod lists;
mod random;
mod search;

const NOW: Duration = Duration::from_secs(1_000);

fn call(state: CallState, since: Duration) -> Call {
    Call {
        state,
        contact: "mum".into(),
        name: "Mum".into(),
        picture: "face:mum".into(),
        id: 5,
        since_ms: since.as_millis() as u64,
        ..Call::none()
    }
}

fn snapshot(call: Call, people: usize) -> Event {
    let contacts = (0..people).map(|n| Contact {
        id: format!("c{n}"),
        name: format!("Friend {n}"),
        picture: String::new(),
        kind: "friend".into(),
    });
    Event::Telephony {
        call,
        contacts: contacts.collect(),
        modem: ModemState::Registered,
        emergency: "112".into(),
    }
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn search(id: u64, from: Duration) -> Event {
    let since_ms = from.as_millis() as u64;
    let (guardian, name) = ("mum".into(), "Mum".into());
    let search = Search { id, guardian, name, since_ms, until_ms: since_ms + 60_000, ..Search::none() };
    Event::Search(search)
}

fn calls(count: usize) -> Event {
    let call = |n| PastCall {
        contact: if n % 5 == 4 { String::new() } else { format!("c{n}") },
        name: format!("Friend {n}"),
        picture: String::new(),
        incoming: true,
        outcome: "answered".into(),
        unix_time: 1_000 - n as i64,
        seconds: 9,
    };
    Event::Calls((0..count).map(call).collect())
}

fn looked(count: usize) -> Event {
    let look = |n| Looked {
        guardian: format!("g{n}"),
        name: format!("G{n}"),
        picture: String::new(),
        unix_time: 1_000 - n as i64,
    };
    Event::Looked((0..count).map(look).collect())
}
