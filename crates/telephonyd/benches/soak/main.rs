//! Many watches, each with a network, the real ModemManager, a bus and the real telephonyd of its own, and calls of all
//! kinds with faults switched on and off. It ends with every call accounted for: who rang, who was turned away with a
//! line in the diary, which fault a call was lost to; and no call left over anywhere.
//!
//! `./nestling test long soak` runs it; each watch prints a line of JSON. To repeat a run, give it the same `--seed`: the
//! same calls are made, though the machine's timing is never the same.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a soak ends where it is surprised"
)]

mod chance;
mod diary;
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../tests/house/mod.rs"]
mod house;
mod ledger;
mod tidy;
mod wake;
mod watch;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::sync::Semaphore;
use tokio::task::LocalSet;
use tokio::time::Instant;

use ledger::Ledger;
use watch::Watch;

/// What it is run with.
#[derive(Clone, Copy, Debug)]
struct Options {
    /// In all.
    calls: u32,
    watches: u8,
    /// Watches that run at a time.
    at_once: usize,
    seed: u64,
}

impl Options {
    /// `--calls 200 --watches 4 --at-once 2 --seed 7`; cargo adds a `--bench`.
    fn read() -> Self {
        let mut options = Self { calls: 2000, watches: 16, at_once: 8, seed: 1 };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| panic!("{name} needs a number"));
            match name.as_str() {
                "--calls" => options.calls = value().parse().unwrap(),
                "--watches" => options.watches = value().parse().unwrap(),
                "--at-once" => options.at_once = value().parse().unwrap(),
                "--seed" => options.seed = value().parse().unwrap(),
                "--bench" => {}
                _ => panic!("{name} is not known"),
            }
        }
        options
    }
}

/// One watch from its start to its end; a surprise is an entry like any other.
async fn soak(number: u8, options: Options) -> (Ledger, BTreeMap<&'static str, u32>) {
    // What is known stays known when the watch's own checks at its end fail.
    let kept = Rc::new(RefCell::new((Ledger::default(), BTreeMap::new())));
    let books = Rc::clone(&kept);
    let played = tokio::task::spawn_local(async move {
        let mut watch = Watch::start(number, options.seed).await;
        watch.soak(options.calls / u32::from(options.watches)).await;
        *books.borrow_mut() = (std::mem::take(&mut watch.ledger), std::mem::take(&mut watch.late));
    });
    let surprise = played.await.err();
    let (mut ledger, late) = kept.take();
    ledger.wrong.extend(surprise.map(|surprise| format!("it ended early: {surprise}")));
    (ledger, late)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let options = Options::read();
    let free = Rc::new(Semaphore::new(options.at_once));
    let watches = LocalSet::new();
    for number in 0..options.watches {
        let free = Rc::clone(&free);
        watches.spawn_local(async move {
            let _place = free.acquire().await.unwrap();
            let started = Instant::now();
            let (ledger, late) = soak(number, options).await;
            let Ledger { calls, rang, turned_away, gave_up, waited, dialled, lost, wrong, .. } = ledger;
            let line = serde_json::json!({
                "watch": number, "calls": calls, "rang": rang, "turned_away": turned_away, "gave_up": gave_up,
                "waited": waited, "dialled": dialled, "lost": lost, "late": late,
                "seconds": started.elapsed().as_secs(), "wrong": wrong,
            });
            println!("{line}");
            eprintln!("watch {number}: {calls} calls, {} wrong", wrong.len());
        });
    }
    watches.await;
}
