//! What ModemManager has told of the modem and its calls, put together. No I/O.
//!
//! Signals and answers to `GetAll` pass each other on their way, so an answer only fills in what no signal
//! has told yet; and a call is shown to the core when its direction and state are known.

use std::collections::HashMap;

use daemon::Private;
use ipc::ModemState;
use lifeline::SimNumbers;
use zbus::OwnedVariant;

use crate::core::{CallId, Direction, ModemView, Progress, Sighting};

/// Longer texts of a modem are cut: nothing valid is.
const LONGEST_TEXT: usize = 64;

pub(crate) type Properties = HashMap<String, OwnedVariant>;

/// The modem that is used.
#[derive(Debug, Clone, Default)]
pub(crate) struct ModemSeen {
    /// `MMModemState`
    state: i32,
    /// `MMModem3gppRegistrationState`
    registration: u32,
    emergency_only: bool,
    /// Nothing until ModemManager has told, then the card's number (ICCID), or that there is none.
    card: Option<Card>,
    imsi: Private<String>,
    sim_numbers: SimNumbers,
    joins_calls: bool,
}

/// What is in the tray.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Card {
    None,
    Sim(Private<String>),
}

/// `MM_MODEM_STATE_FAILED_REASON_SIM_MISSING`
const SIM_MISSING: u32 = 2;

/// `MM_MODEM_PORT_TYPE_QMI`: over it the end of a call is told, and calls have names. MBIM carries no calls: they go by AT there.
const QMI: u32 = 6;

/// `MMModemState`: `MM_MODEM_STATE_FAILED`, `LOCKED`, `DISABLED`, `REGISTERED`
mod state {
    pub(super) const FAILED: i32 = -1;
    pub(super) const LOCKED: i32 = 2;
    pub(super) const DISABLED: i32 = 3;
    pub(super) const REGISTERED: i32 = 8;
}

/// `MM_MODEM_3GPP_REGISTRATION_STATE_EMERGENCY_ONLY`
const REGISTERED_FOR_EMERGENCIES: u32 = 8;

impl ModemSeen {
    /// Takes changed properties of one of the modem's interfaces; those that are not used are left alone.
    pub(crate) fn take(&mut self, properties: &Properties) {
        if let Some(state) = number(properties, "State") {
            self.state = state;
        }
        let reason = properties.get("StateFailedReason").and_then(|v| u32::try_from(v).ok());
        if reason == Some(SIM_MISSING) {
            self.card = Some(Card::None);
        }
        if let Some(registration) = properties.get("RegistrationState").and_then(|v| u32::try_from(v).ok()) {
            self.registration = registration;
        }
        if let Some(only) = properties.get("EmergencyOnly").and_then(|v| bool::try_from(v).ok()) {
            self.emergency_only = only;
        }
        let ports = properties.get("Ports").and_then(|ports| ports.try_clone().ok());
        if let Some(ports) = ports.and_then(|ports| Vec::<(String, u32)>::try_from(ports).ok()) {
            self.joins_calls = !ports.iter().any(|(_, kind)| *kind == QMI);
        }
    }

    /// Takes the properties of its SIM.
    pub(crate) fn take_sim(&mut self, sim: &Properties) {
        self.imsi = Private(text(sim, "Imsi").unwrap_or_default());
        // A PIN does not hide it.
        self.card = text(sim, "SimIdentifier").filter(|id| !id.is_empty()).map(|id| Card::Sim(Private(id)));
        let numbers = sim.get("EmergencyNumbers").and_then(|v| v.try_clone().ok());
        let numbers: Vec<String> = numbers.and_then(|v| v.try_into().ok()).unwrap_or_default();
        self.sim_numbers = SimNumbers::from_sim(numbers);
    }

    /// It is switched on, and ModemManager knows of no network.
    pub(super) fn has_no_network(&self) -> bool {
        (state::DISABLED + 1..state::REGISTERED).contains(&self.state)
    }

    /// What is in its tray, if that is known.
    pub(super) fn card(&self) -> Option<&Card> {
        self.card.as_ref()
    }

