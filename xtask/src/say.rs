//! What the person at the terminal reads. The only place that prints.

use std::io::{Write, stderr, stdout};

use crate::failure::Failure;

/// The beginning of a part.
pub(crate) fn part(text: &str) {
    line(&format!("\n=== {text}"));
}

/// A step that was done.
pub(crate) fn done(text: &str) {
    line(&format!("  * {text}"));
}

/// More about the step before: one line or several.
pub(crate) fn detail(text: &str) {
    for one in text.trim_end().lines() {
        line(&format!("      {one}"));
    }
}

/// A line as it is.
pub(crate) fn line(text: &str) {
    let mut out = stdout().lock();
    // A reader that has gone away is no reason to leave things half done.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Why nothing further is done.
pub(crate) fn failure(failure: &Failure) {
    let _ = writeln!(stderr(), "\nFAILED: {}\n\n{}", failure.what, failure.advice);
}
