//! `arca policy fmt FILE`

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::error::{Error, Result, os_message};
use crate::files;
use crate::input;
use crate::output::Output;

/// Writes a policy file in its canonical form, in place. No server is asked.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The file, or - to read standard input and write standard output
    file: String,
}

impl Args {
    /// Formats.
    pub(crate) fn run(self, output: &mut Output) -> Result<()> {
        if self.file == "-" {
            let formatted = formatted(&input::piped()?, "standard input")?;
            return output.verbatim(&formatted);
        }
        let path = Path::new(self.file.trim());
        let text = input::file(path)?;
        let formatted = formatted(&text, &self.file)?;
        if formatted != *text {
            let mode = fs::metadata(path).map(|data| data.permissions().mode() & 0o777);
            let written = mode.and_then(|mode| files::replace(path, formatted.as_bytes(), mode));
            written.map_err(|error| {
                Error::local(format!("Error writing {}: {}", path.display(), os_message(&error)))
                    .advise("Check who may write the file and its folder.")
            })?;
        }
        output.success(&format!("Success! Formatted policy: {}", self.file))
    }
}

fn formatted(text: &str, origin: &str) -> Result<String> {
    arca::hcl::format(text.as_bytes()).map_err(|error| {
        Error::local(format!("Error formatting {origin}: {error}"))
            .advise("Correct the file at this line and column; it was left as it is.")
    })
}
