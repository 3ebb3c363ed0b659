//! What systemd thinks of the unit file.

use crate::failure::Failure;
use crate::program::Program;
use crate::say;
use crate::workspace;

/// The most that a program may be exposed by systemd's reckoning, from 0 to 10.
const MOST: f64 = 2.0;
const UNIT: &str = "deploy/arcad.service";

/// Fails if `systemd-analyze security` finds the server too exposed.
pub(crate) fn run() -> Result<(), Failure> {
    let path = workspace::root().join(UNIT);
    let table = Program::new("systemd-analyze").words("security --offline=true --no-pager").arg(path).capture()?;
    let exposure = exposure(&table)
        .ok_or_else(|| Failure::answer(format!("systemd-analyze says nothing about the whole:\n{table}")))?;
    say::done(&format!("the exposure of {UNIT} is {exposure:.1} of 10; {MOST:.1} is the most that it may be"));
    if exposure > MOST {
        let advice = "systemd-analyze security --offline=true deploy/arcad.service shows each line; take away what the server \
                      does not need.";
        return Err(Failure::new(format!("{UNIT} leaves the server too exposed"), advice));
    }
    Ok(())
}

/// The number at the end of the table.
fn exposure(table: &str) -> Option<f64> {
    let line = table.lines().find(|line| line.contains("Overall exposure level"))?;
    line.split_once(": ")?.1.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_found() {
        let table = "✓ UMask=  fine\n\n→ Overall exposure level for arcad.service: 1.2 OK 🙂\n";
        assert_eq!(exposure(table), Some(1.2));
        assert_eq!(exposure("✓ UMask=  fine\n"), None);
    }
}
