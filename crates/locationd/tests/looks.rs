//! What locationd knows of looks, from a policyd of the test.

// An interface of zbus has `&self` whether it needs it or not.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use ipc::{Look, names, paths};
use nestling_locationd::looks;
use testkit::PrivateBus;
use tokio::sync::watch;
use zbus::object_server::SignalEmitter;

struct Looks(Vec<Look>);

#[zbus::interface(name = "org.nestling.Looks1")]
impl Looks {
    #[zbus(property)]
    fn looking(&self) -> Vec<Look> {
        self.0.clone()
    }
    #[zbus(signal, name = "LooksChanged")]
    async fn tell(emitter: &SignalEmitter<'_>, looking: Vec<Look>, today: u32) -> zbus::Result<()>;
}

fn look(until_ms: u64) -> Look {
    Look { guardian: "mum".into(), name: "Mum".into(), since_ms: 0, until_ms }
}

async fn until(open: &mut watch::Receiver<Option<Duration>>, end: Option<u64>) {
    let end = end.map(Duration::from_millis);
    let there = tokio::time::timeout(Duration::from_secs(20), open.wait_for(|open| *open == end)).await;
    there.unwrap_or_else(|_| panic!("{end:?} was not told")).unwrap();
}

#[tokio::test]
async fn t14_locationd_knows_of_a_look_from_its_first_moment_and_of_one_that_is_open() {
    let bus = PrivateBus::start().await.unwrap();
    let (sender, mut open) = watch::channel(None);
    let follow = tokio::spawn(looks::follow(bus.connect().await.unwrap(), sender));
    let policyd = bus.connect().await.unwrap();
    policyd.object_server().at(paths::LOOKS, Looks(vec![look(500)])).await.unwrap();
    policyd.request_name(names::POLICY).await.unwrap();
    until(&mut open, Some(500)).await;
    let emitter = SignalEmitter::new(&policyd, paths::LOOKS).unwrap();
    Looks::tell(&emitter, vec![look(500), look(900)], 2).await.unwrap();
    until(&mut open, Some(900)).await;
    // Without policyd it goes on to its end, and no further.
    policyd.release_name(names::POLICY).await.unwrap();
    policyd.request_name(names::POLICY).await.unwrap();
    until(&mut open, Some(500)).await;
    Looks::tell(&emitter, vec![], 2).await.unwrap();
    until(&mut open, None).await;
    drop(open);
    follow.await.unwrap().unwrap();
}
