//! The files of `/proc`, read; see proc(5).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

/// A processor.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names of the wire format")]
pub(crate) struct Cpu {
    cpu: u64,
    vendor_id: String,
    family: String,
    model: String,
    model_name: String,
    mhz: f64,
    /// In kilobytes.
    cache_size: u64,
    flags: Vec<String>,
}

/// What a processor did, in seconds.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct CpuTimes {
    cpu: String,
    user: f64,
    nice: f64,
    system: f64,
    idle: f64,
    iowait: f64,
    irq: f64,
    softirq: f64,
    steal: f64,
}

/// What is mounted.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Disk {
    path: String,
    fstype: String,
}

/// The machine.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Host {
    pub(super) hostname: String,
    /// In seconds.
    pub(super) uptime: u64,
    /// Seconds since 1970.
    pub(super) boot_time: u64,
    pub(super) os: &'static str,
    pub(super) platform: String,
    pub(super) kernel_version: String,
    pub(super) kernel_arch: &'static str,
}

/// Memory, in bytes.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Memory {
    total: u64,
    available: u64,
    used: u64,
    used_percent: f64,
    free: u64,
    buffers: u64,
    cached: u64,
    swap_total: u64,
    swap_free: u64,
}

/// `/proc/cpuinfo`: a paragraph for each processor.
pub(super) fn cpus(text: &str) -> Vec<Cpu> {
    let paragraphs = text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty());
    let cpus = paragraphs.map(|paragraph| {
        let fields: BTreeMap<&str, &str> = paragraph
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(key, value)| (key.trim(), value.trim()))
            .collect();
        let text = |key: &str| fields.get(key).copied().unwrap_or_default();
        let number = |key: &str| text(key).split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0);
        Cpu {
            cpu: number("processor"),
            vendor_id: text("vendor_id").to_owned(),
            family: text("cpu family").to_owned(),
            model: text("model").to_owned(),
            model_name: text("model name").to_owned(),
            mhz: text("cpu MHz").parse().unwrap_or(0.0),
            cache_size: number("cache size"),
            flags: text("flags").split_whitespace().map(str::to_owned).collect(),
        }
    });
    cpus.collect()
}

/// `/proc/stat`: the lines `cpu0`, `cpu1`, ….
pub(super) fn cpu_times(text: &str) -> Vec<CpuTimes> {
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let cpu = words.next().filter(|name| name.strip_prefix("cpu").is_some_and(|number| !number.is_empty()))?;
        // In hundredths (`USER_HZ`).
        let mut next = || words.next().and_then(|word| word.parse::<f64>().ok()).unwrap_or(0.0) / 100.0;
        Some(CpuTimes {
            cpu: cpu.to_owned(),
            user: next(),
            nice: next(),
            system: next(),
            idle: next(),
            iowait: next(),
            irq: next(),
            softirq: next(),
            steal: next(),
        })
    });
    lines.collect()
}

/// `/proc/stat`: when the machine was started, in seconds since 1970.
pub(super) fn started(text: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix("btime "));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

/// `/proc/uptime`: whole seconds since then.
pub(super) fn uptime(text: &str) -> u64 {
    text.split('.').next().and_then(|seconds| seconds.trim().parse().ok()).unwrap_or(0)
}

/// `/proc/mounts`, without what is no disk.
pub(super) fn disks(text: &str) -> Vec<Disk> {
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (device, path, fstype) = (words.next()?, words.next()?, words.next()?);
        device.starts_with('/').then(|| Disk { path: path.to_owned(), fstype: fstype.to_owned() })
    });
    lines.collect()
}

/// `/etc/os-release`: the `ID`.
pub(super) fn platform(text: &str) -> String {
    let id = text.lines().find_map(|line| line.strip_prefix("ID="));
    id.map_or("", |id| id.trim_matches('"')).to_owned()
}

/// `/proc/meminfo`, whose numbers are in kilobytes.
pub(super) fn memory(text: &str) -> Memory {
    let bytes = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        let number: u64 = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0);
        number.saturating_mul(1024)
    };
    let (total, available) = (bytes("MemTotal"), bytes("MemAvailable"));
    let used = total.saturating_sub(available);
    Memory {
        total,
        available,
        used,
        used_percent: percent(used, total),
        free: bytes("MemFree"),
        buffers: bytes("Buffers"),
        cached: bytes("Cached"),
        swap_total: bytes("SwapTotal"),
        swap_free: bytes("SwapFree"),
    }
}

/// Hundredths, to two places.
fn percent(part: u64, whole: u64) -> f64 {
    let share = u128::from(part) * 10_000 / u128::from(whole.max(1));
    u32::try_from(share).map_or(0.0, |share| f64::from(share) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_as_linux_writes_them() {
        let cpus = cpus(
            "processor\t: 0\nvendor_id\t: X\ncpu MHz\t\t: 2445.5\ncache size\t: 512 KB\nflags\t\t: a b\n\nprocessor\t: 1\n\n",
        );
        assert_eq!(cpus.len(), 2);
        assert_eq!((cpus[0].mhz, cpus[0].cache_size, cpus[0].flags.len(), cpus[1].cpu), (2445.5, 512, 2, 1));
        let stat = "cpu  1 2 3\ncpu0 10 20 30 40 5 6 7 8 0 0\nintr 1\nbtime 1795316338\n";
        assert_eq!((cpu_times(stat).len(), started(stat)), (1, 1_795_316_338));
        assert!((cpu_times(stat)[0].idle - 0.4).abs() < 1e-9);
        let memory = memory("MemTotal:  1000 kB\nMemFree: 100 kB\nMemAvailable: 750 kB\n");
        assert_eq!((memory.total, memory.used, memory.used_percent), (1_024_000, 256_000, 25.0));
        assert_eq!(uptime("6825.11 1.0\n"), 6825);
        assert_eq!(platform("NAME=x\nID=debian\n"), "debian");
        let disks = disks("proc /proc proc rw 0 0\n/dev/vda / ext4 rw 0 0\n");
        assert_eq!(disks, [Disk { path: "/".to_owned(), fstype: "ext4".to_owned() }]);
    }

    #[test]
    fn garbage_is_nothing() {
        for text in ["", "\n", ":::", "cpu0", "btime x", "MemTotal: x", "a b", "\u{0}\u{1}"] {
            assert!(cpus(text).len() <= 1 && disks(text).is_empty());
            assert_eq!((started(text), uptime(text), memory(text).total), (0, 0, 0), "{text}");
        }
    }
}
