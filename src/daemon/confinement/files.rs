//! Landlock (landlock(7)): the process reaches the files that its configuration names, and those of the system that it
//! cannot do without. It executes none, and binds the ports of its listeners only.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, NetPort, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope, make_bitflags, path_beneath_rules,
};

use crate::api::Held;
use crate::config::{ClientAuth, Config, Storage};

/// What of the system is read: how names are resolved, whom TLS trusts, how many processors there are.
const SYSTEM: &[&str] = &[
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/NetworkManager",
    "/run/nscd",
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls",
    "/etc/pki/ca-trust",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/etc/ld.so.cache",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/proc",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
    "/dev/urandom",
];
/// Where the authorities are if the environment says so, as everything that loads them understands it.
const AUTHORITIES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];
/// Where audit devices that are made through the API may write without the configuration naming a folder.
const LOGS: &str = "/var/log";

/// What the process reaches.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// Files and folders that are read.
    read: BTreeSet<PathBuf>,
    /// Folders in which everything but executing is done, and devices that are written to.
    write: BTreeSet<PathBuf>,
    /// Folders in which files are removed.
    remove: BTreeSet<PathBuf>,
    /// Ports that are listened on.
    ports: BTreeSet<u16>,
}

impl Reach {
    /// What serving by `config` needs, and the folder `also` to write to.
    pub(super) fn of(config: &Config, also: Option<&Path>) -> Self {
        let mut reach = Self::default();
        reach.read.extend(SYSTEM.iter().map(PathBuf::from));
        for variable in AUTHORITIES {
            let named = std::env::var_os(variable).unwrap_or_default();
            reach.read.extend(std::env::split_paths(&named).filter(|path| path.is_absolute()));
        }
        reach.write.insert("/dev/null".into());
        reach.write.extend(also.map(Path::to_owned));
        reach.add_listeners(config);
        match &config.storage {
            Storage::Memory => {}
            Storage::Redb(path) | Storage::Sled(path) => drop(reach.write.insert(path.clone())),
        }
        reach.add_audit(config);
        if let Some(file) = config.telemetry.otlp.as_ref().and_then(|otlp| otlp.ca_file.as_ref()) {
            reach.add_read(file);
        }
        if let Some(file) = &config.checkpoint_file {
            reach.add_read(file);
        }
        reach.remove.extend(config.pid_file.as_deref().map(folder));
        reach.read.extend(config.sandbox.readable_paths.iter().cloned());
        reach.write.extend(config.sandbox.writable_paths.iter().cloned());
        reach
    }

    /// Confines the process to it, as far as the kernel can.
    pub(super) fn enforce(&self) -> Result<Held, RulesetError> {
        // A rule is about what is there: what the server would make is made now.
        for path in &self.write {
            let _ = DirBuilder::new().recursive(true).mode(0o700).create(path);
        }
        let read = make_bitflags!(AccessFs::{ReadFile | ReadDir});
        let changes = make_bitflags!(AccessFs::{
            WriteFile | Truncate | MakeReg | MakeDir | RemoveFile | RemoveDir | Refer
        });
        let mut ruleset = Ruleset::default()
            .handle_access(AccessFs::from_all(ABI::V5))?
            .handle_access(AccessNet::BindTcp)?
            .scope(Scope::Signal)?
            .create()?
            .add_rules(path_beneath_rules(&self.read, read))?
            .add_rules(path_beneath_rules(&self.write, read | changes))?
            .add_rules(path_beneath_rules(&self.remove, BitFlags::from(AccessFs::RemoveFile)))?;
        for port in &self.ports {
            ruleset = ruleset.add_rule(NetPort::new(*port, AccessNet::BindTcp))?;
        }
        Ok(match ruleset.restrict_self()?.ruleset {
            RulesetStatus::FullyEnforced => Held::On,
            RulesetStatus::PartiallyEnforced => Held::Partial,
            RulesetStatus::NotEnforced => {
                tracing::warn!(
                    "the server could not be confined to its files: the kernel has no Landlock, or not enabled"
                );
                Held::Unavailable
            }
        })
    }

    /// The ports, and the files that are read again when certificates are renewed.
    fn add_listeners(&mut self, config: &Config) {
        for listener in &config.listeners {
            self.ports.insert(listener.address.port());
            let Some(tls) = &listener.tls else { continue };
            self.add_read(&tls.cert_file);
            self.add_read(&tls.key_file);
            match &tls.client_auth {
                ClientAuth::Required(file) | ClientAuth::Optional(Some(file)) => self.add_read(file),
                ClientAuth::Optional(None) | ClientAuth::Off => {}
            }
            if let Some(file) = &tls.client_crl_file {
                self.add_read(file);
            }
        }
    }

    fn add_audit(&mut self, config: &Config) {
        for device in &config.audit {
            for (name, value) in &device.options {
                match name.as_str() {
                    "file_path" | "path" => self.add_written(Path::new(value)),
                    "spool_path" => drop(self.write.insert(value.into())),
                    name if name.ends_with("_file") => self.add_read(Path::new(value)),
                    _ => {}
                }
            }
        }
        if config.unsafe_allow_api_audit_creation {
            self.write.extend([LOGS.into(), std::env::temp_dir()]);
        }
    }

