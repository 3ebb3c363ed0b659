//! How many steps of each area passed, and how many must.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use crate::failure::Failure;
use crate::folder;

use super::AREAS;

/// The outcome, by area.
#[derive(Debug)]
pub(super) struct Results {
    areas: BTreeMap<String, Area>,
}

#[derive(Clone, Copy, Debug)]
struct Area {
    passed: u64,
    failed: u64,
    skipped: u64,
    /// The share of steps in percent that must pass.
    floor: u64,
}

impl Results {
    /// Reads what the suite wrote, and the floors.
    pub(super) fn read(json: &Path, floors: &Path) -> Result<Self, Failure> {
        let written = || Failure::answer("the conformance suite wrote no result: see run.log beside it");
        let result: Value = serde_json::from_slice(&folder::read(json)?).map_err(|_| written())?;
        let bad = || Failure::new(format!("{} is not what it should be", floors.display()), "Give each area a number.");
        let floors: BTreeMap<String, u64> = serde_json::from_slice(&folder::read(floors)?).map_err(|_| bad())?;
        let mut areas = BTreeMap::new();
        for area in AREAS {
            let number = |name: &str| result.pointer(&format!("/areas/{area}/{name}")).and_then(Value::as_u64);
            let counted = Area {
                passed: number("steps_passed").ok_or_else(written)?,
                failed: number("steps_failed").ok_or_else(written)?,
                skipped: number("scenarios_skipped").ok_or_else(written)?,
                floor: *floors.get(area).ok_or_else(bad)?,
            };
            areas.insert(area.to_owned(), counted);
        }
        Ok(Self { areas })
    }

    /// One line for each area.
    pub(super) fn table(&self) -> String {
        let mut table = String::from("\n| area | steps passed | failed | scenarios skipped | share | floor |\n");
        table.push_str("|---|---:|---:|---:|---:|---:|\n");
        for (name, area) in &self.areas {
            let Area { passed, failed, skipped, floor } = area;
            let share = area.share();
            // Writing to a String cannot fail.
            let _ = writeln!(table, "| {name} | {passed} | {failed} | {skipped} | {share} % | {floor} % |");
        }
        table
    }

    /// Fails if an area is below its floor.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let below: Vec<&str> =
            self.areas.iter().filter(|(_, area)| !area.is_high_enough()).map(|(name, _)| name.as_str()).collect();
        if below.is_empty() {
            return Ok(());
        }
        Err(Failure::new(
            format!("Below the floor of tests/conformance/floors.json: {}", below.join(", ")),
            "See target/conformance/run.log for the steps that differ. Mend the server, not the floor.",
        ))
    }
}

impl Area {
    /// Whole percents, rounded down. An area of which nothing was run has none.
    fn share(self) -> u64 {
        (self.passed * 100).checked_div(self.passed + self.failed).unwrap_or(0)
    }

    fn is_high_enough(self) -> bool {
        self.passed + self.failed > 0 && self.share() >= self.floor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(passed: u64, failed: u64) -> Results {
        let area = Area { passed, failed, skipped: 0, floor: 95 };
        Results { areas: [("kv2".to_owned(), area)].into() }
    }

    #[test]
    fn an_area_below_its_floor_is_named() {
        assert!(results(95, 5).check().is_ok());
        assert!(results(9_499, 501).check().unwrap_err().what.ends_with(": kv2"));
    }

    #[test]
    fn an_area_of_which_nothing_was_run_does_not_pass() {
        assert!(results(0, 0).check().is_err());
    }

    #[test]
    fn the_floors_name_every_area() {
        let floors = crate::workspace::root().join("tests/conformance/floors.json");
        let floors: BTreeMap<String, u64> = serde_json::from_slice(&folder::read(&floors).unwrap()).unwrap();
        let mut areas = AREAS;
        areas.sort_unstable();
        assert_eq!(floors.keys().map(String::as_str).collect::<Vec<_>>(), areas);
    }
}
