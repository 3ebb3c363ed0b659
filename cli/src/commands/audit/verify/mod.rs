//! `arca audit verify -public-key=FILE LOG…`

mod files;

use std::path::{Path, PathBuf};

use arca::chain::{Finding, LineHash, Link, Report, Start, Verifier, VerifyingKey};

use crate::error::{Error, Exit, Result};
use crate::input;
use crate::json::Json;
use crate::output::{Output, Sheet};

/// Verifies the hash chain and the signatures of an audit log. No server is asked.
///
/// Give the files of one log, in any format, as they are or compressed with gzip. They are put in order by the numbers of
/// their first lines. The exit code is 0 if the log is intact, 2 if it is not, 1 if that could not be found out.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The log's files, or - for standard input
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
    /// A file with the vault's public key (PEM, or base64 of its 32 bytes); may be repeated
    #[arg(long, alias = "key", required = true, value_name = "FILE")]
    public_key: Vec<PathBuf>,
    /// Read the files in the order in which they are given, as it is done where one of them is standard input
    #[arg(long)]
    as_given: bool,
    /// The first line must be the first of the whole log
    #[arg(long, conflicts_with = "after")]
    from_start: bool,
    /// The first line must follow this one: its sequence number and its hash
    #[arg(long, value_name = "SEQ:HASH", value_parser = link)]
    after: Option<Link>,
    /// The log must reach this sequence number, the last one that the vault has on record
    #[arg(long, value_name = "SEQ")]
    last_seq: Option<u64>,
}

impl Args {
    /// Reads all files and says what is wrong with them.
    pub(crate) fn run(mut self, output: &mut Output) -> Result<()> {
        let keys = self.public_key.iter().map(|path| key(path)).collect::<Result<Vec<_>>>()?;
        let start = match self.after {
            Some(link) => Start::After(link),
            None if self.from_start => Start::After(Link::GENESIS),
            None => Start::Anywhere,
        };
        let sorts = !self.as_given && !self.logs.iter().any(|path| files::is_stdin(path));
        if sorts && files::sort(&mut self.logs)? {
            output.note("The files were put in order by the numbers of their first lines; copies were left out.")?;
        }
        let mut verifier = Verifier::new(keys, start);
        files::read(&self.logs, &mut verifier, output)?;
        let report = verifier.finish(self.last_seq);
        let intact = report.is_intact();
        output.show(Sheet { value: self.json(&report), text: self.text(&report).into() }, None)?;
        if intact { Ok(()) } else { Err(Error::quiet(Exit::Remote)) }
    }

    fn name(&self, finding: &Finding) -> String {
        self.logs.get(finding.file).map(|path| path.display().to_string()).unwrap_or_default()
    }

    fn text(&self, report: &Report) -> String {
        let mut text = String::new();
        for finding in &report.findings {
            let seq = finding.seq.map(|seq| format!(" seq {seq}:")).unwrap_or_default();
            text.push_str(&format!("{}:{}:{seq} {}\n", self.name(finding), finding.line, finding.kind));
        }
        let counts = &report.counts;
        let number = |number: Option<u64>| number.map_or_else(|| "none".to_owned(), |number| number.to_string());
        let verdict = if report.is_intact() { "The log is intact" } else { "The log is NOT intact" };
        text.push_str(&format!(
            "{verdict}: {} lines in {} files, numbers {} to {}, {} violations, {} recorded gaps.\n",
            counts.lines,
            counts.files,
            number(counts.first_seq),
            number(counts.last_seq),
            report.violations,
            counts.gaps
        ));
        text.push_str(&format!(
            "{} checkpoints vouch for it up to number {}; {} lines come after.\n",
            counts.checkpoints,
            number(counts.signed_seq),
            counts.unsigned_lines
        ));
        text
    }

    fn json(&self, report: &Report) -> Json {
        let number = |number: u64| Json::number(i64::try_from(number).unwrap_or(i64::MAX));
        let optional = |value: Option<u64>| value.map_or(Json::Null, number);
        let findings = report.findings.iter().map(|finding| {
            Json::map([
                ("file", Json::text(self.name(finding))),
                ("line", number(finding.line)),
                ("seq", optional(finding.seq)),
                ("violation", Json::Bool(finding.kind.is_violation())),
                ("message", Json::text(finding.kind.to_string())),
            ])
        });
        let counts = &report.counts;
        Json::map([
            ("intact", Json::Bool(report.is_intact())),
            ("violations", number(report.violations)),
            ("files", number(counts.files)),
            ("lines", number(counts.lines)),
            ("checkpoints", number(counts.checkpoints)),
            ("gaps", number(counts.gaps)),
            ("first_seq", optional(counts.first_seq)),
            ("last_seq", optional(counts.last_seq)),
            ("signed_seq", optional(counts.signed_seq)),
            ("unsigned_lines", number(counts.unsigned_lines)),
            ("order", Json::List(self.logs.iter().map(|path| Json::text(path.display().to_string())).collect())),
            ("findings", Json::List(findings.collect())),
        ])
    }
}

fn key(path: &Path) -> Result<VerifyingKey> {
    let text = input::file(path)?;
    VerifyingKey::parse(text.trim()).map_err(|error| {
        Error::local(format!("Error reading the key {}: {error}", path.display()))
            .advise("Give the file with the public key that belongs to this log.")
    })
}

