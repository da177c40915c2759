//! From the configuration to what the server works with.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use catalogue::Places;
use nix::unistd::User;
use sandbox::cgroup::{CgroupError, Delegated};
use sandbox::seccomp::{Filter, PolicyError};

use crate::bundles::Installed;
use crate::config::Config;
use crate::grants::Published;
use crate::server::Setup;
use crate::users::Users;

/// The cgroup the launcher itself is in, below the delegated one (`DelegateSubgroup=`).
const SUBGROUP: &str = "launcher";
/// The launcher's own memory, bytes: several times what it needs, and too little to take the watch's.
const MEMORY: u64 = 48 << 20;

/// Why the launcher does not start.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// An account is missing.
    #[error("there is no user {0}")]
    User(String),
    /// The kernel does not say which cgroup this is.
    #[error("cannot read /proc/self/cgroup")]
    OwnCgroup(#[source] io::Error),
    /// The unit's `Delegate=` or `DelegateSubgroup=` is missing.
    #[error("{0:?} is no cgroup below a delegated one")]
    NotDelegated(PathBuf),
    /// The delegated cgroup cannot be used.
    #[error("the cgroup is not as it must be")]
    Cgroup(#[from] CgroupError),
    /// The list of system calls does not compile.
    #[error("there is no list of system calls")]
    Filter(#[from] PolicyError),
}

/// What the watch's launcher works with. Nothing below /var is opened yet: whatever lies there, the launcher serves, and
/// refuses what it cannot do.
///
/// # Errors
/// See [`SetupError`].
pub fn setup(config: &Config) -> Result<Setup<Published, Installed>, SetupError> {
    let cgroup = Delegated::open(&delegated()?)?;
    cgroup.enable_controllers()?;
    cgroup.limit_memory(SUBGROUP, MEMORY)?;
    Ok(Setup {
        peer: user(&config.peer)?,
        screen: user(&config.screen)?,
        grants: Published::new(&config.policy),
        bundles: Installed::new(Places::default(), &config.mounts),
        users: Users::new(&config.data, config.users),
        cgroup,
        limits: Some(config.limits()),
        filter: Filter::native()?,
        sessions: config.sessions,
    })
}

fn user(name: &str) -> Result<u32, SetupError> {
    let user = User::from_name(name).ok().flatten();
    user.map(|user| user.uid.as_raw()).ok_or_else(|| SetupError::User(name.to_owned()))
}

/// The cgroup above the one this process is in.
fn delegated() -> Result<PathBuf, SetupError> {
    let text = fs::read_to_string("/proc/self/cgroup").map_err(SetupError::OwnCgroup)?;
    let own = text.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let own = Path::new("/sys/fs/cgroup").join(own);
    match own.parent() {
        Some(parent) if own.file_name().is_some_and(|name| name == SUBGROUP) => Ok(parent.to_owned()),
        _ => Err(SetupError::NotDelegated(own)),
    }
}
