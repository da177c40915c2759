//! Walks through the image's gpsd: what a receiver says, second by second, and what becomes of it. The outcome of each is
//! in `golden/walks.txt`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where it is surprised")]

#[path = "walks/gpsd.rs"]
mod gpsd;
#[path = "walks/receiver.rs"]
mod receiver;
#[path = "walks/table.rs"]
mod table;
#[path = "walks/walk.rs"]
mod walk;

use std::path::Path;

/// Times are UTC by the receiver's clock; every walk begins at 08:00:00.
#[tokio::test]
async fn a51_a52_every_walk_ends_as_a_parent_would_call_right() {
    let mut walks = Vec::new();
    for walk in walk::all() {
        walks.push(tokio::spawn(table::walked(walk)));
    }
    let mut texts = Vec::new();
    for walk in walks {
        texts.push(walk.await.unwrap());
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/walks.txt");
    testkit::golden::kept(golden, &texts.join("\n"));
}