    /// It is switched off and can be switched on.
    pub(super) fn is_disabled(&self) -> bool {
        self.state == state::DISABLED
    }

    /// As the core sees it.
    pub(crate) fn view(&self) -> ModemView {
        let registration = self.registration == REGISTERED_FOR_EMERGENCIES;
        let state = match self.state {
            state::FAILED | state::LOCKED => ModemState::Emergency,
            _ if self.emergency_only || registration => ModemState::Emergency,
            registered if registered >= state::REGISTERED => ModemState::Registered,
            _ => ModemState::Searching,
        };
        let (imsi, sim_numbers) = (self.imsi.clone(), self.sim_numbers.clone());
        ModemView { state, imsi, sim_numbers, joins_calls: self.joins_calls }
    }
}

/// A call, as far as it is known.
#[derive(Debug, Default)]
struct Partial {
    direction: Option<Direction>,
    progress: Option<Progress>,
    number: Private<String>,
    /// What the core was told last.
    told: Option<(Progress, Private<String>)>,
}

/// All calls of the modem.
#[derive(Debug, Default)]
pub(crate) struct Calls(HashMap<String, Partial>);

impl Calls {
    /// A call was announced. Returns whether it is a new one.
    pub(crate) fn added(&mut self, path: &str) -> bool {
        let new = !self.0.contains_key(path);
        self.0.entry(path.to_owned()).or_default();
        new
    }

    /// A call is no more.
    pub(crate) fn removed(&mut self, path: &str) -> bool {
        self.0.remove(path).is_some()
    }

    /// Somebody speaks.
    pub(super) fn is_any_active(&self) -> bool {
        self.0.values().any(|call| call.progress == Some(Progress::Active))
    }

    /// There is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All are no more.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Its state, from a signal (`MMCallState`).
    pub(crate) fn state(&mut self, path: &str, state: i32) -> Option<Sighting> {
        let call = self.0.get_mut(path)?;
        call.progress = Some(progress(state, call.direction));
        tell(path, call)
    }

    /// Properties from a signal.
    pub(crate) fn changed(&mut self, path: &str, properties: &Properties) -> Option<Sighting> {
        let call = self.0.get_mut(path)?;
        if let Some(direction) = number(properties, "Direction") {
            call.direction = Some(direction_of(direction));
        }
        if let Some(state) = number(properties, "State") {
            call.progress = Some(progress(state, call.direction));
        }
        if let Some(number) = text(properties, "Number").filter(|number| !number.is_empty()) {
            call.number = Private(number);
        }
        tell(path, call)
    }

    /// The answer to `GetAll`: fills in what is not known yet.
    pub(crate) fn read(&mut self, path: &str, properties: &Properties) -> Option<Sighting> {
        let call = self.0.get_mut(path)?;
        if call.direction.is_none() {
            call.direction = number(properties, "Direction").map(direction_of);
        }
        if call.progress.is_none() {
            let state = number(properties, "State").unwrap_or_default();
            call.progress = Some(progress(state, call.direction));
        }
        if call.number.0.is_empty() {
            call.number = Private(text(properties, "Number").unwrap_or_default());
        }
        tell(path, call)
    }
}

fn tell(path: &str, call: &mut Partial) -> Option<Sighting> {
    let (direction, progress) = (call.direction?, call.progress?);
    let news = Some((progress, call.number.clone()));
    if call.told == news {
        return None;
    }
    call.told = news;
    Some(Sighting { id: CallId(path.to_owned()), direction, progress, number: call.number.clone() })
}

/// `MMCallDirection`; an unknown one is taken for incoming, which is the one that is screened.
fn direction_of(direction: i32) -> Direction {
    if direction == 2 { Direction::Outgoing } else { Direction::Incoming }
}

/// `MMCallState`
fn progress(state: i32, direction: Option<Direction>) -> Progress {
    match state {
        1 | 2 => Progress::Dialling,
        3 => Progress::Ringing,
        6 => Progress::Waiting,
        4 | 5 => Progress::Active,
        7 => Progress::Over,
        _ if direction == Some(Direction::Incoming) => Progress::Ringing,
        _ => Progress::Created,
    }
}

