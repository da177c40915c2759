//! What can be done, a file each.

pub(crate) mod edit;
pub(crate) mod enrol;
pub(crate) mod new;
pub(crate) mod recover;
pub(crate) mod send;
pub(crate) mod show;
pub(crate) mod sign;

use std::io::{BufRead as _, Read as _, Write as _};

use orders::{PublicKey, RecoveryKey};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::family::Letter;

/// Asks the person at the keyboard for a line.
fn ask(question: &str) -> Result<Zeroizing<String>> {
    eprint!("{question} ");
    let _ = std::io::stderr().flush();
    let mut line = Zeroizing::new(String::with_capacity(256));
    let read = std::io::stdin().lock().take(256).read_line(&mut line);
    read.map_err(|_| Error::Cannot("nothing could be read from the keyboard".to_owned()))?;
    Ok(line)
}

/// Asks for the recovery key, which must be this one where it is known: so the paper is read once before it is needed.
fn ask_paper(known: Option<&PublicKey>) -> Result<RecoveryKey> {
    let typed = ask("The recovery key on your paper:")?;
    let paper = RecoveryKey::parse(&typed)
        .map_err(|error| Error::Cannot(format!("{error}: look at your paper and try again")))?;
    match known {
        Some(known) if *known != paper.signer().public() => {
            Err(Error::Cannot("this is another paper than the one of the key in this folder".to_owned()))
        }
        _ => Ok(paper),
    }
}

/// 32 bytes nobody can guess.
fn random() -> Result<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    let filled = getrandom::fill(&mut *bytes);
    filled.map_err(|error| Error::Cannot(format!("this computer gives no random numbers: {error}")))?;
    Ok(bytes)
}

fn signed(letter: &Letter) {
    println!("{}", letter.path.display());
}
