//! The Landlock ruleset of one app (Documentation/userspace-api/landlock.rst).
//!
//! **Invariants:** the kernel knows at least ABI 6, or there is no ruleset; everything it knows is handled; the one
//! rule that allows `execute` names one file.

use std::os::fd::{BorrowedFd, OwnedFd};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, Scope,
};

/// The oldest ABI with all we rely on: truncate and ioctl on devices, TCP, and the scopes of signals and abstract sockets.
const REQUIRED: ABI = ABI::V6;

/// There is no Landlock as it must be.
#[derive(Debug, thiserror::Error)]
pub enum FenceError {
    /// The kernel refused, or is too old.
    #[error("the kernel has not the Landlock an app needs (ABI 6)")]
    Ruleset(#[from] RulesetError),
    /// The crate made none.
    #[error("the kernel has no Landlock")]
    None,
}

/// What an app may do with its own files: everything but execute, and but links, devices, sockets and FIFOs, which are
/// traps for whoever reads the folder later.
fn data_rights() -> BitFlags<AccessFs> {
    AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
        | AccessFs::Refer
}

/// The ruleset: read the bundle, execute `program`, use `data`. No network, no signal and no abstract socket outside.
pub(crate) fn ruleset(
    bundle: BorrowedFd<'_>,
    program: BorrowedFd<'_>,
    data: Option<BorrowedFd<'_>>,
) -> Result<OwnedFd, FenceError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(REQUIRED))?
        .handle_access(AccessNet::from_all(REQUIRED))?
        .scope(Scope::from_all(REQUIRED))?
        // Above the floor: what a newer kernel can refuse besides is refused there (ABI 9: connect() to a path).
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V9))?
        .set_compatibility(CompatLevel::HardRequirement)
        .create()?
        .set_compatibility(CompatLevel::HardRequirement)
        .add_rule(PathBeneath::new(bundle, AccessFs::ReadFile | AccessFs::ReadDir))?
        .add_rule(PathBeneath::new(program, AccessFs::ReadFile | AccessFs::Execute))?;
    if let Some(data) = data {
        ruleset = ruleset.add_rule(PathBeneath::new(data, data_rights()))?;
    }
    Option::<OwnedFd>::from(ruleset).ok_or(FenceError::None)
}
