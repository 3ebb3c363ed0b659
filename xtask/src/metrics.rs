//! What `deploy/` has for Prometheus and Grafana, against a real Prometheus that reads a real server: the alerts do what
//! they should, the example of a scrape works as it stands, and every name that is used is there.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::certificates::Certificates;
use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::person::{self, Person, text_at};
use crate::port;
use crate::program::Program;
use crate::running::Running;
use crate::say;
use crate::server::{Launch, Server, quoted};
use crate::workspace::{self, Profile};

/// What the names begin with that are looked for.
const PREFIXES: [&str; 3] = ["vault_", "arca_", "process_"];
/// How long Prometheus may take to read the server, which it does every second here.
const READ_WITHIN: Duration = Duration::from_secs(30);
/// What `promtool check metrics` ends with when it would have chosen another name.
const ONLY_STYLE: i32 = 3;

/// Checks the files, then starts both and compares.
pub(crate) fn run() -> Result<(), Failure> {
    let deploy = workspace::root().join("deploy");
    let rules = deploy.join("prometheus");
    promtool("check rules").arg(rules.join("alerts.yml")).capture()?;
    promtool("test rules").arg(rules.join("alerts_test.yml")).folder(&rules).capture()?;
    let folder = Folder::new("arca-metrics")?;
    let site = Site::start(&folder)?;
    let prometheus = Prometheus::start(&folder, &rules, &site)?;
    let checked = promtool("check metrics").input(site.scrape()?).end()?;
    if ![0, ONLY_STYLE].contains(&checked.code) {
        return Err(Failure::new(format!("promtool cannot read the metrics:\n{}", checked.err), "Mend src/metrics/."));
    }
    let known = prometheus.names()?;
    let mut used = names_in_dashboard(&deploy.join("grafana/arca.json"))?;
    used.extend(prometheus.names_in_rules()?);
    let missing: Vec<&String> = used.difference(&known).collect();
    if !missing.is_empty() {
        let what = format!("the dashboard and the alerts use names that no server has: {missing:?}");
        return Err(Failure::new(
            what,
            "Correct them in deploy/, or the metric in src/metrics/ and src/vault/metering.rs.",
        ));
    }
    say::done(&format!("{} names of {} are used, and all are there", used.len(), known.len()));
    Ok(())
}

fn promtool(words: &str) -> Program {
    Program::new("promtool").words(words).advise("Correct what it names.")
}

/// A server that has something to count.
struct Site {
    certificates: Certificates,
    root: String,
    /// The token that may read the metrics.
    token: PathBuf,
    port: u16,
    _server: Server,
}

impl Site {
    fn start(folder: &Folder) -> Result<Self, Failure> {
        let binaries = workspace::build(Profile::Debug)?;
        let certificates = Certificates::make(&binaries.arca, folder.private("tls")?, ["operator", "prometheus"])?;
        let launch = launch(&binaries.arcad, folder, &certificates)?;
        let server = launch.start()?;
        let (port, home) = (launch.port, folder.private("home")?);
        let operator = Person::new(binaries.arca, home, format!("https://127.0.0.1:{port}"), &certificates, "operator");
        let made = person::json(operator.arca("operator init -key-shares=1 -key-threshold=1"))?;
        operator.arca("operator unseal -").input(text_at(&made, "/unseal_keys_b64/0")?).capture()?;
        let root = text_at(&made, "/root_token")?;
        let arca = |words: &str| operator.arca(words).env("ARCA_TOKEN", &root);
        arca("policy write metrics -").input("path \"sys/metrics\" {\n  capabilities = [\"read\"]\n}\n").capture()?;
        let token = folder.path().join("token");
        let words = "token create -policy=metrics -no-default-policy -orphan -period=768h -field=token";
        folder::write(&token, arca(words).capture()?.trim())?;
        arca("secrets enable -path=kv kv").capture()?;
        arca("kv put kv/one a=b").capture()?;
        arca("read kv/one").capture()?;
        // The server's own first check comes an hour after it was unsealed.
        arca("operator check").capture()?;
        Ok(Self { certificates, root, token, port, _server: server })
    }

    /// The text form, as Prometheus asks for it.
    fn scrape(&self) -> Result<String, Failure> {
        let client = self.certificates.client("prometheus");
        Program::new("curl")
            .words("--silent --show-error --fail --cacert")
            .arg(self.certificates.authority())
            .arg("--cert")
            .arg(client.certificate)
            .arg("--key")
            .arg(client.key)
            .arg("--header")
            .arg(format!("X-Vault-Token: {}", self.root))
            .arg(format!("https://127.0.0.1:{}/v1/sys/metrics?format=prometheus", self.port))
            .capture()
    }
}

fn launch(arcad: &Path, folder: &Folder, certificates: &Certificates) -> Result<Launch, Failure> {
    let (port, server, nobody) = (port::free()?, certificates.server(), port::free()?);
    let text = format!(
        "storage \"redb\" {{\n  path = {}\n}}\n\
         listener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  tls_cert_file = {}\n  tls_key_file = {}\n  \
         tls_client_ca_file = {}\n}}\n\
         audit \"file\" \"main\" {{\n  options {{\n    file_path = {}\n  }}\n}}\n\
         audit \"socket\" \"siem\" {{\n  options {{\n    address = \"127.0.0.1:{nobody}\"\n  }}\n}}\n\
         telemetry {{\n  prometheus_retention_time = \"24h\"\n}}\n",
        quoted(&folder.path().join("store")),
        quoted(&server.certificate),
        quoted(&server.key),
        quoted(&certificates.authority()),
        quoted(&folder.path().join("audit.log")),
    );
    let config = folder.path().join("arca.hcl");
    folder::write(&config, text)?;
    let launch = Launch { arcad: arcad.to_owned(), config, log: folder.path().join("arcad.log"), port };
    launch.check()?;
    Ok(launch)
}

