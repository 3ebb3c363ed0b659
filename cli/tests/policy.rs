//! `arca policy test`: the example in docs/, and what is said of a table that is not met.

#[cfg(test)]
mod tables {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Output};

    use serde_json::Value;

    fn examples() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/policies")
    }

    fn check(table: &Path, format: &str) -> (i32, String, String) {
        let format = format!("-format={format}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_arca"));
        let Output { status, stdout, stderr } =
            command.args(["policy", "test", &format]).arg(table).env_clear().output().unwrap();
        (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    /// The example with changed policies, in a folder of its own.
    fn changed(from: &str, to: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let policy = fs::read_to_string(examples().join("developers.hcl")).unwrap();
        assert!(policy.contains(from));
        fs::write(folder.path().join("developers.hcl"), policy.replace(from, to)).unwrap();
        let table = folder.path().join("tests.hcl");
        fs::copy(examples().join("tests.hcl"), &table).unwrap();
        (folder, table)
    }

    #[test]
    fn the_example_is_met() {
        let (code, out, err) = check(&examples().join("tests.hcl"), "table");
        assert_eq!((code, out.as_str(), err.as_str()), (0, "9 of 9 cases as expected\n", ""));
    }

    #[test]
    fn what_is_not_met_is_explained() {
        let (_folder, table) = changed("required_parameters = [\"why\"]", "");
        let (code, out, _) = check(&table, "table");
        assert_eq!(code, 2, "{out}");
        let first = "FAIL a change that does not is refused: update secret/data/live/db is allowed, expected: deny\n";
        assert!(out.starts_with(first), "{out}");
        let reason = "Allowed by the rule \"secret/data/live/*\" of the policy \"developers\" (line 7).";
        assert!(out.contains(reason) && out.ends_with("\n8 of 9 cases as expected\n"), "{out}");

        let (_folder, table) = changed("\"create\", \"read\", \"update\", \"list\"", "\"list\"");
        let (code, out, _) = check(&table, "json");
        let report: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &report["cases"], &report["failed"]), (2, &9.into(), &1.into()), "{out}");
        let explanation = &report["failures"][0]["explanation"];
        assert_eq!(explanation["missing"][0]["capability"], "read");
        let rule = explanation["suggestion"]["rule"].as_str().unwrap();
        assert_eq!(rule, "path \"secret/data/web/db\" {\n  capabilities = [\"list\", \"read\"]\n}\n");
    }

    #[test]
    fn what_cannot_be_read_is_no_failed_expectation() {
        let (_folder, table) = changed("capabilities", "capabilites");
        let (code, out, err) = check(&table, "table");
        assert_eq!((code, out.as_str()), (1, ""));
        assert!(err.contains("policy \"developers\": failed to parse policy: invalid key"), "{err}");
        let (code, _, err) = check(Path::new("/nonexistent/tests.hcl"), "table");
        assert!(code == 1 && err.contains("no such file"), "{err}");
    }
}
