//! Power cuts, full and failing disks, and kills: nothing accepted is lost, nothing is half applied.
//!
//! One short life of a watch ([`life`]) is recorded, and played back up to every step of it ([`cuts`]); lived with
//! calls that fail ([`faults`]); and the real policyd is killed again and again ([`kills`]). What must hold after
//! each is in one place, [`life::Promise`].
//!
//! The short lane takes samples where there are many; `NESTLING_LONG=1` takes all.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod cuts;
mod faults;
mod kills;
mod life;
mod watch;

/// Whether the long lane runs.
fn long() -> bool {
    std::env::var_os("NESTLING_LONG").is_some()
}