fn link(text: &str) -> Result<Link, String> {
    let parsed = text
        .split_once(':')
        .and_then(|(seq, hash)| Some(Link { seq: seq.parse().ok()?, hash: LineHash::parse(hash.as_bytes())? }));
    parsed.ok_or_else(|| "write the sequence number, a colon, and 64 hexadecimal digits".to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::BufReader;
    use std::sync::Arc;

    use arca::chain::{ChainWriter, NodeId, Reason, SigningKey};
    use arca::entropy::SeededEntropy;
    use arca::time::Timestamp;

    use super::*;

    /// A log of three entries and a checkpoint, its key, and a verification of it.
    fn verified(change: impl FnOnce(String) -> String) -> Report {
        let folder = tempfile::tempdir().unwrap();
        let pkcs8 = SigningKey::generate(&SeededEntropy::new(7)).unwrap();
        let key = Arc::new(SigningKey::from_pkcs8(&pkcs8).unwrap());
        let node = NodeId::new("n1").unwrap();
        let now = Timestamp::from_unix_seconds(1_700_000_000);
        let mut writer = ChainWriter::new(node, "test", "", Arc::clone(&key), 100).unwrap();
        let mut log = Vec::new();
        writer.checkpoint(Reason::Start, now, &mut log);
        for number in 0..3 {
            writer.entry(format!("{{\"type\":\"request\",\"path\":\"p{number}\"").as_bytes(), now, &mut log);
        }
        writer.checkpoint(Reason::Interval, now, &mut log);
        let (path, public) = (folder.path().join("log"), folder.path().join("key"));
        fs::write(&path, change(String::from_utf8(log).unwrap())).unwrap();
        fs::write(&public, key.verifying_key().to_pem()).unwrap();
        let mut verifier = Verifier::new(vec![super::key(&public).unwrap()], Start::After(Link::GENESIS));
        verifier.read(&mut BufReader::new(File::open(&path).unwrap())).unwrap();
        verifier.finish(Some(5))
    }

    fn args() -> Args {
        Args {
            logs: vec!["a.log".into()],
            public_key: Vec::new(),
            as_given: false,
            from_start: true,
            after: None,
            last_seq: None,
        }
    }

    #[test]
    fn an_intact_log_is_called_so() {
        let report = verified(|log| log);
        assert!(
            args().text(&report).starts_with("The log is intact: 5 lines in 1 files, numbers 1 to 5, 0 violations")
        );
        assert!(args().json(&report).is_true_at("intact"));
    }

    #[test]
    fn a_changed_line_is_named() {
        let report = verified(|log| log.replace("\"p1\"", "\"pX\""));
        let text = args().text(&report);
        assert!(text.starts_with("a.log:3: seq 3: changed") && text.contains("NOT intact"), "{text}");
        assert!(!args().json(&report).is_true_at("intact"));
    }

    #[test]
    fn files_are_read_in_the_order_of_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let pkcs8 = SigningKey::generate(&SeededEntropy::new(7)).unwrap();
        let key = Arc::new(SigningKey::from_pkcs8(&pkcs8).unwrap());
        let now = Timestamp::from_unix_seconds(1_700_000_000);
        let node = NodeId::new("n1").unwrap();
        let mut writer = ChainWriter::new(node, "test", "", Arc::clone(&key), 100).unwrap();
        let mut logs = Vec::new();
        for number in 0..3 {
            let mut log = Vec::new();
            writer.checkpoint(Reason::Start, now, &mut log);
            writer.entry(b"{\"type\":\"request\"", now, &mut log);
            writer.checkpoint(Reason::Rotate, now, &mut log);
            let path = folder.path().join(format!("{}", (number + 1) % 3));
            if number == 1 {
                let mut packed =
                    flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
                std::io::Write::write_all(&mut packed, &log).unwrap();
                packed.finish().unwrap();
            } else {
                fs::write(&path, log).unwrap();
            }
            logs.push(path);
        }
        let in_order = logs.clone();
        logs.sort();
        assert!(files::sort(&mut logs).unwrap());
        assert_eq!(logs, in_order);
        assert!(!files::sort(&mut logs).unwrap());
        // A file and its compressed copy are one.
        fs::copy(&logs[1], logs[1].with_added_extension("gz")).unwrap();
        logs.insert(2, logs[1].with_added_extension("gz"));
        assert!(files::sort(&mut logs).unwrap());
        assert_eq!(logs, in_order);
        let mut verifier = Verifier::new(vec![key.verifying_key()], Start::After(Link::GENESIS));
        files::read(&logs, &mut verifier, &mut Output::standard(crate::output::Format::Json)).unwrap();
        let report = verifier.finish(Some(9));
        assert!(report.is_intact(), "{report:?}");
        assert_eq!(report.counts.files, 3);
        assert!(files::sort(&mut vec![folder.path().join("none")]).is_err());
    }

    #[test]
    fn a_place_in_the_chain_is_a_number_and_a_hash() {
        assert_eq!(link(&format!("0:{}", "0".repeat(64))).unwrap(), Link::GENESIS);
        for bad in ["", "1", "x:00", "1:00"] {
            assert!(link(bad).is_err(), "{bad}");
        }
    }
}
