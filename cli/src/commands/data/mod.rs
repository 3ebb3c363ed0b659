//! Commands that work on any path: read, write, patch, delete, list, scan, unwrap, path-help.

pub(super) mod delete;
pub(super) mod list;
pub(super) mod patch;
pub(super) mod path_help;
pub(super) mod read;
pub(super) mod scan;
pub(super) mod unwrap;
pub(super) mod write;

use crate::client::Secret;
use crate::error::Result;
use crate::output::Output;

/// Shows what a write answered; where that is nothing, says that it is done.
pub(super) fn written(output: &mut Output, answer: Option<Secret>, field: Option<&str>, path: &str) -> Result<()> {
    let done = format!("Success! Data written to: {path}");
    match answer {
        Some(secret) if !secret.is_empty() => output.show(secret, field),
        Some(secret) => {
            output.success(&done)?;
            if output.format().is_for_people() || !secret.warnings.is_empty() {
                output.show(secret, None)
            } else {
                Ok(())
            }
        }
        None => output.success(&done),
    }
}
