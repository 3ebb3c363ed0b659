//! Holds `docs/security/` and the tests to each other.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::support::sources_below;

const ROWS: usize = 102;

/// One row of the table: its number, and the names of tests in it.
fn rows() -> Vec<(usize, Vec<String>, String)> {
    let text = fs::read_to_string(root().join("docs/security/advisories.md")).unwrap();
    let mut found = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let Ok(number) = cells[0].parse() else { continue };
        assert_eq!(cells.len(), 4, "row {number}");
        let names = cells[3].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        found.push((number, names, cells[3].to_owned()));
    }
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The names of all tests: what follows an attribute that makes a function one.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let folders = ["src", "tests", "cli/src", "xtask/src"];
    for path in folders.iter().flat_map(|folder| sources_below(&root().join(folder))) {
        let mut is_test = false;
        for line in fs::read_to_string(path).unwrap().lines().map(str::trim) {
            is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
            if let Some((before, rest)) = line.split_once("fn ")
                && matches!(before, "" | "async ")
            {
                if is_test {
                    found.extend(rest.split('(').next().map(str::to_owned));
                }
                is_test = false;
            }
        }
    }
    found
}

#[test]
fn every_advisory_has_its_row_and_every_named_test_is_there() {
    let (rows, tests) = (rows(), tests());
    let numbers: Vec<usize> = rows.iter().map(|(number, _, _)| *number).collect();
    assert_eq!(numbers, (1..=ROWS).collect::<Vec<_>>(), "a row is missing, doubled or out of order");
    for (number, names, cell) in &rows {
        if names.is_empty() {
            assert!(
                cell.starts_with("not here: ") && cell.len() > 20,
                "row {number} has no test and no reason: {cell}"
            );
        }
        for name in names {
            assert!(tests.contains(name), "row {number}: there is no test {name}");
        }
    }
}

#[test]
fn every_claim_names_tests_that_are_there() {
    let text = fs::read_to_string(root().join("docs/security/claims.md")).unwrap();
    let tests = tests();
    let mut claims = 0;
    for line in text.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        let (claim, named) = line.trim_matches('|').split_once(" | ").unwrap();
        for name in named.split('`').skip(1).step_by(2) {
            assert!(tests.contains(name), "{claim}: there is no test {name}");
        }
        claims += 1;
    }
    assert!(claims > 15, "{claims}");
}

#[test]
fn every_test_of_an_advisory_is_in_the_table() {
    let named: BTreeSet<String> = rows().into_iter().flat_map(|(_, names, _)| names).collect();
    let is_ours = |name: &&String| ["cve_", "ghsa_", "vault_", "openbao_"].iter().any(|start| name.starts_with(start));
    let numbered = |name: &&String| name.chars().any(|character| character.is_ascii_digit());
    let tests = tests();
    let missing: Vec<&String> =
        tests.iter().filter(is_ours).filter(numbered).filter(|name| !named.contains(*name)).collect();
    assert!(missing.is_empty(), "not in docs/security/advisories.md: {missing:#?}");
}
