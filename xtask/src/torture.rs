//! `cargo xtask torture`: the long form of every proof that nothing is lost, with a table of figures at its end.
//!
//! The tests print their figures in lines of the form `torture: name key=number …`, which are collected here; those of hostile
//! clients, which do not count the same things, in lines of the form `name: what came of it`.

use std::path::PathBuf;
use std::time::Instant;

use clap::ValueEnum;
use serde::Serialize;

use crate::failure::Failure;
use crate::folder;
use crate::fuzzing;
use crate::program::Ended;
use crate::say;
use crate::workspace::{self, Profile, cargo, target};

/// What a line of figures begins with.
const MARK: &str = "torture: ";
/// The tests of hostile clients, and of what was once found in other vaults.
const HOSTILE: [&str; 2] = ["attack", "advisories"];
/// Between these lines a page has the table.
const BEGIN: &str = "<!-- figures of cargo xtask torture: begin -->";
const END: &str = "<!-- figures of cargo xtask torture: end -->";
/// The minutes for which the rounds below are meant.
const FULL: u32 = 60;

/// Options of the long run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// About how long all of it may take; every number of rounds follows from this
    #[arg(long, default_value_t = FULL, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    minutes: u32,
    /// Run only this part; may be repeated
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Write the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Put the table of figures into this page, between its two marks
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

/// What is done to it, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// SIGKILL under load, commits that fail, disks that are full
    Crash,
    /// SIGKILL while audit logs are written and put away
    Audit,
    /// Power cuts under the store
    Power,
    /// Files that are hurt, page by page
    Damage,
    /// Files of the store that fail
    Files,
    /// Restores that are interrupted
    Restore,
    /// Hostile clients
    Attack,
    /// Arbitrary input for every decoder
    Fuzz,
}

/// One line of the table.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Line {
    name: String,
    /// What was counted, in the order in which it was printed.
    figures: Vec<(String, u64)>,
    /// What came of it where it is not only counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<String>,
    /// What was acknowledged and was not there; nothing where that is not the question.
    lost: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Figures {
    minutes: u32,
    seconds: u64,
    failed: Vec<String>,
    lines: Vec<Line>,
}

/// Runs all parts, also after one that failed, and shows the table.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let start = Instant::now();
    let mut figures = Figures { minutes: args.minutes, seconds: 0, failed: Vec::new(), lines: Vec::new() };
    for part in Part::value_variants() {
        if !args.only.is_empty() && !args.only.contains(part) {
            continue;
        }
        say::part(part.title());
        let begun = Instant::now();
        match part.run(args.minutes) {
            Ok(lines) => figures.lines.extend(lines),
            Err((lines, failure)) => {
                figures.lines.extend(lines);
                figures.failed.push(part.title().to_owned());
                say::failure(&failure);
            }
        }
        say::done(&format!("{} seconds", begun.elapsed().as_secs()));
    }
    figures.seconds = start.elapsed().as_secs();
    let table = table(&figures);
    say::part("Figures");
    say::line(&table);
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&figures).map_err(|error| Failure::answer(&error))?;
        folder::write(path, text + "\n")?;
    }
    if let Some(path) = &args.markdown {
        folder::write(path, placed(&folder::read_text(path)?, &table)?)?;
    }
    let lost = figures.lines.iter().any(|line| line.lost.is_some_and(|lost| lost > 0));
    if lost || !figures.failed.is_empty() {
        return Err(Failure::new(
            format!("Not everything held: {}", figures.failed.join(", ")),
            "What was lost is named above. A run that fails leaves nothing running; run its part again with --only.",
        ));
    }
    Ok(())
}

/// The figures of a part, and why it failed if it did.
type Outcome = Result<Vec<Line>, (Vec<Line>, Failure)>;

