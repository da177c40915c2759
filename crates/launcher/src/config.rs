//! Configuration: `/etc/nestling/launcher.toml`, strict, every value with a default.
//!
//! **Invariants:** no value takes a part of the sandbox away.

use std::path::{Path, PathBuf};
use std::{fs, io};

use sandbox::cgroup::Limits;
use serde::Deserialize;

/// Why the launcher does not start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The arguments are not `[--config FILE]`.
    #[error("usage: nestling-launcher [--config FILE]")]
    Usage,
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is not what the launcher knows; the source names the line.
    #[error("{} is not a valid configuration", path.display())]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Line and reason.
        source: Box<toml::de::Error>,
    },
}

/// What may differ between watches.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The user whose connections are taken: appd's.
    pub peer: String,
    /// The user who must have made the display that comes with a start: the shell's.
    pub screen: String,
    /// Where policyd publishes the rules.
    pub policy: PathBuf,
    /// Where each app has its own files.
    pub data: PathBuf,
    /// Where bundles are mounted, in the launcher's own namespace.
    pub mounts: PathBuf,
    /// First and last number of the users that apps run as.
    pub users: (u32, u32),
    /// Sessions at once.
    pub sessions: usize,
    /// Memory of one app, MiB.
    pub memory_mib: u64,
    /// Processes and threads of one app.
    pub processes: u32,
    /// Processor time of one app, percent of one processor.
    pub processor_percent: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            peer: "nestling-apps".into(),
            screen: "nestling-shell".into(),
            policy: "/run/nestling/policy".into(),
            data: "/var/lib/nestling/data".into(),
            mounts: "/run/nestling/bundles".into(),
            users: (20_000, 29_999),
            sessions: 2,
            memory_mib: 96,
            processes: 32,
            processor_percent: 90,
        }
    }
}

impl Config {
    /// Loads `--config FILE`, or `/etc/nestling/launcher.toml` where it exists, or the defaults.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn from_arguments() -> Result<Self, ConfigError> {
        let mut arguments = std::env::args_os().skip(1);
        match (arguments.next(), arguments.next(), arguments.next()) {
            (None, ..) => {
                let path = Path::new("/etc/nestling/launcher.toml");
                if path.exists() { Self::load(path) } else { Ok(Self::default()) }
            }
            (Some(flag), Some(file), None) if flag == "--config" => Self::load(Path::new(&file)),
            _ => Err(ConfigError::Usage),
        }
    }

    /// Loads one file.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text =
            fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text)
            .map_err(|source| ConfigError::Parse { path: path.to_owned(), source: Box::new(source) })
    }

    /// What one app may use.
    pub fn limits(&self) -> Limits {
        Limits {
            memory: self.memory_mib * 1024 * 1024,
            processes: self.processes,
            processor: self.processor_percent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_or_a_missing_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("launcher.toml");
        assert!(matches!(Config::load(&path), Err(ConfigError::Read { .. })));
        fs::write(&path, "seccomp = false\n").unwrap();
        assert!(matches!(Config::load(&path), Err(ConfigError::Parse { .. })));
        fs::write(&path, "memory_mib = 64\n").unwrap();
        assert_eq!(Config::load(&path).unwrap().limits().memory, 64 << 20);
    }
}
