//! The core loop: one request after the other, so that nothing happens in two places at once.

use std::time::Duration;

use anyhow::Context;
use daemon::access::{Access, Peer};
use daemon::clock::boot_time;
use daemon::notify::{self, Watchdog};
use daemon::wall::Now;
use ipc::{DiaryEntry, DiaryRecord, Guardian, PolicyState, Refusal, Search, names, paths};
use tokio::sync::{mpsc, oneshot};
use zbus::Connection;
use zbus::names::BusName;
use zbus::object_server::SignalEmitter;

use crate::bus::{Diary1, Guardian1, Looks1, Policy1, Search1};
use crate::config::Config;
use crate::guard::Guard;
use crate::office::{Office, Seen};

/// Answers go back through here.
pub type Reply<T> = oneshot::Sender<Result<T, Refusal>>;

/// What the bus asks of the core loop.
#[derive(Debug)]
pub enum Request {
    /// `Policy1.Submit`
    Submit(Vec<u8>, Reply<u64>),
    /// The properties of `Policy1`
    Status(Reply<Status>),
    /// `Guardian1.OpenEnrolment`
    OpenEnrolment(Reply<(String, u32)>),
    /// `Guardian1.Guardians`
    Guardians(Reply<Vec<Guardian>>),
    /// The properties of `Looks1`
    Seen(Reply<Seen>),
    /// `Search1.Search`
    Search(Reply<Search>),
    /// `Search1.Shows`, by the screen with this unique name
    ShowsSearch(u64, String, Reply<()>),
    /// `Search1.Stop`
    StopSearch(u64, Reply<()>),
    /// `Diary1.Record`
    Record(Peer, DiaryRecord, Reply<u64>),
    /// `Diary1.Read`
    Read(u64, u32, Reply<Vec<DiaryEntry>>),
}

/// Everything a property can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Count of accepted orders.
    pub revision: u64,
    /// Unbound, bound or sealed.
    pub state: PolicyState,
    /// A guardian said that it is lost.
    pub lost: bool,
    /// The watch's id.
    pub watch: String,
}

/// Requests waiting at most; more are refused as busy.
pub const QUEUE: usize = 64;

/// The store is not built again more often than this, however often somebody touches it.
const MEND_PAUSE: Duration = Duration::from_millis(100);

/// So long the answer to the last order may take to leave.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why policyd ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Told,
    /// A guardian wiped the watch, which starts again now.
    Erased,
}

/// Runs policyd until it is told to end, or the watch was wiped.
///
/// # Errors
/// The bus, the name or the diary cannot be had.
pub async fn run(config: Config) -> anyhow::Result<Ended> {
    let mut office = Office::open(&config, Now::read()).context("cannot keep a diary")?;
    let guard = Guard::new(&config.store).context("cannot watch the store's directory")?;
    let connection = daemon::bus::connect(&config.bus).await.context("cannot reach the bus")?;
    let access = Access::new(&connection, config.bus.trust);
    let (sender, mut requests) = mpsc::channel(QUEUE);
    let server = connection.object_server();
    server.at(paths::POLICY, Policy1::new(sender.clone(), access.clone())).await?;
    server.at(paths::DIARY, Diary1::new(sender.clone(), access.clone())).await?;
    server.at(paths::GUARDIAN, Guardian1::new(sender.clone(), access.clone())).await?;
    server.at(paths::LOOKS, Looks1::new(sender.clone(), access.clone())).await?;
    server.at(paths::SEARCH, Search1::new(sender, access)).await?;
    connection.request_name(names::POLICY).await.context("the name is taken")?;
    notify::ready();

    let mut watchdog = Watchdog::new();
    let shutdown = daemon::shutdown();
    tokio::pin!(shutdown);
    let mut told = (office.revision(), office.state());
    tell(&connection, told).await;
    let mut told_seen = office.seen(Now::read());
    tell_seen(&connection, &told_seen).await;
    // An earlier run's search is over.
    let mut told_search = office.search(Now::read());
    tell_search(&connection, &told_search).await;
    while !office.is_erased() {
        let mut mended = false;
        tokio::select! {
            Some(request) = requests.recv() => handle(&mut office, request),
            changed = guard.changed() => {
                changed.context("cannot watch the store's directory")?;
                mended = office.mend_store(Now::read());
            }
            () = watchdog.due() => {
                watchdog.feed();
                mended = office.mend_store(Now::read());
            }
            () = at(office.due(Now::read())) => {}
            ended = &mut shutdown => {
                ended.context("cannot wait for signals")?;
                office.tell_floods(Now::read(), true);
                return Ok(Ended::Told);
            }
        }
        let seen = office.seen(Now::read());
        if seen != told_seen {
            tell_seen(&connection, &seen).await;
            told_seen = seen;
        }
        let search = office.search(Now::read());
        if search != told_search {
            tell_search(&connection, &search).await;
            told_search = search;
        }
        office.tell_floods(Now::read(), false);
        let now = (office.revision(), office.state());
        if mended || now != told {
            told = now;
            tell(&connection, now).await;
        }
        if mended {
            tokio::time::sleep(MEND_PAUSE).await;
        }
    }
    tokio::time::sleep(FAREWELL).await;
    Ok(Ended::Erased)
}

