//! shell: what the child sees.

fn main() {}
