//! All figures of all runs, for other programs.

use serde_json::{Value, json};

use crate::bench::growth::Size;
use crate::bench::measure::Sample;
use crate::bench::stress::{Overloaded, Revoked};

use super::Results;

impl Results {
    /// All figures of all runs.
    pub(in crate::bench) fn json(&self) -> String {
        let samples =
            self.workloads.iter().flat_map(|one| one.samples.iter().map(|sample| of_sample(&one.name, sample)));
        let idle = self.idle.iter().map(|(kind, bytes)| json!({"server": kind.name(), "resident_bytes": bytes}));
        let all = json!({
            "runs": samples.collect::<Vec<_>>(),
            "idle": idle.collect::<Vec<_>>(),
            "past_saturation": self.overloaded.iter().map(of_overloaded).collect::<Vec<_>>(),
            "revoke_prefix": self.revoked.iter().map(of_revoked).collect::<Vec<_>>(),
            "growth": self.sizes.iter().map(of_size).collect::<Vec<_>>(),
        });
        format!("{all:#}\n")
    }
}

fn of_sample(workload: &str, sample: &Sample) -> Value {
    json!({
        "workload": workload, "server": sample.kind.name(), "round": sample.round, "rate": sample.rate,
        "p50_us": sample.p50, "p99_us": sample.p99, "p999_us": sample.p999, "cpu_seconds_per_10000": sample.cpu,
        "load_cpu_seconds_per_10000": sample.load_cpu, "load_share": sample.load_share,
        "resident_bytes": sample.resident, "refused": sample.bad,
    })
}

fn of_overloaded(one: &Overloaded) -> Value {
    json!({
        "workload": one.name, "server": one.kind.name(), "round": one.round, "fits": one.fits,
        "offered_times": one.share, "rate": one.rate, "p50_us": one.p50, "p99_us": one.p99, "refused": one.refused,
        "failed": one.failed, "unsent": one.unsent, "load_share": one.load_share,
    })
}

fn of_revoked(one: &Revoked) -> Value {
    json!({
        "server": one.kind.name(), "count": one.count, "seconds": one.seconds, "rate": one.rate(),
        "cpu_us_each": one.cpu_each,
    })
}

fn of_size(size: &Size) -> Value {
    json!({
        "what": size.growing.name(), "count": size.count, "server": size.kind.name(), "start_ms": size.start,
        "resident_bytes": size.resident, "resident_bytes_after_reads": size.resident_loaded, "disk_bytes": size.disk,
        "made_per_second": size.write_rate, "read_cpu_us": size.read_cpu,
    })
}