impl Part {
    fn title(self) -> &'static str {
        match self {
            Self::Crash => "Killed under load, failing commits, full disks",
            Self::Audit => "Killed while audit logs are written",
            Self::Power => "Power cuts",
            Self::Damage => "Damaged files",
            Self::Files => "Files that fail",
            Self::Restore => "Interrupted restores",
            Self::Attack => "Hostile clients",
            Self::Fuzz => "Decoders against arbitrary input",
        }
    }

    fn run(self, minutes: u32) -> Outcome {
        let share = |full: u32| (full * minutes / FULL).max(1);
        match self {
            Self::Crash => tests(&["--test integration crash::"], ("ARCA_TORTURE_ROUNDS", share(300))),
            Self::Audit => tests(&["--test integration torture::"], ("ARCA_TORTURE_ROUNDS", share(200))),
            Self::Power => tests(&["--lib storage::power::"], ("ARCA_TORTURE_ROUNDS", share(300))),
            Self::Damage => tests(&["--lib vault::checking::tests::damage::"], ("ARCA_TORTURE_ROUNDS", share(300))),
            // Each write and each sync once, whatever the number.
            Self::Files => tests(&["--lib storage::failing_files::"], ("ARCA_TORTURE_ROUNDS", share(300))),
            Self::Restore => tests(&["--test integration restore::"], ("ARCA_TORTURE_ROUNDS", share(100))),
            Self::Attack => {
                let names = HOSTILE.map(|name| format!("--test integration {name}::"));
                tests(&names.each_ref().map(String::as_str), ("ARCA_ATTACK_SCALE", share(5)))
            }
            // A quarter of the time, for some thirty targets.
            Self::Fuzz => fuzz(share(30)),
        }
    }
}

/// Runs the tests of these names one after the other, with a variable saying how long.
fn tests(names: &[&str], amount: (&str, u32)) -> Outcome {
    let mut figures = Vec::new();
    for name in names {
        match tests_of(name, amount) {
            Ok(lines) => figures.extend(lines),
            Err((lines, failure)) => {
                figures.extend(lines);
                return Err((figures, failure));
            }
        }
    }
    Ok(figures)
}

/// The same for one name. Where a server is started, it is that of a release build.
fn tests_of(name: &str, (variable, amount): (&str, u32)) -> Outcome {
    let words = format!("test --locked --package arca {name} -- --nocapture --test-threads=1");
    say::done(&format!("{variable}={amount} cargo {words}"));
    let mut run = cargo(&words).env(variable, amount.to_string());
    if name.contains("integration") {
        let server = workspace::build(Profile::Release).map_err(|failure| (Vec::new(), failure))?.arcad;
        run = run.env("ARCA_TEST_SERVER", server);
    }
    let ended = run.end().map_err(|failure| (Vec::new(), failure))?;
    let name = words.split_whitespace().find_map(|word| word.strip_suffix("::")).unwrap_or_default();
    let lines = lines_of(name, &ended);
    for line in &lines {
        let lost = line.lost.map_or_else(String::new, |lost| format!(", lost {lost}"));
        say::detail(&format!("{}: {}{lost}", line.name, shown(line)));
    }
    if ended.code == 0 {
        return Ok(lines);
    }
    let log = target().join(format!("torture-{}.log", name.replace("::", "-")));
    let what = format!("`cargo {words}` failed; all that it said is in {}", log.display());
    let kept = folder::write(&log, format!("{}\n{}", ended.out, ended.err));
    Err((lines, kept.err().unwrap_or_else(|| Failure::new(what, "Look for `panicked` there."))))
}

fn fuzz(seconds: u32) -> Outcome {
    let met = fuzzing::run_for(seconds).map_err(|failure| (Vec::new(), failure))?;
    let targets = met.len() as u64;
    let inputs = met.iter().map(|(_, inputs)| inputs).sum();
    let figures = [("targets", targets), ("seconds_each", u64::from(seconds)), ("inputs", inputs), ("broken", 0)];
    let figures = figures.map(|(name, count)| (name.to_owned(), count)).to_vec();
    Ok(vec![Line { name: "fuzzing".to_owned(), figures, said: None, lost: None }])
}

/// The figures that tests printed, and how many of them passed.
fn lines_of(name: &str, ended: &Ended) -> Vec<Line> {
    let printed = ended.out.lines().filter_map(|line| match line.split_once(MARK) {
        Some((_, figures)) => parse(figures),
        None => said(line).filter(|_| HOSTILE.contains(&name)),
    });
    let passed = ended.out.lines().filter_map(|line| line.strip_prefix("test result: ")).filter_map(|line| {
        let counts = line.split_once(". ")?.1;
        let count = |what: &str| {
            let part = counts.split(';').find(|part| part.trim_end().ends_with(what))?;
            part.split_whitespace().next()?.parse().ok()
        };
        Some([("passed".to_owned(), count("passed")?), ("failed".to_owned(), count("failed")?)])
    });
    let passed = passed.filter(|figures| figures.iter().any(|(_, count)| *count > 0));
    let summary =
        passed.map(|figures| Line { name: format!("tests {name}"), figures: figures.to_vec(), said: None, lost: None });
    printed.chain(summary).collect()
}

