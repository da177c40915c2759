//! policyd: the order log, the policy store, the diary.

fn main() {}
