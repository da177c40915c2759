//! The device key, born at the first boot. The watch's name comes from it.

use std::io;
use std::path::Path;

use daemon::files;
use orders::Signer;

/// What is wrong with the device key.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The file cannot be read or written.
    #[error("cannot {action} the device key")]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file is not 32 bytes.
    #[error("the device key is damaged")]
    Damaged,
    /// The kernel gave no random numbers.
    #[error("no random numbers")]
    Random(#[source] getrandom::Error),
}

/// Reads the key; `None` where there is none.
///
/// # Errors
/// See [`DeviceError`].
pub fn load(directory: &Path) -> Result<Option<Signer>, DeviceError> {
    let path = directory.join("device.key");
    let io = |source| DeviceError::Io { action: "read", source };
    let Some(bytes) = files::read_small(&path, 32).map_err(io)? else { return Ok(None) };
    let secret: [u8; 32] = bytes.try_into().map_err(|_| DeviceError::Damaged)?;
    Ok(Some(Signer::from_secret(&secret)))
}

/// Makes a key. Only for a watch that never had one.
///
/// # Errors
/// See [`DeviceError`].
pub fn create(directory: &Path) -> Result<Signer, DeviceError> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(DeviceError::Random)?;
    files::write_whole(&directory.join("device.key"), &secret)
        .map_err(|source| DeviceError::Io { action: "write", source })?;
    Ok(Signer::from_secret(&secret))
}
