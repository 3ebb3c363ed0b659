//! How a line is written: as it is recorded, or for a system that reads security events.
//!
//! Every format is made out of the recorded line and out of nothing else, so none of them can say what `json` would have
//! hashed. Each has the recorded line in it as a whole, as its last part, so that nothing is lost and the chain's members
//! end the line in every format alike.

mod cef;
mod ecs;
mod ocsf;
mod recorded;

use crate::chain::Framing;
use crate::secret::SecretBytes;

use recorded::Recorded;

/// How the lines of a device are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Vault's own: one JSON object.
    #[default]
    Json,
    /// Elastic Common Schema 8.17: one JSON object.
    Ecs,
    /// ArcSight Common Event Format 0 (revision 27).
    Cef,
    /// Open Cybersecurity Schema Framework 1.4: one JSON object of the class API Activity or Authentication.
    Ocsf,
}

impl Format {
    /// A format by its name in a device's options.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "json" => Some(Self::Json),
            "ecs" => Some(Self::Ecs),
            "cef" => Some(Self::Cef),
            "ocsf" => Some(Self::Ocsf),
            _ => None,
        }
    }

    /// What turns a recorded line into one of this format: both are without the end that the chain gives them. Nothing
    /// for `json`, whose lines are what is recorded.
    pub fn framing(self) -> Option<Framing> {
        match self {
            Self::Json => None,
            Self::Ecs => Some(|line, out| frame(line, out, ecs::write)),
            Self::Cef => Some(|line, out| frame(line, out, cef::write)),
            Self::Ocsf => Some(|line, out| frame(line, out, ocsf::write)),
        }
    }
}

/// Reads a recorded line, an object without its closing brace, and has it written. One that cannot be read, which the
/// recorder does not write, goes out as it is: a line in the wrong format is better than none.
fn frame(line: &[u8], out: &mut Vec<u8>, write: fn(&Recorded<'_>, &[u8], &mut Vec<u8>)) {
    let mut closed = SecretBytes::new(Vec::with_capacity(line.len() + 1));
    closed.extend_from_slice(line);
    closed.push(b'}');
    match serde_json::from_slice::<Recorded<'_>>(&closed) {
        Ok(recorded) => write(&recorded, line, out),
        Err(_) => out.extend_from_slice(line),
    }
}

#[cfg(test)]
mod tests;
