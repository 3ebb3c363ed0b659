//! What is done to a store while no server has it open. The program that knows the stores is `arcad`: this one becomes it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, os_message};

/// The arguments that name the server's configuration files.
pub(super) fn config_arguments(config: &[PathBuf]) -> Vec<OsString> {
    config.iter().flat_map(|file| ["--config".into(), file.clone().into_os_string()]).collect()
}

/// Becomes `arcad` with these arguments: the one beside this program, else the one in the path. Comes back only if there is
/// none.
pub(super) fn become_server(arguments: impl IntoIterator<Item = OsString>) -> Error {
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name("arcad"));
    let program = beside.filter(|program| program.exists()).unwrap_or_else(|| Path::new("arcad").to_owned());
    let error = Command::new(&program).args(arguments).exec();
    Error::local(format!("{} cannot be started: {}", program.display(), os_message(&error)))
        .advise("Run this on the server's machine, where arcad is installed beside arca or in the path.")
}
