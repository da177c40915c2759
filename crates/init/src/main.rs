//! init: the first program, mounts the verified root.

fn main() {}
