//! fifty: what `./nestling bench display` measures with. As an app, or as any compositor's client, it shows fifty
//! pictures a second; as `fifty meter` it tells what every process of the watch has used so far.
//!
//! **Invariants:** only in the bench image; the same file is the client of both compositors.

mod client;
mod meter;
mod picture;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("meter") => meter::run(),
        _ => client::run(),
    }
}
