//! Whether what the configuration names is there, said before a start and not by it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::config::{ClientAuth, Config};

/// What the server could not read or find of all that `config` names: for each, the key, the path and why.
pub(super) fn of(config: &Config) -> Vec<String> {
    let said = |key: &str, path: &Path, error: &io::Error| format!("{key} \"{}\": {error}", path.display());
    let unread = read(config).into_iter().filter_map(|(key, path)| Some(said(key, path, &readable(path).err()?)));
    // The folder of the log is made, this one is not.
    let nowhere = config.pid_file.as_deref().and_then(|path| {
        let error = fs::read_dir(path.parent().filter(|folder| !folder.as_os_str().is_empty())?).err()?;
        Some(format!("{}, the folder it is to be in", said("pid_file", path, &error)))
    });
    unread.chain(nowhere).collect()
}

/// The files that are read: each with its key.
fn read(config: &Config) -> Vec<(&str, &Path)> {
    let mut found: Vec<(&str, &Path)> = Vec::new();
    for tls in config.listeners.iter().filter_map(|listener| listener.tls.as_ref()) {
        found.push(("tls_cert_file", &tls.cert_file));
        found.push(("tls_key_file", &tls.key_file));
        if let ClientAuth::Required(file) | ClientAuth::Optional(Some(file)) = &tls.client_auth {
            found.push(("tls_client_ca_file", file));
        }
        found.extend(tls.client_crl_file.as_deref().map(|file| ("tls_client_crl_file", file)));
    }
    found.extend(config.checkpoint_file.as_deref().map(|file| ("checkpoint_file", file)));
    let traces = config.telemetry.otlp.as_ref().and_then(|otlp| otlp.ca_file.as_deref());
    found.extend(traces.map(|file| ("otlp_ca_file", file)));
    let options = config.audit.iter().flat_map(|device| &device.options);
    found.extend(
        options.filter(|(name, _)| name.ends_with("_file")).map(|(name, file)| (name.as_str(), Path::new(file))),
    );
    found
}

fn readable(path: &Path) -> io::Result<()> {
    File::open(path)?.read(&mut [0]).map(drop)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn what_is_missing_is_named_by_key_and_path() {
        let home = TempDir::new().unwrap();
        let file = |name: &str| home.path().join(name);
        let text = format!(
            "storage \"inmem\" {{}}\nlog_file = {:?}\npid_file = {:?}\ncheckpoint_file = {:?}\n\
             listener \"tcp\" {{ tls_cert_file = {:?} tls_key_file = {:?} tls_client_ca_file = {:?} \
             tls_client_crl_file = {:?} }}\ntelemetry {{ otlp_endpoint = \"https://a/\" otlp_ca_file = {:?} }}\n\
             audit \"http\" \"siem\" {{ options {{ url = \"https://a/\" ca_file = {:?} }} }}\n",
            file("logs/arcad.log"),
            file("run/arcad.pid"),
            file("checkpoint"),
            file("cert"),
            file("key"),
            file("clients"),
            file("revoked"),
            file("collector"),
            file("siem"),
        );
        fs::write(file("a.hcl"), text).unwrap();
        let (config, _) = Config::load(&[file("a.hcl")]).unwrap();
        // Each that is made takes one away, the last of what is said first.
        let names = ["cert", "key", "clients", "revoked", "checkpoint", "collector", "siem", "run"];
        for (made, name) in names.iter().enumerate() {
            let said = of(&config);
            assert_eq!(said.len(), names.len() - made, "{said:#?}");
            let path: PathBuf = file(name);
            assert!(said[0].contains(path.to_str().unwrap()) && said[0].contains("No such file"), "{said:#?}");
            if *name == "run" { fs::create_dir(path).unwrap() } else { fs::write(path, "x").unwrap() }
        }
        assert_eq!(of(&config), Vec::<String>::new());
        // A folder is no file.
        fs::remove_file(file("key")).unwrap();
        fs::create_dir(file("key")).unwrap();
        assert!(of(&config)[0].starts_with("tls_key_file "));
    }
}
