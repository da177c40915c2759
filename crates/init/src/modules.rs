//! Kernel modules of the initramfs: `/modules/order` lists them, a file name a line, dependencies first. The
//! build computes the order, so nothing is resolved here.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use nix::kmod::{ModuleInitFlags, finit_module};

const FOLDER: &str = "/modules";

/// A module that could not be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot read {name}")]
    Read { name: String, source: io::Error },
    #[error("the kernel refused {name}")]
    Load { name: String, source: nix::Error },
}

/// Loads every module; one that is there already is fine.
pub(crate) fn load_all() -> Result<(), Error> {
    let folder = Path::new(FOLDER);
    let order = fs::read_to_string(folder.join("order"))
        .map_err(|source| Error::Read { name: "order".to_owned(), source })?;
    for name in order.lines() {
        let file =
            File::open(folder.join(name)).map_err(|source| Error::Read { name: name.to_owned(), source })?;
        match finit_module(&file, c"", ModuleInitFlags::empty()) {
            Ok(()) | Err(nix::Error::EEXIST) => {}
            Err(source) => return Err(Error::Load { name: name.to_owned(), source }),
        }
    }
    Ok(())
}
