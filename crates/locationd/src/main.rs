//! locationd: where the watch is, from gpsd.

fn main() {}
