//! Private buses and fixtures for tests: a bus of one's own, and on it the ModemManager and gpsd of the image,
//! fed by [`sim`]; and a TPM. No root, no virtual machine, no bus or port of the host's; gpsd alone leaves the shared
//! memory of NTP behind, which it cannot be told not to make.
//!
//! Invariants: a fixture that cannot start says what to do or shows the program's log, it never skips;
//! dropping a fixture ends its processes. The kernel ends them too when the thread that started them ends, so
//! start fixtures on a thread that lives as long as the test.

mod bus;
pub mod golden;
mod gpsd;
mod modem_manager;
pub mod power_cut;
pub mod private;
mod process;
mod tpm;
mod tree;

pub use bus::PrivateBus;
pub use gpsd::Gpsd;
pub use modem_manager::ModemManager;
pub use process::FixtureError;
pub use tpm::SoftTpm;
pub use tree::Tree;