    /// A file whose content may be another file tomorrow: its folder is read, and the folder that it is linked from.
    fn add_read(&mut self, file: &Path) {
        self.read.insert(folder(file));
        self.read.extend(fs::canonicalize(file).ok().as_deref().map(folder));
    }

    /// A file that is made anew and put away: its folder is written to. A device or a pipe is itself.
    fn add_written(&mut self, file: &Path) {
        if ["stdout", "discard"].iter().any(|word| file == Path::new(word)) {
            return;
        }
        let is_special = fs::metadata(file).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        self.write.insert(if is_special { file.to_owned() } else { folder(file) });
    }
}

/// The folder that a file is in.
fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::thread;

    use tempfile::TempDir;

    use super::*;

    fn configured(text: &str) -> Config {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("a.hcl");
        fs::write(&file, text).unwrap();
        Config::load(&[file]).unwrap().0
    }

    #[test]
    fn it_reaches_what_the_configuration_names() {
        let config = configured(
            "storage \"redb\" { path = \"/nowhere/store\" }
             pid_file = \"/nowhere/run/arcad.pid\"
             listener \"tcp\" {
               address = \"127.0.0.1:4321\" tls_cert_file = \"/nowhere/tls/a\" tls_key_file = \"/nowhere/keys/a\"
               tls_client_ca_file = \"/nowhere/ca/a\" tls_client_crl_file = \"/nowhere/crl/a\"
             }
             audit \"file\" \"one\" { options { file_path = \"/nowhere/audit/a.log\" } }
             audit \"file\" \"two\" { options { file_path = \"/dev/null\" } }
             audit \"file\" \"three\" { options { file_path = \"stdout\" } }
             sandbox { readable_paths = [\"/nowhere/more\"] writable_paths = \"/nowhere/logs\" }",
        );
        let reach = Reach::of(&config, None);
        let reads = |path: &str| reach.read.contains(Path::new(path));
        assert!(
            ["tls", "keys", "ca", "crl", "more"].iter().all(|name| reads(&format!("/nowhere/{name}"))),
            "{reach:?}"
        );
        let written: Vec<&Path> = reach.write.iter().map(PathBuf::as_path).collect();
        let expected = ["/dev/null", "/nowhere/audit", "/nowhere/logs", "/nowhere/store"];
        assert_eq!(written, expected.map(Path::new));
        assert_eq!(reach.remove, BTreeSet::from(["/nowhere/run".into()]));
        assert_eq!(reach.ports, BTreeSet::from([4321]));
    }

    #[test]
    fn a_certificate_may_be_renewed_behind_a_link() {
        let site = TempDir::new().unwrap();
        let (live, archive) = (site.path().join("live"), site.path().join("archive"));
        fs::create_dir(&live).unwrap();
        fs::create_dir(&archive).unwrap();
        fs::write(archive.join("cert1.pem"), "").unwrap();
        symlink("../archive/cert1.pem", live.join("cert.pem")).unwrap();
        let mut reach = Reach::default();
        reach.add_read(&live.join("cert.pem"));
        assert_eq!(reach.read, BTreeSet::from([live, fs::canonicalize(archive).unwrap()]));
    }

    #[test]
    fn nothing_else_is_reached() {
        let site = TempDir::new().unwrap();
        let base = site.path().to_owned();
        let path = move |name: &str| base.join(name);
        fs::create_dir(path("outside")).unwrap();
        fs::write(path("outside/shadow"), "secret").unwrap();
        fs::write(path("read"), "").unwrap();
        let reach =
            Reach { read: BTreeSet::from([path("read")]), write: BTreeSet::from([path("write")]), ..Reach::default() };
        // Only the thread that asks for it is confined, and those that it starts.
        let confined = thread::spawn(move || {
            let status = reach.enforce().unwrap();
            if status == Held::Unavailable {
                println!("LEFT OUT: this kernel has no Landlock");
                return;
            }
            fs::write(path("write/a"), "a").unwrap();
            fs::rename(path("write/a"), path("write/b")).unwrap();
            fs::remove_file(path("write/b")).unwrap();
            fs::read(path("read")).unwrap();
            for refused in [
                fs::read(path("outside/shadow")).err(),
                fs::write(path("outside/new"), "").err(),
                fs::write(path("read"), "").err(),
                fs::create_dir(path("other")).err(),
                std::net::TcpListener::bind("127.0.0.1:0").err(),
            ] {
                assert_eq!(refused.map(|error| error.kind()), Some(std::io::ErrorKind::PermissionDenied));
            }
            let run = std::process::Command::new("/bin/true").status();
            assert_eq!(run.err().map(|error| error.kind()), Some(std::io::ErrorKind::PermissionDenied));
        });
        confined.join().unwrap();
    }
}
