//! A guardian looks for the watch: what is heard, and that nothing else follows.

use std::path::PathBuf;
use std::time::Duration;

use daemon::clock::boot_time;
use ipc::{CallState, ModemState, Search, names, paths};
use sim::WorldConfig;
use testkit::PrivateBus;
use zbus::Connection;
use zbus::object_server::SignalEmitter;

use crate::house::{House, MUM, family};
use crate::instruments::heard;

/// A policyd that only says who searches.
struct Policyd(Connection);

struct Search1(Search);

#[zbus::interface(name = "org.nestling.Search1")]
impl Search1 {
    #[zbus(property)]
    fn search(&self) -> Search {
        self.0.clone()
    }
    #[zbus(signal, name = "SearchChanged")]
    async fn tell(emitter: &SignalEmitter<'_>, search: Search) -> zbus::Result<()>;
}

impl Policyd {
    async fn start(bus: &PrivateBus, search: Search) -> Self {
        let connection = bus.connect().await.unwrap();
        connection.object_server().at(paths::SEARCH, Search1(search)).await.unwrap();
        connection.request_name(names::POLICY).await.unwrap();
        Self(connection)
    }

    async fn tell(&self, search: Search) {
        let emitter = SignalEmitter::new(&self.0, paths::SEARCH).unwrap();
        Search1::tell(&emitter, search).await.unwrap();
    }
}

/// A player that plays until it is ended, so that it is there exactly while it rings.
struct Player {
    log: PathBuf,
    process: PathBuf,
}

impl Player {
    fn of(house: &mut House) -> Self {
        let path = |name: &str| house.root.join(name);
        let (script, log, process) = (path("instrument"), path("heard"), path("process"));
        let text = format!(
            "#!/bin/sh\necho \"$1\" >> '{}'\n[ \"$1\" = ring ] || exit 0\necho $$ > '{}'\nexec sleep 600\n",
            log.display(),
            process.display()
        );
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let script = script.display();
        house.more = format!(
            "[ring]\nplayer = ['{script}', 'ring']\n[audio]\ncall = ['{script}', 'open']\nidle = ['{script}', 'closed']\n"
        );
        Self { log, process }
    }

    fn plays(&self) -> bool {
        let process = std::fs::read_to_string(&self.process).unwrap_or_default();
        let words = std::fs::read(format!("/proc/{}/cmdline", process.trim())).unwrap_or_default();
        // One that has ended and was not waited for has none.
        !process.trim().is_empty() && !words.is_empty()
    }

    async fn is(&self, house: &House, plays: bool) {
        let what = if plays { "it rings" } else { "it is silent" };
        house.eventually(what, async |_| (self.plays() == plays).then_some(())).await;
    }
}

fn search(id: u64, screen: &str, lasts: Duration) -> Search {
    let until = boot_time() + lasts;
    let (screen, until_ms) = (screen.to_owned(), until.as_millis() as u64);
    Search { id, guardian: "mum".into(), name: "Mum".into(), until_ms, screen, ..Search::none() }
}

const LONG: Duration = Duration::from_mins(1);

async fn house() -> (House, Player, Connection, String) {
    let mut house = House::quiet(WorldConfig::default(), true).await;
    let player = Player::of(&mut house);
    house.publish(&family());
    house.start_daemon().await;
    house.modem_is(ModemState::Registered).await;
    let screen = house.shell.telephony.inner().connection().clone();
    let own = screen.unique_name().unwrap().to_string();
    (house, player, screen, own)
}

#[tokio::test]
async fn t15_a_search_rings_while_policyd_and_the_screen_are_there_and_opens_no_path() {
    let (house, player, screen, own) = house().await;
    let policyd = Policyd::start(&house.bus, Search::none()).await;
    policyd.tell(search(5, &own, LONG)).await;
    player.is(&house, true).await;
    policyd.tell(Search::none()).await;
    player.is(&house, false).await;
    // It is over by itself, too.
    policyd.tell(search(6, &own, Duration::from_secs(2))).await;
    player.is(&house, true).await;
    player.is(&house, false).await;
    policyd.tell(search(7, &own, LONG)).await;
    player.is(&house, true).await;
    // Without the screen there is no sound, nor when another screen says nothing of it.
    screen.release_name(names::SHELL).await.unwrap();
    player.is(&house, false).await;
    screen.request_name(names::SHELL).await.unwrap();
    player.is(&house, true).await;
    policyd.tell(search(7, ":1.999", LONG)).await;
    player.is(&house, false).await;
    policyd.tell(search(7, &own, LONG)).await;
    player.is(&house, true).await;
    // Without policyd there is none either.
    policyd.0.close().await.unwrap();
    player.is(&house, false).await;
    let _policyd = Policyd::start(&house.bus, search(8, &own, LONG)).await;
    player.is(&house, true).await;
    assert_eq!(heard(&player.log), ["closed", "ring"], "no audio path was opened");
    assert!(house.world.status().calls.is_empty() && house.shell.states().is_empty(), "no call was made");
}

#[tokio::test]
async fn t15_a_call_ends_a_search_which_does_not_come_back_after_it() {
    let (mut house, player, _, own) = house().await;
    let _policyd = Policyd::start(&house.bus, search(5, &own, LONG)).await;
    player.is(&house, true).await;
    house.world.call(Some(MUM)).unwrap();
    house.shell.told(0, CallState::Ringing).await;
    house.shell.hang_up().await.unwrap();
    house.shell.told(1, CallState::None).await;
    player.is(&house, false).await;
    assert!(!heard(&player.log).contains(&"open".to_owned()));
}
