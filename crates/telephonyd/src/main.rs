//! telephonyd: screens, rings, answers, dials.

fn main() {}
