//! `arca policy test FILE`: a table of expectations about policies, checked without a server.

mod case;
mod table;

use std::path::Path;

use arca::policy::{Explanation, Source};
use arca::time::{Clock, SystemClock};

use crate::error::{Error, Exit, Result};
use crate::input;
use crate::json::Json;
use crate::output::{Output, Sheet};

use case::Case;
use table::Table;

use super::verdict;

/// Checks what policy files allow against a table of expectations, without a server: exit 0 if all are met, else 2.
///
/// The decisions are those that a server would make. docs/policy-testing.md says how the table is written.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The table: HCL or JSON
    file: String,
}

/// A case whose expectation is not met.
struct Failure {
    case: String,
    explanation: Json,
}

impl Args {
    /// Checks, and says what is not as expected.
    pub(crate) fn run(self, output: &mut Output) -> Result<()> {
        let path = Path::new(self.file.trim());
        let text = input::file(path)?;
        let table = Table::parse(&text, path.parent().unwrap_or(Path::new("")))
            .map_err(|error| error.context(format!("Error reading {}", path.display())))?;
        let now = table.now.unwrap_or_else(|| SystemClock.now());
        let mut failures = Vec::new();
        for case in &table.cases {
            let sources: Vec<Source> =
                case.policies.iter().filter_map(|name| table.policies.get(name).cloned()).collect();
            let explanation = case.explain(&sources, now)?;
            if explanation.allowed != case.expect_allowed {
                failures.push(Failure { case: case.name.clone(), explanation: json(case, &explanation)? });
            }
        }
        report(output, table.cases.len(), failures)
    }
}

fn json(case: &Case, explanation: &Explanation) -> Result<Json> {
    let text = serde_json::to_string(explanation).map_err(|error| Error::local(error.to_string()))?;
    let mut json = Json::parse(&text).map_err(Error::local)?;
    json.set("path", Json::text(case.path.as_str()));
    json.set("operation", Json::text(case.word.as_str()));
    Ok(json)
}

fn report(output: &mut Output, cases: usize, failures: Vec<Failure>) -> Result<()> {
    let failed = failures.len();
    let mut text = String::new();
    let mut list = Vec::new();
    for Failure { case, explanation } in failures {
        let (expected, is) = if explanation.is_true_at("allowed") { ("deny", "allowed") } else { ("allow", "denied") };
        let (operation, path) = (explanation.text_at("operation"), explanation.text_at("path"));
        text.push_str(&format!("FAIL {case}: {operation} {path} is {is}, expected: {expected}\n"));
        text.push_str(&format!("     {}\n", explanation.text_at("reason")));
        for line in verdict::suggestion(&explanation).lines().filter(|line| !line.is_empty()) {
            text.push_str(&format!("     {line}\n"));
        }
        list.push(Json::map([
            ("case", Json::text(case)),
            ("expected", Json::text(expected)),
            ("explanation", explanation),
        ]));
    }
    text.push_str(&format!("{} of {cases} cases as expected\n", cases - failed));
    let count = |number: usize| Json::number(i64::try_from(number).unwrap_or(i64::MAX));
    let value = Json::map([("cases", count(cases)), ("failed", count(failed)), ("failures", Json::List(list))]);
    output.show(Sheet { value, text: text.into() }, None)?;
    if failed == 0 { Ok(()) } else { Err(Error::quiet(Exit::Remote)) }
}
