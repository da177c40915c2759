//! Signed orders: DSSE, Ed25519, counters, keyring, roles.
