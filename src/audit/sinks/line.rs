//! The options that every kind of device has: which lines it takes, and how they are written.

use std::collections::BTreeMap;

use crate::api::LooseBool;
use crate::audit::filter::Filter;
use crate::audit::format::Format;

use super::OptionsError;

/// The options of a device that do not depend on where its lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineOptions {
    /// `format`: how a line is written; the default is `json`.
    pub format: Format,
    /// `prefix`: stands before each line.
    pub prefix: String,
    /// `filter`: which entries the device takes; the default is all of them.
    pub filter: Option<Filter>,
    /// `hmac_accessor`: whether accessors are hashed; the default is true.
    pub hmac_accessor: bool,
    /// `log_raw`: whether nothing is hashed; the default is false.
    pub log_raw: bool,
    /// `checkpoint_interval`: so many entries until the next signed checkpoint; the default is 1000.
    pub checkpoint_interval: u64,
}

impl LineOptions {
    /// The names of these options; a kind of device adds its own.
    pub const NAMES: [&str; 6] = ["format", "prefix", "filter", "hmac_accessor", "log_raw", "checkpoint_interval"];

    /// Reads these options as `sys/audit` and the configuration have them, and leaves others alone.
    pub fn parse(options: &BTreeMap<String, String>) -> Result<Self, OptionsError> {
        let option = |name: &str| options.get(name).map(String::as_str).filter(|text| !text.is_empty());
        let format = match option("format") {
            None => Format::Json,
            Some(name) => Format::parse(name).ok_or(OptionsError::Format)?,
        };
        let prefix = options.get("prefix").cloned().unwrap_or_default();
        // A reader takes a line for CEF by this mark, so it may not stand before a line of another format.
        let ambiguous = |c: char| c == '{' || c.is_control();
        if prefix.len() > 256 || prefix.chars().any(ambiguous) || prefix.contains("CEF:") {
            return Err(OptionsError::Prefix);
        }
        let filter = option("filter").map(Filter::parse).transpose().map_err(OptionsError::Filter)?;
        let checkpoint_interval = match option("checkpoint_interval").map(str::parse) {
            None => 1000,
            Some(Ok(interval @ 1..=1_000_000)) => interval,
            Some(Ok(_) | Err(_)) => return Err(OptionsError::CheckpointInterval),
        };
        Ok(Self {
            format,
            prefix,
            filter,
            hmac_accessor: flag(option("hmac_accessor"), true, "hmac_accessor")?,
            log_raw: flag(option("log_raw"), false, "log_raw")?,
            checkpoint_interval,
        })
    }

    /// Whether options as they are stored limit what the device takes.
    pub fn is_filtered(options: &BTreeMap<String, String>) -> bool {
        options.get("filter").is_some_and(|filter| !filter.is_empty())
    }
}

/// Reads what is true or false, as the peer does.
pub(crate) fn flag(text: Option<&str>, default: bool, name: &'static str) -> Result<bool, OptionsError> {
    let Some(text) = text else { return Ok(default) };
    LooseBool::parse(text).map(|flag| flag.0).ok_or(OptionsError::Flag(name))
}
