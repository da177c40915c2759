//! Debian packages without root and without their maintainer scripts: [`packages`] says which, [`apt`] fetches
//! them, checked against the archive's signatures, [`tree`] unpacks them.

pub mod apt;
pub mod packages;
pub mod tree;
