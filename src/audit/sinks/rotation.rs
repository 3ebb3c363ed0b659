//! When a file is put away, and what becomes of it: the `rotate_…` options of a file device.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use crate::api::Ttl;

use super::OptionsError;

/// The `rotate_…` options. By default a file is never put away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// `rotate_bytes`: how large a file may become.
    pub bytes: Option<u64>,
    /// `rotate_duration`: how long after its first line a file is put away.
    pub age: Option<Duration>,
    /// `rotate_max_files`: how many files that were put away are kept; nothing for all.
    pub keep: Option<NonZeroUsize>,
    /// `rotate_compress`: whether they are compressed with gzip.
    pub compress: bool,
}

impl Rotation {
    /// The names of these options.
    pub const NAMES: [&str; 4] = ["rotate_bytes", "rotate_duration", "rotate_max_files", "rotate_compress"];

    pub(super) fn parse(options: &BTreeMap<String, String>) -> Result<Self, OptionsError> {
        let option = |name: &str| options.get(name).map(String::as_str).filter(|text| !text.is_empty());
        let bytes = match option("rotate_bytes") {
            None => None,
            Some(text) => Some(size(text).filter(|bytes| *bytes >= MIN_BYTES).ok_or(OptionsError::RotateBytes)?),
        };
        let age = match option("rotate_duration") {
            None => None,
            Some(text) => {
                let age = Ttl::parse(text).map_err(|_| OptionsError::RotateDuration)?;
                Some(age.duration()).filter(|age| !age.is_zero()).ok_or(OptionsError::RotateDuration).map(Some)?
            }
        };
        let keep = option("rotate_max_files").map_or(Ok(0), str::parse).map_err(|_| OptionsError::RotateMaxFiles)?;
        let compress = match option("rotate_compress") {
            None | Some("none") => false,
            Some("gzip") => true,
            Some(_) => return Err(OptionsError::RotateCompress),
        };
        let rotation = Self { bytes, age, keep: NonZeroUsize::new(keep), compress };
        if !rotation.is_on() && rotation != Self::default() {
            return Err(OptionsError::Rotate);
        }
        Ok(rotation)
    }

    /// Whether a file is ever put away.
    pub fn is_on(&self) -> bool {
        self.bytes.is_some() || self.age.is_some()
    }
}

/// A number of bytes, with or without a unit of IEC 80000-13 or of the SI.
fn size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let factor: u64 = match unit.trim_start() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// Below it a file would hold little more than its checkpoints.
const MIN_BYTES: u64 = 4096;
