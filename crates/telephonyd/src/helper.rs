//! Programs of the image that touch hardware for us, named by the configuration: nothing of theirs is linked.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};

/// Why a helper did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HelperError {
    /// Nothing is named.
    #[error("no program is named")]
    Nameless,
    /// It cannot be started.
    #[error("{program} cannot be started")]
    Start {
        program: String,
        #[source]
        source: io::Error,
    },
    /// It said no.
    #[error("{program} ended with {status}")]
    Failed { program: String, status: ExitStatus },
    /// It was ended.
    #[error("{program} took longer than {} s", limit.as_secs())]
    Slow { program: String, limit: Duration },
}

/// Starts a program: an absolute path and its arguments. It ends when the handle is dropped.
///
/// # Errors
/// It cannot be started.
pub(crate) fn start(program: &[String]) -> Result<Child, HelperError> {
    let (path, arguments) = program.split_first().ok_or(HelperError::Nameless)?;
    Command::new(path)
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| HelperError::Start { program: path.clone(), source })
}

/// Runs a program to its end.
///
/// # Errors
/// See [`HelperError`].
pub(crate) async fn run(program: &[String], limit: Duration) -> Result<(), HelperError> {
    let mut child = start(program)?;
    let name = || program.first().cloned().unwrap_or_default();
    match tokio::time::timeout(limit, child.wait()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(HelperError::Failed { program: name(), status }),
        Ok(Err(source)) => Err(HelperError::Start { program: name(), source }),
        Err(_) => Err(HelperError::Slow { program: name(), limit }),
    }
}