fn number(properties: &Properties, name: &str) -> Option<i32> {
    i32::try_from(properties.get(name)?).ok()
}

fn text(properties: &Properties, name: &str) -> Option<String> {
    let text = <&str>::try_from(properties.get(name)?).ok()?;
    Some(text.chars().take(LONGEST_TEXT).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use zbus::Variant;

    const PATH: &str = "/org/freedesktop/ModemManager1/Call/0";

    fn properties<const N: usize>(values: [(&str, Variant<'static>); N]) -> Properties {
        let own = |(name, value): (&str, Variant<'static>)| (name.to_owned(), value.try_into().unwrap());
        values.into_iter().map(own).collect()
    }

    fn incoming(number: &str) -> Properties {
        properties([
            ("Direction", 1_i32.into()),
            ("State", 3_i32.into()),
            ("Number", number.to_owned().into()),
        ])
    }

    #[test]
    fn a_late_answer_takes_back_nothing_a_signal_told() {
        let mut calls = Calls::default();
        calls.added(PATH);
        let number = properties([("Number", "+358405550001".to_owned().into())]);
        assert_eq!(calls.changed(PATH, &number), None, "the direction is not known yet");
        assert_eq!(calls.state(PATH, 7), None);
        let seen = calls.read(PATH, &incoming("")).unwrap();
        assert_eq!((seen.progress, seen.number.0.as_str()), (Progress::Over, "+358405550001"));
    }

    #[test]
    fn the_core_hears_of_a_call_once_for_each_change() {
        let mut calls = Calls::default();
        calls.added(PATH);
        assert!(calls.read(PATH, &incoming("")).is_some());
        assert!(calls.state(PATH, 3).is_none());
        assert!(calls.changed(PATH, &incoming("+358405550001")).is_some());
        assert!(calls.removed(PATH) && !calls.removed(PATH));
        assert!(calls.state(PATH, 4).is_none(), "it is no more");
    }

    #[test]
    fn a_call_of_unknown_direction_is_screened_as_an_incoming_one() {
        let mut calls = Calls::default();
        calls.added(PATH);
        let seen =
            calls.read(PATH, &properties([("Direction", 0_i32.into()), ("State", 0_i32.into())])).unwrap();
        assert_eq!((seen.direction, seen.progress), (Direction::Incoming, Progress::Ringing));
    }

    #[test]
    fn the_modem_is_registered_only_from_its_own_word() {
        let mut modem = ModemSeen::default();
        for (state, only, registration, expected) in [
            (-1, false, 0, ModemState::Emergency),
            (2, false, 0, ModemState::Emergency),
            (3, false, 0, ModemState::Searching),
            (7, false, 2, ModemState::Searching),
            (7, false, 8, ModemState::Emergency),
            (8, false, 1, ModemState::Registered),
            (8, true, 1, ModemState::Emergency),
            (11, false, 5, ModemState::Registered),
        ] {
            let now: [(&str, Variant<'static>); 3] = [
                ("State", Variant::from(state)),
                ("EmergencyOnly", Variant::from(only)),
                ("RegistrationState", Variant::from(u32::try_from(registration).unwrap())),
            ];
            modem.take(&properties(now));
            assert_eq!(modem.view().state, expected, "{state} {only} {registration}");
        }
    }

    proptest! {
        #[test]
        fn a26_no_properties_of_a_modem_panic(
            name in "State|Direction|Number|Imsi|EmergencyNumbers|EmergencyOnly",
            word in "\\PC{0,200}",
            number in any::<i64>(),
            textual in any::<bool>(),
        ) {
            let value: Variant<'static> = if textual { word.into() } else { number.into() };
            let properties = properties([(name.as_str(), value)]);
            let mut modem = ModemSeen::default();
            modem.take(&properties);
            modem.take_sim(&properties);
            let mut calls = Calls::default();
            calls.added(PATH);
            let _ = calls.changed(PATH, &properties);
            if let Some(seen) = calls.read(PATH, &properties) {
                prop_assert!(seen.number.0.chars().count() <= LONGEST_TEXT);
            }
        }
    }
}
