//! What processes use of the processor: fields 14 and 15 of `/proc/<pid>/stat` (proc(5)), which count hundredths of a
//! second on every architecture that Rust's standard library knows.

use std::fs::read_to_string;

/// Time of the processor, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    /// This program's.
    pub(crate) own: f64,
    /// The server's, if it is a process here.
    pub(crate) server: Option<f64>,
}

impl Spent {
    /// What was used until now, by this program and by the process `server`.
    pub(crate) fn until_now(server: Option<u32>) -> Self {
        let server = server.and_then(|id| seconds_of(&format!("/proc/{id}/stat")));
        Self { own: seconds_of("/proc/self/stat").unwrap_or_default(), server }
    }

    /// What was used since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        let server = self.server.zip(earlier.server).map(|(now, then)| now - then);
        Self { own: self.own - earlier.own, server }
    }
}

fn seconds_of(stat: &str) -> Option<f64> {
    let stat = read_to_string(stat).ok()?;
    // The second field is the program's name in parentheses, which may have blanks.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: u32 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    Some(f64::from(ticks) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_the_processor_only_grows() {
        let before = Spent::until_now(Some(std::process::id()));
        let used = Spent::until_now(Some(std::process::id())).since(before);
        assert!(used.own >= 0.0 && used.server.is_some_and(|server| server >= 0.0));
        assert!(Spent::until_now(Some(u32::MAX)).server.is_none());
    }
}
