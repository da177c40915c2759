//! Configuration: one TOML file a daemon, strict, every value with a default.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Longest configuration file, bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// Why a daemon does not start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The arguments are not `[--config FILE]`.
    #[error("usage: {0} [--config FILE]")]
    Usage(String),
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file is not what the daemon knows; the source names the line.
    #[error("{} is not a valid configuration", path.display())]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Line and reason.
        #[source]
        source: Box<toml::de::Error>,
    },
}

/// Loads `--config FILE`, or `/etc/nestling/NAME.toml` where it exists, or the defaults.
///
/// # Errors
/// See [`ConfigError`].
pub fn from_arguments<T: DeserializeOwned>(name: &str) -> Result<T, ConfigError> {
    let mut arguments = std::env::args_os().skip(1);
    match (arguments.next(), arguments.next(), arguments.next()) {
        (None, ..) => {
            let path = PathBuf::from(format!("/etc/nestling/{name}.toml"));
            if path.exists() { load(&path) } else { parse(&path, "") }
        }
        (Some(flag), Some(file), None) if flag == "--config" => load(Path::new(&file)),
        _ => Err(ConfigError::Usage(name.to_owned())),
    }
}

/// Loads one file.
///
/// # Errors
/// See [`ConfigError`].
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let read = || -> io::Result<String> {
        if fs::metadata(path)?.len() > MAX_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 64 KiB"));
        }
        fs::read_to_string(path)
    };
    let text = read().map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    parse(path, &text)
}

fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text)
        .map_err(|source| ConfigError::Parse { path: path.to_owned(), source: Box::new(source) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Sample {
        size: u32,
    }

    impl Default for Sample {
        fn default() -> Self {
            Self { size: 3 }
        }
    }

    #[test]
    fn a_missing_value_is_the_default_and_an_unknown_one_an_error_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sample.toml");
        fs::write(&path, "").unwrap();
        assert_eq!(load::<Sample>(&path).unwrap().size, 3);
        fs::write(&path, "size = 4\ncolour = 1\n").unwrap();
        let error = load::<Sample>(&path).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("line 2") && source.contains("colour"), "{source}");
        assert!(matches!(load::<Sample>(&dir.path().join("none")), Err(ConfigError::Read { .. })));
    }
}
