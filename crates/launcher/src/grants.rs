//! Whether an app may be opened: the launcher's own look at the rules.
//!
//! **Invariants:** rules that cannot be read grant nothing; every question is asked of the store that is in place then.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use launch::{AppInfo, Refusal};
use policy::{Action, Moment, Reason, Verdict};
use store::Reader;

/// Who knows what guardians granted.
pub trait Grants {
    /// Whether `app` may be opened now.
    ///
    /// # Errors
    /// `NoRules`, `NotGranted` or `TimeUp`.
    fn may_open(&mut self, app: &AppInfo) -> Result<(), Refusal>;
}

/// The published policy store.
#[derive(Debug)]
pub struct Published {
    directory: PathBuf,
    reader: Option<Reader>,
}

impl Published {
    /// The store in `directory`; read when it is first asked.
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), reader: None }
    }

    /// The store that is in place now.
    fn current(&mut self) -> Option<&Reader> {
        if !self.reader.as_ref().is_some_and(Reader::is_current) {
            self.reader = match Reader::open(&self.directory) {
                Ok(reader) => Some(reader),
                Err(error) => {
                    tracing::warn!(error = crate::chain(&error), "no rules");
                    None
                }
            };
        }
        self.reader.as_ref()
    }
}

impl Grants for Published {
    fn may_open(&mut self, app: &AppInfo) -> Result<(), Refusal> {
        let reader = self.current().ok_or(Refusal::NoRules)?;
        // policyd alone sets the clock; a clock before 1970 is none.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| Refusal::TimeUp)?;
        let moment = Moment::at(now.as_secs().cast_signed());
        match policy::decide(reader.rules(), &moment, &Action::Open(&app.as_asked())) {
            Verdict::Allow { .. } => Ok(()),
            Verdict::Deny { reason: Reason::TimeUp, .. } => Err(Refusal::TimeUp),
            Verdict::Deny { .. } => Err(Refusal::NotGranted),
        }
    }
}
