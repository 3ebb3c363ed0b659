//! Every decoder of what comes from outside has a fuzz target.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::targets;
use crate::folder;
use crate::workspace;

/// The files that read what others wrote, and the target that gives them arbitrary input.
const DECODERS: &[(&str, &str)] = &[
    ("src/api/loose.rs", "loose"),
    ("src/api/path.rs", "api_path"),
    ("src/audit/filter/mod.rs", "audit_filter"),
    ("src/audit/sinks/http/answer.rs", "collector_answer"),
    ("src/audit/spool/cursor.rs", "spool"),
    ("src/audit/spool/dropped.rs", "spool"),
    ("src/audit/spool/read.rs", "spool"),
    ("src/audit/spool/record.rs", "spool"),
    ("src/auth/cert/constraints.rs", "x509"),
    ("src/auth/cert/crls/mod.rs", "crl"),
    ("src/auth/cert/leaf.rs", "x509"),
    ("src/auth/cert/pem.rs", "x509"),
    ("src/auth/cert/trust.rs", "x509"),
    ("src/auth/cert/verify.rs", "x509"),
    ("src/auth/jwt/bound.rs", "jwt"),
    ("src/auth/jwt/oidc/exchange.rs", "oidc_answers"),
    ("src/auth/jwt/provider/discovery.rs", "oidc_answers"),
    ("src/auth/jwt/token/algorithm.rs", "jwt"),
    ("src/auth/jwt/token/jwk.rs", "jwt"),
    ("src/auth/jwt/token/jws.rs", "jwt"),
    ("src/auth/jwt/token/public_key.rs", "jwt"),
    ("src/backup/meta.rs", "backup"),
    ("src/barrier/ledger.rs", "envelope"),
    ("src/barrier/multiset.rs", "envelope"),
    ("src/chain/checkpoint.rs", "chain_line"),
    ("src/chain/line.rs", "chain_line"),
    ("src/config/section.rs", "configuration"),
    ("src/config/server.rs", "configuration"),
    ("src/config/source.rs", "configuration"),
    ("src/engine/body.rs", "json_body"),
    ("src/engines/database/postgresql/sql.rs", "postgresql_text"),
    ("src/engines/database/postgresql/statement.rs", "postgresql_text"),
    ("src/engines/database/postgresql/url.rs", "postgresql_text"),
    ("src/engines/database/static_roles/cron.rs", "cron"),
    ("src/engines/database/username/mod.rs", "username_template"),
    ("src/engines/database/username/parse.rs", "username_template"),
    ("src/hcl/json.rs", "hcl"),
    ("src/hcl/mod.rs", "hcl"),
    ("src/hcl/parser.rs", "hcl"),
    ("src/http/body.rs", "http_body"),
    ("src/http/door.rs", "http_request"),
    ("src/http/json.rs", "http_body"),
    ("src/http/path.rs", "http_request"),
    ("src/http/query.rs", "http_request"),
    ("src/http/revocation.rs", "crl"),
    ("src/identity/oidc/jws.rs", "jwt"),
    ("src/identity/oidc/template.rs", "oidc_template"),
    ("src/outbound/destination.rs", "outbound"),
    ("src/outbound/parcel.rs", "outbound"),
    ("src/outbound/stream.rs", "outbound"),
    ("src/policy/document.rs", "policy"),
    ("src/policy/name.rs", "policy"),
    ("src/policy/template.rs", "policy"),
    ("src/seal/generate_root.rs", "token"),
    ("src/seal/pgp.rs", "pgp_key"),
    ("src/secret/json.rs", "secret_json"),
    ("src/storage/freshness.rs", "store_records"),
    ("src/storage/sled/record.rs", "store_records"),
    ("src/token/batch.rs", "batch_token"),
    ("src/trace/context.rs", "http_request"),
    ("src/vault/checkpoint.rs", "checkpoint"),
    ("src/vault/passwords.rs", "password_policy"),
];

