//! Runs once at boot, before any daemon: every folder below `/var` that a daemon keeps something in is there, is a
//! directory, and is its owner's alone. Whoever wrote the storage of a watch that was off may have left anything in its
//! place; systemd's `StateDirectory=` would then refuse to start the daemon, and telephonyd is the lifeline.
//!
//! After a guardian's wipe it erases what is in them ([`erase`]).
//!
//! **Invariants:** links are not followed; without a wipe nothing is deleted but an older thing that was set aside; what
//! cannot be put right is said and left, and the next folder is looked at.

mod erase;
mod folders;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use nix::unistd::{Group, User};

use folders::{FOLDERS, Folder, Outcome, put_right};

fn main() -> ExitCode {
    let root = Path::new("/var");
    let mut code = ExitCode::SUCCESS;
    if erase::is_marked(root) {
        match erase::everything(root) {
            Ok(()) => eprintln!("<5>a guardian wiped the watch: its storage was erased"),
            Err(error) => {
                eprintln!("<3>the storage is not erased, and the watch stays sealed: {error}");
                code = ExitCode::FAILURE;
            }
        }
    }
    for folder in FOLDERS {
        match tidy(root, &folder) {
            Ok(Outcome::Fine | Outcome::Made) => {}
            Ok(outcome) => eprintln!("<4>{}: {outcome:?}", folder.path),
            Err(error) => {
                let cause = error.source().map(ToString::to_string).unwrap_or_default();
                eprintln!("<3>{error}: {cause}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

fn tidy(root: &Path, folder: &Folder) -> Result<Outcome, Box<dyn Error>> {
    let user = User::from_name(folder.user)?.ok_or("no such user")?;
    let group = Group::from_name(folder.group)?.ok_or("no such group")?;
    Ok(put_right(&root.join(folder.path), (user.uid.as_raw(), group.gid.as_raw()), folder.mode)?)
}
