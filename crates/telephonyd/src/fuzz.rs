//! ModemManager as an enemy would play it, for `fuzz/fuzz_targets/modem.rs`: what it says goes through the readers of its words
//! into the core, as [`crate::service`] does it.
//!
//! A story has a line for each thing that happens: `added CALL`, `removed CALL`, `state CALL NUMBER`, `call CALL NAME VALUE`,
//! `read CALL NAME VALUE`, `modem NAME VALUE`, `sim NAME VALUE`, `absent`, `wait MILLISECONDS`, `accept`, `dial`. Others are
//! passed over.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use daemon::wall::Now;
use ipc::CallState;
use policy::{Contact, Kind, May, Policy, Region};
use zbus::Variant;

use crate::core::{CallId, Core, Effect, Event, ModemView, Request, Rules, Sighting, Ticket};
use crate::modem::{Calls, ModemSeen, Properties};

const MUM: &str = "+358405550001";
/// A story is played no further.
const MOST: usize = 200;
/// More than one event can cause: a call each that is ended, forgotten and written down.
const EFFECTS: usize = 200;
/// The longest wait: a minute.
const WAIT_MS: u64 = 60_000;
/// Touches of the screen have numbers of their own.
const TOUCH: Ticket = Ticket(1);

/// Plays a story to a watch that knows Mum alone.
///
/// # Panics
/// Somebody else rings, a call is answered without a touch or before two seconds, another number than Mum's is dialled, or one event
/// has effects without end.
pub fn modem(story: &str) {
    let mut watch = Watch::new();
    for line in story.lines().take(MOST) {
        watch.play(line);
    }
}

struct Watch {
    core: Core,
    modem: ModemSeen,
    /// A card is read whole.
    card: Properties,
    calls: Calls,
    now: Duration,
    /// The call that was touched, until that is answered.
    touched: Option<u64>,
    shown: ipc::Call,
}

impl Watch {
    fn new() -> Self {
        let may = May { ring: true, be_called: true, write: false, be_written: false };
        let number = MUM.parse().map_or_else(|_| vec![], |number| vec![number]);
        let (id, name, picture) = ("mum".into(), "Mum".into(), String::new());
        let mum = Contact { id, name, kind: Kind::Guardian, numbers: number, picture, may };
        let book = Arc::new(Policy::of(Region::Eu, vec![mum]).into());
        let mut watch = Self {
            core: Core::new(),
            modem: ModemSeen::default(),
            card: Properties::new(),
            calls: Calls::default(),
            now: Duration::from_secs(10),
            touched: None,
            shown: ipc::Call::none(),
        };
        watch.happens(Event::Rules(Rules { book, sealed: false }));
        watch
    }

    fn play(&mut self, line: &str) {
        let mut words = line.splitn(4, ' ');
        let [verb, first, second, third] = std::array::from_fn(|_| words.next().unwrap_or_default());
        let number = |text: &str| text.parse::<i32>().unwrap_or_default();
        match verb {
            "added" => {
                self.calls.added(first);
            }
            "removed" if self.calls.removed(first) => self.happens(Event::Gone(CallId(first.into()))),
            "state" => {
                let sighting = self.calls.state(first, number(second));
                self.sees(sighting);
            }
            "call" => {
                let sighting = self.calls.changed(first, &properties(second, third));
                self.sees(sighting);
            }
            "read" => {
                let sighting = self.calls.read(first, &properties(second, third));
                self.sees(sighting);
            }
            "modem" => {
                self.modem.take(&properties(first, second));
                self.happens(Event::Modem(self.modem.view()));
            }
            "sim" => {
                self.card.extend(properties(first, second));
                self.modem.take_sim(&self.card);
                self.happens(Event::Modem(self.modem.view()));
            }
            "absent" => {
                self.calls.clear();
                self.happens(Event::Modem(ModemView::absent()));
            }
            "wait" => {
                self.now += Duration::from_millis(first.parse().unwrap_or(0).min(WAIT_MS));
                self.happens(Event::Tick);
            }
            "accept" => {
                self.touched = Some(self.shown.id);
                self.happens(Event::Request(TOUCH, Request::Accept(self.shown.id)));
            }
            "dial" => self.happens(Event::Request(TOUCH, Request::Dial("mum".into()))),
            _ => {}
        }
    }

    fn sees(&mut self, sighting: Option<Sighting>) {
        if let Some(sighting) = sighting {
            self.happens(Event::Seen(sighting));
        }
    }

    fn happens(&mut self, event: Event) {
        let unix = 1_781_503_200 + self.now.as_secs().cast_signed();
        let effects = self.core.handle(event, Now { boot: self.now, unix });
        assert!(effects.len() < EFFECTS, "an event without end");
        for effect in effects {
            match effect {
                Effect::Show(call) => {
                    let ringing = call.state == CallState::Ringing;
                    assert!(!ringing || call.contact == "mum", "a stranger rings");
                    self.shown = call;
                }
                Effect::Accept(..) => {
                    let rang = self.now.saturating_sub(Duration::from_millis(self.shown.since_ms));
                    let touched = self.touched == Some(self.shown.id);
                    assert!(touched && rang >= Duration::from_secs(2), "nobody took this call");
                }
                Effect::Answer(..) => self.touched = None,
                Effect::Dial(_, number) => assert!(number.0 == MUM, "nobody's number is dialled"),
                Effect::Ring(true) => assert!(self.shown.state == CallState::Ringing, "it rings for nobody"),
                _ => {}
            }
        }
    }
}

/// One property: a number where the text is one and the property is no text, a list where it has commas (with a kind each
/// where they are ports), else a text.
fn properties(name: &str, value: &str) -> Properties {
    let value: Variant<'static> = match (name, value.parse::<i64>()) {
        ("Ports", _) => {
            let port = |port: &str| (port.to_owned(), port.len() as u32);
            value.split(',').map(port).collect::<Vec<_>>().into()
        }
        ("RegistrationState" | "StateFailedReason", Ok(number)) => (number as u32).into(),
        (_, Ok(number)) if !["Number", "Imsi", "SimIdentifier"].contains(&name) => (number as i32).into(),
        _ if value == "true" || value == "false" => (value == "true").into(),
        _ if value.contains(',') => value.split(',').map(str::to_owned).collect::<Vec<_>>().into(),
        _ => value.to_owned().into(),
    };
    let value = value.try_into().ok();
    value.map_or_else(HashMap::new, |value| HashMap::from([(name.to_owned(), value)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_are_played_to_their_end() {
        let mut watch = Watch::new();
        for line in include_str!("../stories/mum").lines() {
            watch.play(line);
        }
        assert_eq!((watch.shown.contact.as_str(), watch.shown.state), ("mum", CallState::Active));
        modem(include_str!("../stories/stranger"));
        modem(include_str!("../stories/wake"));
    }
}
