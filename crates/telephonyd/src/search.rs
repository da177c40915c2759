//! A guardian looks for the watch: it rings while policyd says so and the screen shows it.
//!
//! **Invariants:** it rings for a search only while policyd is there, and the screen that policyd says shows it; nothing of it reaches
//! the core, so it opens no audio path and touches no call; a call ends it for good; it is over at its end, whatever policyd says.

use std::time::Duration;

use daemon::clock::boot_time;
use futures_util::StreamExt as _;
use ipc::{Display1Proxy, Search, Search1Proxy, names};
use tokio::sync::watch;
use zbus::Connection;
use zbus::fdo::DBusProxy;
use zbus::names::BusName;
use zbus::proxy::CacheProperties;

/// As long as policyd lets one be.
const LONGEST: Duration = Duration::from_mins(1);

/// A search that may be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard {
    id: u64,
    until: Duration,
}

/// Nothing, unless the screen that is there shows it.
fn heard(search: &Search, screen: Option<&str>) -> Option<Heard> {
    let shown = search.id != 0 && screen == Some(&search.screen);
    shown.then(|| Heard { id: search.id, until: Duration::from_millis(search.until_ms) })
}

/// Whether it rings for a search.
#[derive(Debug, Default)]
pub(crate) struct Ringing {
    heard: Option<Heard>,
    /// The one that a call has ended.
    over: u64,
}

impl Ringing {
    /// Another search may be heard, or none; one that comes in a call is over at once.
    pub(crate) fn set(&mut self, heard: Option<Heard>, in_call: bool, now: Duration) {
        let bounded = |heard: Heard| Heard { until: heard.until.min(now.saturating_add(LONGEST)), ..heard };
        self.heard = heard.map(bounded);
        if in_call {
            self.called();
        }
    }

    /// There is a call.
    pub(crate) fn called(&mut self) {
        self.over = self.heard.map_or(self.over, |heard| heard.id);
    }

    /// When it falls silent by itself; nothing while it is.
    pub(crate) fn until(&self, now: Duration) -> Option<Duration> {
        let rings = |heard: &Heard| heard.id != self.over && now < heard.until;
        self.heard.filter(rings).map(|heard| heard.until)
    }
}

/// Follows policyd and the screen in a task of its own.
pub(crate) fn start(connection: &Connection) -> watch::Receiver<Option<Heard>> {
    let (tell, told) = watch::channel(None);
    let connection = connection.clone();
    tokio::spawn(async move {
        if let Err(error) = follow(&connection, &tell).await {
            tracing::warn!(%error, "nobody can search for the watch");
        }
        tell.send_replace(None);
    });
    told
}

async fn follow(connection: &Connection, tell: &watch::Sender<Option<Heard>>) -> zbus::Result<()> {
    let policyd = Search1Proxy::builder(connection).cache_properties(CacheProperties::No).build().await?;
    let shell = Display1Proxy::builder(connection).cache_properties(CacheProperties::No).build().await?;
    let mut owner = policyd.inner().receive_owner_changed().await?;
    let mut changed = policyd.receive_search_changed().await?;
    let mut screens = shell.inner().receive_owner_changed().await?;
    let name = BusName::from_static_str(names::SHELL)?;
    let owns = DBusProxy::new(connection).await?.get_name_owner(name).await;
    let mut screen = owns.ok().map(|name| name.to_string());
    let read = async || {
        policyd.search().await.unwrap_or_else(|error| {
            tracing::debug!(%error, "policyd does not tell who searches");
            Search::none()
        })
    };
    let mut search = read().await;
    loop {
        tell.send_replace(heard(&search, screen.as_deref()));
        tokio::select! {
            biased;
            Some(new) = owner.next() => {
                tell.send_replace(None);
                search = if new.is_some() { read().await } else { Search::none() };
            }
            Some(new) = screens.next() => screen = new.map(|name| name.to_string()),
            Some(signal) = changed.next() => {
                if let Ok(arguments) = signal.args() {
                    search = arguments.search;
                }
            }
            () = tell.closed() => return Ok(()),
            else => return Ok(()),
        }
    }
}

/// Comes when it falls silent by itself.
pub(crate) async fn end(ringing: &Ringing) {
    match ringing.until(boot_time()) {
        Some(until) => tokio::time::sleep(until.saturating_sub(boot_time())).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(screen: &str) -> Search {
        Search { id: 7, screen: screen.into(), until_ms: 60_000, ..Search::none() }
    }

    const NOW: Duration = Duration::from_secs(10);

    #[test]
    fn t15_nothing_is_heard_that_the_screen_of_now_does_not_show() {
        let known = Some(Heard { id: 7, until: Duration::from_mins(1) });
        assert_eq!(heard(&search(":1.5"), Some(":1.5")), known);
        for (told, screen) in
            [("", Some(":1.5")), (":1.4", Some(":1.5")), (":1.5", None), ("", None), ("", Some(""))]
        {
            let search = Search { id: if screen == Some("") { 0 } else { 7 }, ..search(told) };
            assert_eq!(heard(&search, screen), None, "{told} {screen:?}");
        }
    }

    #[test]
    fn t16_it_is_silent_at_its_end_and_never_later_than_a_minute() {
        let mut ringing = Ringing::default();
        assert_eq!(ringing.until(NOW), None);
        ringing.set(heard(&search(":1.5"), Some(":1.5")), false, NOW);
        assert_eq!(ringing.until(NOW), Some(Duration::from_mins(1)));
        assert_eq!(ringing.until(Duration::from_mins(1)), None);
        let endless = Search { until_ms: u64::MAX, ..search(":1.5") };
        ringing.set(heard(&endless, Some(":1.5")), false, NOW);
        assert_eq!(ringing.until(NOW), Some(NOW + LONGEST));
        ringing.set(None, false, NOW);
        assert_eq!(ringing.until(NOW), None);
    }

    #[test]
    fn a_call_ends_a_search_for_good_and_the_next_one_rings() {
        let mut ringing = Ringing::default();
        ringing.called();
        ringing.set(heard(&search(":1.5"), Some(":1.5")), false, NOW);
        assert!(ringing.until(NOW).is_some());
        ringing.called();
        assert_eq!(ringing.until(NOW), None);
        ringing.set(heard(&search(":1.5"), Some(":1.5")), false, NOW);
        assert_eq!(ringing.until(NOW), None, "told again it is the same");
        let within = Search { id: 8, ..search(":1.5") };
        ringing.set(heard(&within, Some(":1.5")), true, NOW);
        ringing.set(heard(&within, Some(":1.5")), false, NOW);
        assert_eq!(ringing.until(NOW), None, "it came in the call");
        let next = Search { id: 9, ..search(":1.5") };
        ringing.set(heard(&next, Some(":1.5")), false, NOW);
        assert!(ringing.until(NOW).is_some());
    }
}
