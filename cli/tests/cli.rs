//! The command line without a server: `tests/cli/*.case`, each a line of arguments and all that comes of it.
//!
//! ```text
//! # a comment
//! $ arca read -bogus x        the arguments, cut at spaces; '…' keeps spaces
//! < text                      a line of standard input
//! = 1                         the exit code; 0 if it is left out
//! > text                      a line of standard output
//! ! text                      a line of standard error
//! ```
//!
//! In a line `[..]` stands for anything; a line `...` stands for any lines. The cases of a file run one after the other
//! in one empty folder, which is also the home.

#[cfg(test)]
mod cases {
    use std::fs;
    use std::io::Write;
    use std::path::Path;
    use std::process::{Command, Stdio};

    #[derive(Default)]
    struct Case {
        line: usize,
        args: Vec<String>,
        stdin: String,
        code: i32,
        stdout: Vec<String>,
        stderr: Vec<String>,
    }

    fn parse(text: &str) -> Vec<Case> {
        let mut cases: Vec<Case> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if let Some(args) = line.strip_prefix("$ arca") {
                cases.push(Case { line: index + 1, args: words(args), ..Case::default() });
                continue;
            }
            let (mark, rest) = line.split_at(line.len().min(1));
            let rest = rest.strip_prefix(' ').unwrap_or(rest).to_owned();
            let case = cases.last_mut();
            match (mark, case) {
                ("" | "#", _) => {}
                ("<", Some(case)) => case.stdin.extend([rest.as_str(), "\n"]),
                ("=", Some(case)) => case.code = rest.parse().unwrap(),
                (">", Some(case)) => case.stdout.push(rest),
                ("!", Some(case)) => case.stderr.push(rest),
                _ => panic!("line {} is none of a case", index + 1),
            }
        }
        cases
    }

    fn words(line: &str) -> Vec<String> {
        let pieces = line.split('\'').enumerate();
        let pieces = pieces.flat_map(|(index, piece)| match index % 2 {
            0 => piece.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
            _ => vec![piece.to_owned()],
        });
        pieces.collect()
    }

    /// Whether the lines fit the expected ones.
    fn fits(expected: &[String], lines: &[&str]) -> bool {
        match (expected.split_first(), lines.split_first()) {
            (None, None) => true,
            (Some((first, rest)), _) if first == "..." => {
                fits(rest, lines) || lines.split_first().is_some_and(|(_, others)| fits(expected, others))
            }
            (Some((first, rest)), Some((line, others))) => line_fits(first, line) && fits(rest, others),
            _ => false,
        }
    }

    fn line_fits(expected: &str, line: &str) -> bool {
        let Some((before, after)) = expected.split_once("[..]") else { return expected == line };
        let Some(rest) = line.strip_prefix(before) else { return false };
        (0..=rest.len()).filter(|end| rest.is_char_boundary(*end)).any(|end| line_fits(after, &rest[end..]))
    }

    fn run(case: &Case, folder: &Path) -> Result<(), String> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_arca"))
            .args(&case.args)
            .env_clear()
            .env("HOME", folder)
            .env("ARCA_ADDR", "http://127.0.0.1:1")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may be gone before all is written.
        drop(child.stdin.take().unwrap().write_all(case.stdin.as_bytes()));
        let done = child.wait_with_output().unwrap();
        let (out, err) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap());
        let right = done.status.code() == Some(case.code)
            && fits(&case.stdout, &out.lines().collect::<Vec<_>>())
            && fits(&case.stderr, &err.lines().collect::<Vec<_>>());
        let code = done.status.code();
        if right { Ok(()) } else { Err(format!("exit code {code:?}\nstdout:\n{out}\nstderr:\n{err}")) }
    }

    #[test]
    fn every_case_comes_out_as_written() {
        let mut count = 0;
        let mut failures = Vec::new();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            let home = tempfile::tempdir().unwrap();
            for case in parse(&fs::read_to_string(&file).unwrap()) {
                count += 1;
                if let Err(what) = run(&case, home.path()) {
                    failures.push(format!("{}:{}: {:?}: {what}", file.display(), case.line, case.args));
                }
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n\n"));
        assert!(count > 40, "only {count} cases were found");
    }

    #[test]
    fn the_environment_is_read_in_its_order_and_empty_counts_as_unset() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(".vault-token"), "stored\n").unwrap();
        fs::write(home.path().join("other"), "other").unwrap();
        let printed = |variables: &[(&str, &str)]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_arca"));
            command.args(["print", "token"]).env_clear().env("HOME", home.path()).current_dir(home.path());
            let done = command.envs(variables.iter().copied()).output().unwrap();
            String::from_utf8(done.stdout).unwrap()
        };
        let (arca, vault, bao) = (("ARCA_TOKEN", "a"), ("VAULT_TOKEN", "v"), ("BAO_TOKEN", "b"));
        assert_eq!(printed(&[bao, vault, arca]), "a\n");
        assert_eq!(printed(&[bao, vault]), "v\n");
        assert_eq!(printed(&[bao, ("VAULT_TOKEN", ""), ("ARCA_TOKEN", "")]), "b\n");
        assert_eq!(printed(&[("BAO_TOKEN", "")]), "stored\n");
        assert_eq!(printed(&[("VAULT_TOKEN_PATH", "other")]), "other\n");
    }

    #[test]
    fn the_runner_can_fail() {
        assert!(!line_fits("a[..]c", "abd") && line_fits("a[..]c", "abbc") && !line_fits("a", "ab"));
        let expected = ["a".to_owned(), "...".to_owned(), "z".to_owned()];
        assert!(
            fits(&expected, &["a", "b", "z"]) && !fits(&expected, &["a", "b"]) && !fits(&expected[..1], &["a", "b"])
        );
        assert!(!fits(&[], &["more"]));
    }
}
