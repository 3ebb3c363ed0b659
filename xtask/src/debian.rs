//! What is needed of the machine, and where Debian has it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::failure::Failure;
use crate::postgres;
use crate::program::{Program, find};
use crate::say;

/// Something that a machine may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A compiler for C, for the cryptography that is written in it.
    Compiler,
    /// A compiler for C++, for libFuzzer.
    CompilerPlus,
    /// A PostgreSQL server, which need not run.
    Postgres,
    /// Python with virtual environments.
    Python,
    /// Node.js with npm, for its clients.
    Node,
    /// rsyslog with TLS, which need not run.
    Rsyslog,
    /// `openssl`, with which the conformance suite takes certificates apart.
    Openssl,
    /// `prometheus` and `promtool`, neither as a service.
    Prometheus,
    /// `systemd-analyze`, which reads the unit file; nothing is started with it.
    Systemd,
    /// `valgrind`, which counts instructions.
    Valgrind,
    /// `curl`, which reads the metrics as a scraper does.
    Curl,
}

impl Need {
    fn is_met(self) -> bool {
        match self {
            Self::Compiler => find("cc").is_some(),
            Self::CompilerPlus => find("c++").is_some(),
            Self::Postgres => postgres::programs().is_some(),
            Self::Python => Program::new("python3").args(["-c", "import ensurepip, venv"]).capture().is_ok(),
            Self::Node => find("node").is_some() && find("npm").is_some(),
            Self::Rsyslog => Path::new("/usr/sbin/rsyslogd").exists() && has_rsyslog_tls(),
            Self::Openssl => find("openssl").is_some(),
            Self::Prometheus => find("prometheus").is_some() && find("promtool").is_some(),
            Self::Systemd => find("systemd-analyze").is_some(),
            Self::Valgrind => find("valgrind").is_some(),
            Self::Curl => find("curl").is_some(),
        }
    }

    fn package(self) -> &'static str {
        match self {
            Self::Compiler => "gcc libc6-dev",
            Self::CompilerPlus => "g++",
            Self::Postgres => "postgresql",
            Self::Python => "python3-venv",
            Self::Node => "nodejs npm",
            Self::Rsyslog => "rsyslog rsyslog-gnutls",
            Self::Openssl => "openssl",
            Self::Prometheus => "prometheus",
            Self::Systemd => "systemd",
            Self::Valgrind => "valgrind",
            Self::Curl => "curl",
        }
    }
}

/// Sees to it that all of this is there: installs it as root, and says exactly what to install otherwise.
pub(crate) fn provide(needs: &[Need]) -> Result<(), Failure> {
    let missing: Vec<Need> = needs.iter().copied().filter(|need| !need.is_met()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.iter().map(|need| need.package()).collect::<Vec<_>>().join(" ");
    let by_hand = format!("Run this as root, then try again:\n\n    apt-get update && apt-get install -y {packages}");
    if !is_root() || find("apt-get").is_none() {
        return Err(Failure::new(format!("This machine lacks: {packages}"), by_hand));
    }
    say::done(&format!("installing {packages}"));
    let apt = || Program::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").advise(by_hand.clone());
    apt().words("update -qq").show()?;
    apt().words("install -y -qq --no-install-recommends").words(&packages).show()?;
    if missing.contains(&Need::Prometheus) {
        // Debian starts it where there is an init system; nothing here asked for a service.
        let _ = Program::new("service").words("prometheus stop").end();
        let _ = Program::new("systemctl").words("disable prometheus").end();
    }
    match missing.iter().find(|need| !need.is_met()) {
        None => Ok(()),
        Some(need) => {
            let what = format!("{} is installed, but what it should bring is not there", need.package());
            Err(Failure::new(what, "Check the PATH, and that the package is Debian's own."))
        }
    }
}

/// Whether rsyslog has the module that its TLS is in.
fn has_rsyslog_tls() -> bool {
    let folders = ["/usr/lib/rsyslog", "/usr/lib/x86_64-linux-gnu/rsyslog", "/usr/lib/aarch64-linux-gnu/rsyslog"];
    folders.iter().any(|folder| Path::new(folder).join("lmnsd_gtls.so").exists())
}

/// Whether this process is root's.
pub(crate) fn is_root() -> bool {
    Path::new("/proc/self").metadata().is_ok_and(|own| own.uid() == 0)
}
