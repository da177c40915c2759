//! run, test, demo, bench, image, coverage.

fn main() {}
