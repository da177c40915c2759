//! What the demo saw: lines on the terminal as they happen, and `report.md` beside the pictures.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};

/// The report in the making.
pub(super) struct Report {
    folder: PathBuf,
    text: String,
    started: Instant,
    checks: u32,
}

impl Report {
    /// Begins one in an emptied folder.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub(super) fn new(folder: PathBuf) -> Result<Self> {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let text =
            "# The demo\n\nPlayed on the development image in QEMU; every line was seen to happen.\n".into();
        Ok(Self { folder, text, started: Instant::now(), checks: 0 })
    }

    /// Where pictures go.
    pub(super) fn picture(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.png"))
    }

    /// A new scene.
    pub(super) fn scene(&mut self, title: &str) {
        println!("{:6.1} s  {title}", self.started.elapsed().as_secs_f64());
        let _ = write!(self.text, "\n## {title}\n\n");
    }

    /// Something that was seen.
    pub(super) fn saw(&mut self, what: &str) {
        self.checks += 1;
        println!("{:6.1} s    {what}", self.started.elapsed().as_secs_f64());
        let _ = writeln!(self.text, "- {what}");
    }

    /// Something that must hold.
    ///
    /// # Errors
    /// It does not.
    pub(super) fn check(&mut self, what: &str, holds: bool) -> Result<()> {
        if holds {
            self.saw(what);
            return Ok(());
        }
        bail!("this did not happen: {what}")
    }

    /// Shows a picture.
    pub(super) fn show(&mut self, name: &str, caption: &str) {
        let _ = writeln!(self.text, "\n![{caption}]({name}.png)\n");
    }

    /// Writes the file.
    ///
    /// # Errors
    /// The disk does not take it.
    pub(super) fn finish(mut self, outcome: &Result<()>) -> Result<()> {
        let seconds = self.started.elapsed().as_secs_f64();
        let _ = match outcome {
            Ok(()) => writeln!(self.text, "\nAll {} things happened, in {seconds:.0} s.", self.checks),
            Err(error) => writeln!(self.text, "\n**It failed** after {} things: {error:#}", self.checks),
        };
        let path = self.folder.join("report.md");
        fs::write(&path, self.text)?;
        println!("{:6.1} s  report: {}", seconds, path.display());
        Ok(())
    }
}
