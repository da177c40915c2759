//! A caller in the wake of another: ModemManager may take him for the one who has just hung up.

use std::time::Duration;

use ipc::CallState;
use tokio::time::sleep;

use crate::ledger::{Place, Who};
use crate::watch::{RINGS_FIRST, VERDICT, Watch};

/// A call is asked about in this time at least once.
const RINGS: u64 = 8_000;
/// ModemManager knows by then that the first is over.
const KNOWN: u64 = 2_500;

impl Watch {
    /// A contact gives up, and somebody who must not ring calls at once. The child may take what rings: nobody is there.
    pub(crate) async fn in_the_wake(&mut self) {
        let caller = self.chance.known();
        let first = self.call(caller);
        self.decided(&first, VERDICT).await;
        sleep(Duration::from_millis(self.chance.below(RINGS))).await;
        let _ = self.house.world.leave(first.caller.number.as_deref());
        sleep(Duration::from_millis(self.chance.below(KNOWN))).await;
        let caller = self.chance.stranger();
        let second = self.call(caller);
        if self.chance.one_in(2) {
            sleep(RINGS_FIRST).await;
            if self.house.shell.telephony.accept(self.on_screen().await).await.is_ok() {
                self.ledger.wrong.push(format!("{:?} is spoken to as {:?}", second.caller, first.caller));
            }
        }
        self.until(VERDICT, |watch| watch.ended(&second).is_some()).await;
        let rings = self.rings(&first).await;
        self.account(&first, &rings, false, Place::First, None);
        self.account(&second, &rings, false, Place::First, None);
        let other = |contact: &&String| first.caller.who != Who::Contact((*contact).clone());
        if let Some(contact) = rings.iter().find(other) {
            self.ledger.wrong.push(format!("{contact} rang while {:?} called", first.caller));
        }
        if self.house.shell.states()[first.told..].contains(&CallState::Active) {
            self.ledger
                .wrong
                .push(format!("there was a call with {:?} or {:?}", first.caller, second.caller));
        }
    }
}