/// A Prometheus that reads the server, with the example of its configuration.
struct Prometheus {
    port: u16,
    _running: Running,
}

impl Prometheus {
    fn start(folder: &Folder, rules: &Path, site: &Site) -> Result<Self, Failure> {
        let example = folder::read_text(&rules.join("prometheus.yml"))?;
        let client = site.certificates.client("prometheus");
        let mut text = example;
        for (of_example, here) in [
            ("/etc/prometheus/arca/token", site.token.display().to_string()),
            ("/etc/prometheus/arca/ca.pem", site.certificates.authority().display().to_string()),
            ("/etc/prometheus/arca/client.pem", client.certificate.display().to_string()),
            ("/etc/prometheus/arca/client-key.pem", client.key.display().to_string()),
            ("arca.example.com:8200", format!("127.0.0.1:{}", site.port)),
            ("scrape_interval: 15s", "scrape_interval: 1s".to_owned()),
        ] {
            if !text.contains(of_example) {
                return Err(Failure::new(format!("the example has no {of_example}"), "See deploy/prometheus/."));
            }
            text = text.replace(of_example, &here);
        }
        let config = folder.path().join("prometheus.yml");
        folder::write(&config, text)?;
        let alerts = rules.join("alerts.yml");
        fs::copy(&alerts, folder.path().join("alerts.yml")).map_err(|error| Failure::file(&alerts, &error))?;
        promtool("check config").arg(&config).capture()?;
        let port = port::free()?;
        let mut running = Program::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("tsdb").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .start(&folder.path().join("prometheus.log"))?;
        let is_read = || {
            let Ok(answer) = ask(port, "/api/v1/query?query=up%7Bjob%3D%22arca%22%7D%20%3D%3D%201") else {
                return Ok(false);
            };
            let is_up = answer.pointer("/data/result/0").is_some();
            // What is counted in the background is there a moment later.
            Ok(is_up && names(port)?.contains("vault_secret_kv_count"))
        };
        running.until(READ_WITHIN, is_read)?;
        Ok(Self { port, _running: running })
    }

    fn names(&self) -> Result<BTreeSet<String>, Failure> {
        names(self.port)
    }

    /// The names in the alerts, as Prometheus has read them.
    fn names_in_rules(&self) -> Result<BTreeSet<String>, Failure> {
        let rules = ask(self.port, "/api/v1/rules")?;
        let groups = rules.pointer("/data/groups").and_then(Value::as_array).cloned().unwrap_or_default();
        let rules = groups.iter().filter_map(|group| group.get("rules")?.as_array()).flatten();
        let found: BTreeSet<String> =
            rules.filter_map(|rule| rule.get("query")?.as_str()).flat_map(names_in_query).collect();
        if found.is_empty() { Err(Failure::answer("Prometheus has read no rules")) } else { Ok(found) }
    }
}

fn names(port: u16) -> Result<BTreeSet<String>, Failure> {
    let answer = ask(port, "/api/v1/label/__name__/values")?;
    let names = answer.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// The names in the queries of a dashboard, each of which must have some.
fn names_in_dashboard(file: &Path) -> Result<BTreeSet<String>, Failure> {
    let wrong = |what: &str| Failure::new(format!("{}: {what}", file.display()), "Export it again from Grafana.");
    let dashboard: Value =
        serde_json::from_str(&folder::read_text(file)?).map_err(|error| wrong(&error.to_string()))?;
    let panels = dashboard.get("panels").and_then(Value::as_array).ok_or_else(|| wrong("it has no panels"))?;
    let mut found = BTreeSet::new();
    for target in panels.iter().filter_map(|panel| panel.get("targets")?.as_array()).flatten() {
        let query = target.get("expr").and_then(Value::as_str).ok_or_else(|| wrong("a panel has no query"))?;
        let names = names_in_query(query);
        if names.is_empty() {
            return Err(wrong(&format!("a query is about nothing: {query}")));
        }
        found.extend(names);
    }
    if found.is_empty() { Err(wrong("it has no queries")) } else { Ok(found) }
}

/// The names of metrics in a query.
fn names_in_query(query: &str) -> Vec<String> {
    let words = query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    words.filter(|word| PREFIXES.iter().any(|prefix| word.starts_with(prefix))).map(str::to_owned).collect()
}

/// What Prometheus answers, over plain HTTP on this machine.
fn ask(port: u16, path: &str) -> Result<Value, Failure> {
    let failed = |error: std::io::Error| Failure::answer(format!("Prometheus does not answer: {error}"));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(failed)?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).map_err(failed)?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or_else(|| Failure::answer("Prometheus answered no HTTP"))?;
    serde_json::from_str(body).map_err(|error| Failure::answer(format!("Prometheus answered no JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_queries() {
        let query =
            "histogram_quantile(0.9, sum by (le) (rate(arca_a_bucket{job=\"arca\"}[5m]))) / vault_b > process_c";
        assert_eq!(names_in_query(query), ["arca_a_bucket", "vault_b", "process_c"]);
        assert!(names_in_query("up{job=\"arca\"} == 0").is_empty());
    }

    #[test]
    fn the_dashboard_has_queries() {
        let names = names_in_dashboard(&workspace::root().join("deploy/grafana/arca.json")).unwrap();
        assert!(names.len() > 30 && names.contains("vault_core_unsealed"), "{names:?}");
    }
}