/// `name: what came of it`, behind the name of its test if that is still on the line.
fn said(line: &str) -> Option<Line> {
    let line = line.strip_prefix("test ").and_then(|test| test.split_once(" ... ")).map_or(line, |(_, said)| said);
    let (name, text) = line.split_once(": ")?;
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    is_name.then(|| Line { name: name.to_owned(), figures: Vec::new(), said: Some(text.to_owned()), lost: None })
}

/// `name key=number …`. Words that are no figures are left out.
fn parse(line: &str) -> Option<Line> {
    let (name, rest) = line.split_once(' ')?;
    let figures = rest.split_whitespace().filter_map(|word| word.split_once('='));
    let mut figures: Vec<(String, u64)> =
        figures.filter_map(|(key, number)| Some((key.to_owned(), number.parse().ok()?))).collect();
    let lost = figures.iter().position(|(key, _)| key == "lost").map(|at| figures.remove(at).1);
    Some(Line { name: name.to_owned(), figures, said: None, lost })
}

/// What came of it, without what was lost.
fn shown(line: &Line) -> String {
    let figures = line.figures.iter().map(|(key, number)| format!("{} {number}", key.replace('_', " ")));
    line.said.clone().into_iter().chain(figures).collect::<Vec<_>>().join(", ")
}

fn table(figures: &Figures) -> String {
    let mut rows = vec!["| what | figures | lost |".to_owned(), "|---|---|---|".to_owned()];
    for line in &figures.lines {
        let lost = line.lost.map_or_else(String::new, |lost| lost.to_string());
        rows.push(format!("| {} | {} | {lost} |", line.name, shown(line)));
    }
    let failed = if figures.failed.is_empty() { "nothing".to_owned() } else { figures.failed.join(", ") };
    rows.push(String::new());
    rows.push(format!("`--minutes {}`; it took {} seconds; failed: {failed}.", figures.minutes, figures.seconds));
    rows.join("\n")
}

/// `page` with `table` between its marks.
fn placed(page: &str, table: &str) -> Result<String, Failure> {
    let parts = page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or_else(|| {
        Failure::new("The page has no place for the table", format!("Put these two lines into it: {BEGIN} and {END}"))
    })?;
    Ok(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(out: &str) -> Ended {
        Ended { code: 0, out: out.to_owned(), err: String::new() }
    }

    #[test]
    fn figures_are_found_among_what_tests_print() {
        let out = "running 2 tests\ntest a ... torture: kill rounds=30 acknowledged=1446 lost=2\nok\n\
                   torture: full-disk skipped=1 (only root may mount=it)\nnoise: rounds=1\n\
                   test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out\n";
        let lines = lines_of("crash", &ended(out));
        let figure = |key: &str, number| (key.to_owned(), number);
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0].name, "kill");
        assert_eq!(lines[0].figures, [figure("rounds", 30), figure("acknowledged", 1446)]);
        assert_eq!(lines[0].lost, Some(2));
        assert_eq!((lines[1].figures.as_slice(), lines[1].lost), ([figure("skipped", 1)].as_slice(), None));
        assert_eq!(lines[2].figures, [figure("passed", 2), figure("failed", 0)]);
        assert!(lines_of("crash", &ended("")).is_empty());
    }

    #[test]
    fn what_came_of_hostile_clients_is_found_beside_their_tests_names() {
        let out = "running 2 tests\ntest attack::connections::slow_headers ... slow_headers: 240 of 240 cut off\nok\n\
                   logins: auth/userpass: 7 refused\nthread 'x' says: nothing\ntest attack::paths::one ... ok\n";
        let lines = lines_of("attack", &ended(out));
        let said: Vec<_> = lines.iter().map(|line| (line.name.as_str(), line.said.as_deref())).collect();
        assert_eq!(said, [("slow_headers", Some("240 of 240 cut off")), ("logins", Some("auth/userpass: 7 refused"))]);
        assert_eq!(shown(&lines[1]), "auth/userpass: 7 refused");
    }

    #[test]
    fn the_table_goes_between_the_marks_of_a_page() {
        let lines = vec![parse("kill rounds=3 slowest_start_ms=4 lost=0").unwrap()];
        let table = table(&Figures { minutes: 60, seconds: 7, failed: Vec::new(), lines });
        assert!(table.contains("| kill | rounds 3, slowest start ms 4 | 0 |"), "{table}");
        let page = format!("# Page\n{BEGIN}\nold\n{END}\nrest\n");
        let page = placed(&page, &table).unwrap();
        assert_eq!(placed(&page, &table).unwrap(), page);
        assert!(page.starts_with("# Page\n") && page.ends_with("\nrest\n") && !page.contains("old"));
        assert!(placed("# Page\n", &table).unwrap_err().advice.contains(BEGIN));
    }
}
