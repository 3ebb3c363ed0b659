//! The options of a file device, as OpenBao's has them, and ours.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::Error;

/// The options of a device of the type `file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// `file_path`: where the lines go.
    pub target: Target,
    /// `mode`: the permissions of the file in octal, without the right to execute; nothing (`0`) leaves those that an
    /// existing file has. The default is 0600.
    pub mode: Option<u32>,
    /// `prefix`: stands before each line.
    pub prefix: String,
    /// `hmac_accessor`: whether accessors are hashed; the default is true.
    pub hmac_accessor: bool,
    /// `log_raw`: whether nothing is hashed; the default is false.
    pub log_raw: bool,
    /// `sync`: when a line counts as written.
    pub sync: Sync,
    /// `checkpoint_interval`: so many entries until the next signed checkpoint; the default is 1000.
    pub checkpoint_interval: u64,
}

/// Where the lines of a file device go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Into a file.
    File(PathBuf),
    /// To the standard output.
    Stdout,
    /// Nowhere: `discard`.
    Discard,
}

/// When a line counts as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// `os`: when the operating system has it. A crash of the server loses nothing, a power failure may.
    Os,
    /// `always`: when the disk has it.
    Always,
}

/// Why options were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// No `file_path`.
    #[error("file_path is required")]
    NoFilePath,
    /// A `mode` that is no octal number up to 0777.
    #[error("mode must be an octal number such as 0600")]
    Mode,
    /// A `format` other than `json`.
    #[error("unknown format type; omit \"format\" or set it to \"json\"")]
    Format,
    /// A value that is neither true nor false.
    #[error("{0} must be true or false")]
    Flag(&'static str),
    /// A `prefix` with a brace or a control character, which would make lines ambiguous.
    #[error("prefix must have neither a brace nor a control character, and at most 256 bytes")]
    Prefix,
    /// A `sync` that is not known.
    #[error("sync must be \"os\" or \"always\"")]
    Sync,
    /// A `checkpoint_interval` that is no number from 1.
    #[error("checkpoint_interval must be a whole number from 1 to 1000000")]
    CheckpointInterval,
    /// An option that is not known: it might be one that protects, misspelt.
    #[error(
        "unknown option; a file device has file_path, mode, format, prefix, hmac_accessor, log_raw, sync and \
         checkpoint_interval"
    )]
    Unknown,
}

impl From<OptionsError> for Error {
    fn from(error: OptionsError) -> Self {
        Self::invalid(error.to_string())
    }
}

impl FileOptions {
    /// Reads the options as `sys/audit` and the configuration have them.
    pub fn parse(options: &BTreeMap<String, String>) -> Result<Self, OptionsError> {
        let known = |name: &String| KNOWN.contains(&name.as_str());
        if !options.keys().all(known) {
            return Err(OptionsError::Unknown);
        }
        let option = |name: &str| options.get(name).map(String::as_str).filter(|text| !text.is_empty());
        let target = match option("file_path").or_else(|| option("path")) {
            Some("stdout") => Target::Stdout,
            Some("discard") => Target::Discard,
            Some(path) => Target::File(path.into()),
            None => return Err(OptionsError::NoFilePath),
        };
        if !matches!(option("format"), None | Some("json")) {
            return Err(OptionsError::Format);
        }
        let prefix = options.get("prefix").cloned().unwrap_or_default();
        if prefix.len() > 256 || prefix.chars().any(|c| c == '{' || c.is_control()) {
            return Err(OptionsError::Prefix);
        }
        let sync = match option("sync") {
            None | Some("os") => Sync::Os,
            Some("always") => Sync::Always,
            Some(_) => return Err(OptionsError::Sync),
        };
        let checkpoint_interval = match option("checkpoint_interval").map(str::parse) {
            None => 1000,
            Some(Ok(interval @ 1..=1_000_000)) => interval,
            Some(Ok(_) | Err(_)) => return Err(OptionsError::CheckpointInterval),
        };
        Ok(Self {
            target,
            mode: mode(option("mode"))?,
            prefix,
            hmac_accessor: flag(option("hmac_accessor"), true, "hmac_accessor")?,
            log_raw: flag(option("log_raw"), false, "log_raw")?,
            sync,
            checkpoint_interval,
        })
    }
}

fn mode(text: Option<&str>) -> Result<Option<u32>, OptionsError> {
    let mode = text.map_or(Ok(0o600), |text| u32::from_str_radix(text, 8)).map_err(|_| OptionsError::Mode)?;
    match mode {
        0 => Ok(None),
        1..=0o777 => Ok(Some(mode & !0o111)),
        _ => Err(OptionsError::Mode),
    }
}

fn flag(text: Option<&str>, default: bool, name: &'static str) -> Result<bool, OptionsError> {
    match text {
        None => Ok(default),
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
        Some(_) => Err(OptionsError::Flag(name)),
    }
}

const KNOWN: [&str; 9] =
    ["file_path", "path", "mode", "format", "prefix", "hmac_accessor", "log_raw", "sync", "checkpoint_interval"];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(options: &[(&str, &str)]) -> Result<FileOptions, OptionsError> {
        let owned = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        FileOptions::parse(&owned.collect())
    }

    #[test]
    fn the_defaults_are_those_of_the_peer() {
        let options = parse(&[("file_path", "/a/b")]).unwrap();
        assert_eq!(
            options,
            FileOptions {
                target: Target::File("/a/b".into()),
                mode: Some(0o600),
                prefix: String::new(),
                hmac_accessor: true,
                log_raw: false,
                sync: Sync::Os,
                checkpoint_interval: 1000,
            }
        );
        assert_eq!(parse(&[("file_path", "stdout")]).unwrap().target, Target::Stdout);
        assert_eq!(parse(&[("file_path", "discard")]).unwrap().target, Target::Discard);
    }

    #[test]
    fn no_file_can_be_made_executable() {
        assert_eq!(parse(&[("path", "/a"), ("mode", "0755")]).unwrap().mode, Some(0o644));
        assert_eq!(parse(&[("path", "/a"), ("mode", "0")]).unwrap().mode, None);
    }

    #[test]
    fn mistakes_are_named() {
        let with = |name, value| parse(&[("file_path", "/a"), (name, value)]).unwrap_err();
        assert_eq!(parse(&[]).unwrap_err(), OptionsError::NoFilePath);
        assert_eq!(with("mode", "9"), OptionsError::Mode);
        assert_eq!(with("mode", "4755"), OptionsError::Mode);
        assert_eq!(with("format", "jsonx"), OptionsError::Format);
        assert_eq!(with("log_raw", "maybe"), OptionsError::Flag("log_raw"));
        assert_eq!(with("prefix", "a\n"), OptionsError::Prefix);
        assert_eq!(with("prefix", "{"), OptionsError::Prefix);
        assert_eq!(with("sync", "never"), OptionsError::Sync);
        assert_eq!(with("checkpoint_interval", "0"), OptionsError::CheckpointInterval);
        assert_eq!(with("hmac_acessor", "true"), OptionsError::Unknown);
    }
}