/// Files with a function that looks like a decoder and is none of outside input, or none to speak of.
const OTHERS: &[(&str, &str)] = &[
    ("src/audit/format/mod.rs", "one of a few words"),
    ("src/audit/sinks/remote/options.rs", "one of a few words"),
    ("src/audit/sinks/stamp.rs", "the names of files in a folder of the operator's; `files` tests it"),
    ("src/audit/sinks/syslog/mod.rs", "one of a few words"),
    ("src/auth/approle/roles/field.rs", "reads a record of a role"),
    ("src/auth/jwt/config/product.rs", "one of a few words"),
    ("src/barrier/record.rs", "what the barrier opened: only it can have sealed that"),
    ("src/daemon/files.rs", "opens what the operator named"),
    ("src/engine/endpoint.rs", "patterns of routes, which stand in the code"),
    ("src/engines/database/postgresql/tls.rs", "PEM of an operator, read by rustls alone"),
    ("src/http/fuzzing.rs", "what the targets run"),
    ("src/identity/oidc/algorithm.rs", "one of a few words"),
    ("src/identity/record.rs", "one of a few words"),
    ("src/metrics/process.rs", "what the kernel says"),
    ("src/policy/capability.rs", "one of a few words"),
    ("src/policy/listing.rs", "a template of an operator: two placeholders are looked for"),
    ("src/secret/keys.rs", "takes 32 bytes, or refuses them"),
    ("src/storage/power.rs", "reads a file in the memory of a test"),
    ("src/storage/redb.rs", "reads bytes of a file for redb"),
    ("src/storage/redb/again.rs", "reads bytes of a file for redb"),
    ("src/storage/redb/faulty.rs", "reads the files of a test"),
    ("src/storage/snapshot.rs", "32 digits"),
    ("src/sys/host_info/mod.rs", "what the kernel says"),
    ("src/sys/plugins/mod.rs", "one of a few words"),
    ("src/sys/token/roles/record.rs", "one of a few words"),
    ("src/sys/tools/algorithm.rs", "one of a few words"),
    ("src/sys/tools/encoding.rs", "one of a few words"),
    ("src/time.rs", "moments, by the parsers of the crate time"),
    ("src/vault/log_level.rs", "one of a few words"),
    ("src/vault/policies.rs", "hands the text to the policy"),
];

/// The targets whose decoders are called through more than one file, or have no function that is found by its name.
const WIDER: [&str; 3] = ["sequences", "share", "verifying_key"];

#[test]
fn every_decoder_has_a_target() {
    let home = workspace::root();
    let names: BTreeSet<String> = targets(&home.join("fuzz")).unwrap().into_iter().collect();
    for (file, target) in DECODERS {
        assert!(home.join(file).is_file(), "{file} is gone");
        assert!(names.contains(*target), "{file}: there is no target {target}");
    }
    let used: BTreeSet<String> = DECODERS.iter().map(|(_, target)| *target).chain(WIDER).map(str::to_owned).collect();
    assert_eq!(names, used, "every target is for something");
    let listed: BTreeSet<&str> = DECODERS.iter().chain(OTHERS).map(|(file, _)| *file).collect();
    assert_eq!(listed.len(), DECODERS.len() + OTHERS.len(), "a file stands once in the lists");
}

#[test]
fn a_new_decoder_is_on_a_list() {
    let home = workspace::root();
    let mut files = Vec::new();
    walk(&home.join("src"), &mut files);
    assert!(files.len() > 200, "only {} files", files.len());
    let mut found = BTreeSet::new();
    for path in files {
        let text = folder::read_text(&path).unwrap();
        let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
        let name = path.strip_prefix(home).unwrap().display().to_string();
        if !name.contains("/tests") && code.split("fn ").skip(1).any(looks_like_a_decoder) {
            found.insert(name);
        }
    }
    let is_listed = |file: &str| DECODERS.iter().chain(OTHERS).any(|(listed, _)| *listed == file);
    let new: Vec<&String> = found.iter().filter(|file| !is_listed(file)).collect();
    assert!(new.is_empty(), "{new:?}: give them a fuzz target and a row in DECODERS, or a reason in OTHERS");
    let idle: Vec<&str> = OTHERS.iter().map(|(file, _)| *file).filter(|file| !found.contains(*file)).collect();
    assert!(idle.is_empty(), "{idle:?} have nothing that looks like a decoder any more; remove them");
}

#[test]
fn decoders_are_known_by_their_names_and_what_they_take() {
    for decoder in ["parse(text: &str) -> A", "decode<'a>(\n    text: &'a [u8],\n    kind: &str)", "read(bytes: &[u8])"]
    {
        assert!(looks_like_a_decoder(decoder), "{decoder}");
    }
    for other in ["parse(self) -> &str", "write(text: &str)", "read(path: &Path)", "from(text: String)"] {
        assert!(!looks_like_a_decoder(other), "{other}");
    }
}

/// Whether a function (the text behind `fn`) is called like a decoder and takes text or bytes.
fn looks_like_a_decoder(function: &str) -> bool {
    let is_called_so = ["parse", "decode", "read", "from"].iter().any(|start| function.starts_with(start));
    let (_, rest) = function.split_once('(').unwrap_or_default();
    let (parameters, _) = rest.split_once(')').unwrap_or_default();
    let takes = |parameter: &str| {
        let kind = parameter.split_once(": &").map_or("", |(_, kind)| kind);
        let kind = if kind.starts_with('\'') { kind.split_once(' ').map_or("", |(_, kind)| kind) } else { kind };
        matches!(kind.trim_end().trim_start_matches("mut "), "str" | "[u8]")
    };
    is_called_so && parameters.split(',').any(takes)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
