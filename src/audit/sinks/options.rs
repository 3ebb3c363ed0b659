//! The options of a file device, as OpenBao's has them, and ours.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::audit::filter::FilterError;
use crate::error::Error;

use super::{LineOptions, Rotation};

/// The options of a device of the type `file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// `file_path`: where the lines go.
    pub target: Target,
    /// `mode`: the permissions of the file in octal, without the right to execute; nothing (`0`) leaves those that an
    /// existing file has. The default is 0600.
    pub mode: Option<u32>,
    /// `sync`: when a line counts as written.
    pub sync: Sync,
    /// `rotate_…`: when the file is put away, and what becomes of it.
    pub rotation: Rotation,
    /// Which lines it takes, and how they are written.
    pub lines: LineOptions,
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
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// No `file_path`.
    #[error("file_path is required")]
    NoFilePath,
    /// A `mode` that is no octal number up to 0777.
    #[error("mode must be an octal number such as 0600")]
    Mode,
    /// A `format` that is not known.
    #[error("unknown format type; omit \"format\" or set it to \"json\", \"ecs\", \"cef\" or \"ocsf\"")]
    Format,
    /// A `filter` that is no expression.
    #[error(transparent)]
    Filter(FilterError),
    /// A value that is neither true nor false.
    #[error("{0} must be true or false")]
    Flag(&'static str),
    /// A `prefix` with a brace or a control character, which would make lines ambiguous.
    #[error("prefix must have neither a brace, nor a control character, nor \"CEF:\", and at most 256 bytes")]
    Prefix,
    /// A `sync` that is not known.
    #[error("sync must be \"os\" or \"always\"")]
    Sync,
    /// A `checkpoint_interval` that is no number from 1.
    #[error("checkpoint_interval must be a whole number from 1 to 1000000")]
    CheckpointInterval,
    /// A `rotate_bytes` that is no size, or a very small one.
    #[error("rotate_bytes must be a number of bytes from 4096 on, or one with a unit, such as 100MiB")]
    RotateBytes,
    /// A `rotate_duration` that is no duration.
    #[error("rotate_duration must be at least one second, written like 24h or 7d")]
    RotateDuration,
    /// A `rotate_max_files` that is no number.
    #[error("rotate_max_files must be a whole number; 0 keeps every file")]
    RotateMaxFiles,
    /// A `rotate_compress` that is not known.
    #[error("rotate_compress must be \"gzip\" or \"none\"")]
    RotateCompress,
    /// Rotation of what is no file, or of a file that nothing ever ends.
    #[error(
        "rotate_max_files and rotate_compress need rotate_bytes or rotate_duration, and all of them need a file_path \
         that is a file"
    )]
    Rotate,
    /// An option that is not known: it might be one that protects, misspelt.
    #[error(
        "unknown option; a file device has file_path, mode, sync, format, prefix, filter, hmac_accessor, log_raw, \
         checkpoint_interval, rotate_bytes, rotate_duration, rotate_max_files and rotate_compress"
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
        let known = |name: &String| {
            let name = name.as_str();
            OWN.contains(&name) || LineOptions::NAMES.contains(&name) || Rotation::NAMES.contains(&name)
        };
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
        let sync = match option("sync") {
            None | Some("os") => Sync::Os,
            Some("always") => Sync::Always,
            Some(_) => return Err(OptionsError::Sync),
        };
        let rotation = Rotation::parse(options)?;
        if rotation != Rotation::default() && !matches!(target, Target::File(_)) {
            return Err(OptionsError::Rotate);
        }
        Ok(Self { target, mode: mode(option("mode"))?, sync, rotation, lines: LineOptions::parse(options)? })
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

const OWN: [&str; 4] = ["file_path", "path", "mode", "sync"];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::audit::format::Format;

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
                sync: Sync::Os,
                rotation: Rotation::default(),
                lines: LineOptions {
                    format: Format::Json,
                    prefix: String::new(),
                    filter: None,
                    hmac_accessor: true,
                    log_raw: false,
                    checkpoint_interval: 1000,
                },
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
        assert_eq!(with("prefix", "CEF:0|"), OptionsError::Prefix);
        assert!(matches!(with("filter", "path =="), OptionsError::Filter(_)));
        assert_eq!(with("rotate_bytes", "4095"), OptionsError::RotateBytes);
        assert_eq!(with("rotate_bytes", "1 PB"), OptionsError::RotateBytes);
        assert_eq!(with("rotate_bytes", "99999999999999999999GiB"), OptionsError::RotateBytes);
        assert_eq!(with("rotate_duration", "0"), OptionsError::RotateDuration);
        assert_eq!(with("rotate_duration", "soon"), OptionsError::RotateDuration);
        assert_eq!(with("rotate_max_files", "-1"), OptionsError::RotateMaxFiles);
        assert_eq!(with("rotate_max_files", "3"), OptionsError::Rotate);
        assert_eq!(with("rotate_compress", "gzip"), OptionsError::Rotate);
        assert_eq!(with("rotate_compress", "zip"), OptionsError::RotateCompress);
        assert_eq!(parse(&[("path", "stdout"), ("rotate_bytes", "1MiB")]).unwrap_err(), OptionsError::Rotate);
        assert_eq!(with("sync", "never"), OptionsError::Sync);
        assert_eq!(with("checkpoint_interval", "0"), OptionsError::CheckpointInterval);
        assert_eq!(with("hmac_acessor", "true"), OptionsError::Unknown);
    }

    #[test]
    fn rotation_is_read() {
        let read = |options: &[(&str, &str)]| parse(&[options, &[("file_path", "/a")]].concat()).unwrap().rotation;
        assert_eq!(read(&[]), Rotation::default());
        let sizes = [
            ("4096", 4096),
            ("5000 B", 5000),
            ("8KiB", 8192),
            ("1 MiB", 1 << 20),
            ("2GiB", 2 << 30),
            ("5kB", 5_000),
            ("6 KB", 6_000),
            ("5MB", 5_000_000),
            ("3GB", 3_000_000_000),
        ];
        for (text, bytes) in sizes {
            assert_eq!(read(&[("rotate_bytes", text)]).bytes, Some(bytes), "{text}");
        }
        let all = read(&[("rotate_duration", "24h"), ("rotate_max_files", "7"), ("rotate_compress", "gzip")]);
        assert_eq!(
            all,
            Rotation {
                bytes: None,
                age: Some(Duration::from_hours(24)),
                keep: std::num::NonZeroUsize::new(7),
                compress: true
            }
        );
        assert_eq!(read(&[("rotate_bytes", "1GiB"), ("rotate_max_files", "0")]).keep, None);
    }
}
