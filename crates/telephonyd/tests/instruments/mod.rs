//! What is heard, felt and opened: stand-ins for hardware write down when they are used.

use std::path::{Path, PathBuf};

use ipc::{CallState, ModemState};
use sim::WorldConfig;

use super::{RINGS_FIRST, touch_green};
use crate::house::{House, MUM, PATIENCE, STRANGER, family};

/// Programs that write down when they are run, in place of hardware.
fn instruments(house: &mut House) -> PathBuf {
    let (script, log, led) =
        (house.root.join("instrument"), house.root.join("heard"), house.root.join("vibrator"));
    std::fs::create_dir(&led).unwrap();
    std::fs::write(&script, format!("#!/bin/sh\necho \"$1\" >> '{}'\n", log.display())).unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let script = script.display();
    house.more = format!(
        "[ring]\nplayer = ['{script}', 'ring']\nvibrator = '{}'\n[audio]\ncall = ['{script}', 'open']\nidle = ['{script}', 'closed']\n",
        led.display()
    );
    log
}

/// What the instruments wrote, each word once where it is repeated.
pub(crate) fn heard(log: &Path) -> Vec<String> {
    let mut words: Vec<_> =
        std::fs::read_to_string(log).unwrap_or_default().lines().map(str::to_owned).collect();
    words.dedup();
    words
}

#[tokio::test]
async fn t15_the_audio_path_is_open_in_an_active_call_alone_also_when_telephonyd_was_killed() {
    let mut house = House::quiet(WorldConfig::default(), true).await;
    let log = instruments(&mut house);
    house.publish(&family());
    house.start_daemon().await;
    house.modem_is(ModemState::Registered).await;
    let hears = async |house: &House, words: &[&str]| {
        house
            .eventually(&format!("it is heard: {words:?}"), async |_| (heard(&log) == words).then_some(()))
            .await;
    };
    house.is_turned_away(Some(STRANGER)).await;
    hears(&house, &["closed"]).await;
    house.world.call(Some(MUM)).unwrap();
    let (since, _) = house.shell.told(0, CallState::Ringing).await;
    hears(&house, &["closed", "ring"]).await;
    let led = std::fs::read_to_string(house.root.join("vibrator/brightness")).unwrap();
    assert!(["0", "255"].contains(&led.as_str()), "{led}");
    tokio::time::sleep_until(since + RINGS_FIRST).await;
    house.shell.accept().await.unwrap();
    house.shell.told(0, CallState::Active).await;
    hears(&house, &["closed", "ring", "open"]).await;
    assert_eq!(std::fs::read_to_string(house.root.join("vibrator/brightness")).unwrap(), "0");
    house.kill_daemon();
    house.start_daemon().await;
    hears(&house, &["closed", "ring", "open", "closed", "open"]).await;
    house.shell.told(2, CallState::Active).await;
    house.shell.hang_up().await.unwrap();
    house.shell.told(2, CallState::None).await;
    hears(&house, &["closed", "ring", "open", "closed", "open", "closed"]).await;
}

#[tokio::test]
async fn t15_a_stop_in_a_call_closes_the_audio_path_and_broken_instruments_stop_no_call() {
    let mut house = House::quiet(WorldConfig::default(), true).await;
    let log = instruments(&mut house);
    house.more = house.more.replace("'ring']", "'ring', 'x']").replace("player = ['", "player = ['/nowhere");
    house.publish(&family());
    house.start_daemon().await;
    house.modem_is(ModemState::Registered).await;
    house.world.call(Some(MUM)).unwrap();
    touch_green(&mut house, 0).await;
    house.shell.told(0, CallState::Active).await;
    house.eventually("it is open", async |_| (heard(&log) == ["closed", "open"]).then_some(())).await;
    house.stop_daemon(PATIENCE);
    assert_eq!(heard(&log), ["closed", "open", "closed"]);
    assert!(house.log().contains("there is no sound"));
    assert_eq!(house.world.status().calls.len(), 1, "the call is the modem's");
}
