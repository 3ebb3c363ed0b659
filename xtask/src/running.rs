//! Programs in the background: none of them outlives what started it.

use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use crate::failure::Failure;
use crate::folder;
use crate::wait;

/// A program in the background. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Option<Child>,
    line: String,
    log: PathBuf,
}

impl Running {
    pub(crate) fn new(child: Child, line: String, log: PathBuf) -> Self {
        Self { child: Some(child), line, log }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Waits until `ready`; fails if the program ends before, or if that takes longer than `limit`.
    pub(crate) fn until(
        &mut self,
        limit: Duration,
        mut ready: impl FnMut() -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let late = Failure::new(
            format!("`{}` is not ready after {} seconds", self.line, limit.as_secs()),
            format!("Its log is {}.", self.log.display()),
        );
        wait::until(limit, || if self.has_ended() { Err(self.stopped_by_itself()) } else { ready() }, || late)
    }

    /// Kills it with SIGKILL, as a power cut would end it.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Both fail only if it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Leaves it running at the end.
    pub(crate) fn keep(mut self) {
        self.child = None;
    }

    fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| matches!(child.try_wait(), Ok(Some(_)) | Err(_)))
    }

    fn stopped_by_itself(&self) -> Failure {
        let log = folder::read_text(&self.log).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(12).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        Failure::new(
            format!("`{}` stopped by itself. Its last lines:\n{}", self.line, last.join("\n")),
            "Correct what they name, and run this again.",
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::folder::Folder;
    use crate::program::Program;

    #[test]
    fn nothing_outlives_its_guard() {
        let folder = Folder::new("arca-xtask-running-test").unwrap();
        let running = Program::new("sleep").arg("600").start(&folder.path().join("log")).unwrap();
        let process = format!("/proc/{}", running.id());
        assert!(Path::new(&process).exists());
        drop(running);
        assert!(!Path::new(&process).exists());
    }

    #[test]
    fn a_program_that_ends_too_early_is_told_with_its_last_words() {
        let folder = Folder::new("arca-xtask-early-test").unwrap();
        let mut early = Program::new("sh").args(["-c", "echo it broke"]).start(&folder.path().join("log")).unwrap();
        let failure = early.until(Duration::from_secs(20), || Ok(false)).unwrap_err();
        assert!(failure.what.ends_with("stopped by itself. Its last lines:\nit broke"), "{}", failure.what);
    }
}
