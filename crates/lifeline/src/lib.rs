//! Emergency numbers. Depends on nothing.
