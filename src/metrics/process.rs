//! `process_*`: what the operating system says of this process, under the names that every exporter has.
//!
//! Read from `/proc` when it is asked for; where there is none, nothing is shown.

use std::fs;

use super::page::{Labels, Page};

/// Ticks in a second in `/proc/<pid>/stat`, on every platform of Linux (`USER_HZ`).
const TICKS: f64 = 100.0;

pub(super) fn show(page: &mut Page) {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    if let Some(times) = Times::read(&read("/proc/self/stat"), &read("/proc/stat")) {
        let Times { cpu, started } = times;
        page.total("process_cpu_seconds_total", "Processor time of this process in seconds", Labels::new(), cpu);
        page.gauge("process_start_time_seconds", "When it was started, in Unix time", Labels::new(), started);
    }
    let status = read("/proc/self/status");
    let sizes = [
        ("process_resident_memory_bytes", "Memory of this process in bytes", kibibytes(&status, "VmRSS:")),
        ("process_virtual_memory_bytes", "Address space of this process in bytes", kibibytes(&status, "VmSize:")),
        ("process_threads", "Threads of this process", number(&status, "Threads:")),
        ("process_max_fds", "File descriptors that it may have", number(&read("/proc/self/limits"), "Max open files")),
        ("process_open_fds", "File descriptors that it has", open_files()),
    ];
    for (name, help, value) in sizes {
        if let Some(value) = value {
            page.gauge(name, help, Labels::new(), value);
        }
    }
}

#[derive(Debug, PartialEq)]
struct Times {
    cpu: f64,
    started: f64,
}

impl Times {
    fn read(own: &str, machine: &str) -> Option<Self> {
        // The name of the program stands in parentheses and may have blanks and parentheses in it.
        let (_, rest) = own.rsplit_once(')')?;
        let field = |index: usize| rest.split_whitespace().nth(index)?.parse::<f64>().ok();
        let (user, system, start) = (field(11)?, field(12)?, field(19)?);
        let boot = number(machine, "btime ")?;
        Some(Self { cpu: (user + system) / TICKS, started: boot + start / TICKS })
    }
}

/// The first number behind `key` at the start of a line.
fn number(text: &str, key: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

fn kibibytes(text: &str, key: &str) -> Option<f64> {
    number(text, key).map(|kibibytes| kibibytes * 1024.0)
}

fn open_files() -> Option<f64> {
    let files = fs::read_dir("/proc/self/fd").ok()?.count();
    // Reading the folder has it open.
    u32::try_from(files).ok().map(|files| f64::from(files.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_does_not_shift_the_fields() {
        let own = "7 (a b) c) S 1 7 7 0 -1 4194304 100 0 0 0 250 150 0 0 20 0 9 0 4200 1000 50";
        let times = Times::read(own, "cpu 1\nbtime 1000\n").unwrap();
        assert_eq!(times, Times { cpu: 4.0, started: 1042.0 });
    }

    #[test]
    fn garbage_is_nothing() {
        for text in ["", "7", "7 (a", "7 (a) S", "7 (a) S x y z"] {
            assert_eq!(Times::read(text, "btime 1"), None, "{text}");
        }
        assert_eq!(number("Threads: many", "Threads:"), None);
        assert_eq!(kibibytes("VmRSS:\t  12 kB\n", "VmRSS:"), Some(12288.0));
        assert_eq!(
            number("Max open files            20000                20000 files", "Max open files"),
            Some(20000.0)
        );
    }
}
