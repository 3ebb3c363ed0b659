//! `GET /v1/sys/host-info`: the machine that this node runs on, as Linux tells it in `/proc`.

mod proc;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::time::Timestamp;
use crate::vault::Unsealed;

use proc::{Cpu, CpuTimes, Disk, Host, Memory};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadHostInfo {}

/// The machine.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HostInfo {
    timestamp: Timestamp,
    /// Each processor.
    cpu: Vec<Cpu>,
    /// What each processor did since the machine was started.
    cpu_times: Vec<CpuTimes>,
    /// What is mounted where; how full it is is not told.
    disk: Vec<Disk>,
    host: Host,
    memory: Memory,
}

impl Endpoint for ReadHostInfo {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<HostInfo>;
    const ROUTE: Route = Route::read("host-info").summary("The machine that this node runs on");

    async fn handle(self, _: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let stat = read("/proc/stat").await;
        let (uptime, started) = (read("/proc/uptime").await, proc::started(&stat));
        Ok(Data::new(HostInfo {
            timestamp: cx.now(),
            cpu: proc::cpus(&read("/proc/cpuinfo").await),
            cpu_times: proc::cpu_times(&stat),
            disk: proc::disks(&read("/proc/mounts").await),
            host: Host {
                hostname: read("/proc/sys/kernel/hostname").await.trim().to_owned(),
                uptime: proc::uptime(&uptime),
                boot_time: started,
                os: std::env::consts::OS,
                platform: proc::platform(&read("/etc/os-release").await),
                kernel_version: read("/proc/sys/kernel/osrelease").await.trim().to_owned(),
                kernel_arch: std::env::consts::ARCH,
            },
            memory: proc::memory(&read("/proc/meminfo").await),
        }))
    }
}

/// What a file of the system says; nothing where there is no such file.
async fn read(path: &str) -> String {
    tokio::fs::read_to_string(path).await.unwrap_or_default()
}