fn handle(office: &mut Office, request: Request) {
    let now = Now::read();
    // A caller that went away does not wait for its answer.
    match request {
        Request::Submit(envelope, reply) => drop(reply.send(office.submit(&envelope, now))),
        Request::Status(reply) => {
            let status = Status {
                revision: office.revision(),
                state: office.state(),
                lost: office.is_lost(),
                watch: office.watch().to_owned(),
            };
            drop(reply.send(Ok(status)));
        }
        Request::Seen(reply) => drop(reply.send(Ok(office.seen(now)))),
        Request::Search(reply) => drop(reply.send(Ok(office.search(now)))),
        Request::ShowsSearch(search, screen, reply) => {
            drop(reply.send(office.shows_search(search, &screen, now)));
        }
        Request::StopSearch(search, reply) => drop(reply.send(office.stop_search(search, now))),
        Request::Guardians(reply) => drop(reply.send(Ok(office.guardians()))),
        Request::OpenEnrolment(reply) => drop(reply.send(office.open_enrolment(now))),
        Request::Record(peer, record, reply) => drop(reply.send(office.record(peer.as_str(), &record, now))),
        Request::Read(after, limit, reply) => drop(reply.send(office.read_diary(after, limit))),
    }
}

/// Signals go to those who decide by the store and to the screen, one by one: nobody else hears them.
async fn tell(connection: &Connection, (revision, state): (u64, PolicyState)) {
    for name in [names::TELEPHONY, names::LOCATION, names::APPS, names::SHELL] {
        let Some(emitter) = to(connection, paths::POLICY, name) else { continue };
        if let Err(error) = Policy1::changed(&emitter, revision, state).await {
            tracing::warn!(%error, "a daemon does not hear of the change; it looks at the file itself");
        }
    }
}

/// The screen first: it shows a look before there is a position to be had.
async fn tell_seen(connection: &Connection, Seen { looking, today, .. }: &Seen) {
    for name in [names::SHELL, names::LOCATION] {
        let Some(emitter) = to(connection, paths::LOOKS, name) else { continue };
        if let Err(error) = Looks1::looks_changed(&emitter, looking, *today).await {
            tracing::warn!(%error, "somebody does not hear who looks");
        }
    }
}

/// The screen first here, too: nothing rings before it shows why.
async fn tell_search(connection: &Connection, search: &Search) {
    for name in [names::SHELL, names::TELEPHONY] {
        let Some(emitter) = to(connection, paths::SEARCH, name) else { continue };
        if let Err(error) = Search1::search_changed(&emitter, search.clone()).await {
            tracing::warn!(%error, "somebody does not hear who searches");
        }
    }
}

fn to<'a>(connection: &'a Connection, path: &'static str, name: &'static str) -> Option<SignalEmitter<'a>> {
    let name = BusName::try_from(name).ok()?;
    SignalEmitter::new(connection, path).ok().map(|emitter| emitter.set_destination(name))
}

/// Comes at a moment of the boot-time clock, or never.
async fn at(due: Option<Duration>) {
    match due {
        Some(due) => tokio::time::sleep(due.saturating_sub(boot_time())).await,
        None => std::future::pending().await,
    }
}
