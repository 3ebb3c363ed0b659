//! What the ledger tells of the records: whether they are those that the vault left.

use crate::barrier::{Balance, Discrepancy, KEYRING, LEDGER, Name};

use super::{CheckReport, Fault};

impl CheckReport {
    /// Takes in what came of comparing the records with the ledger.
    pub(super) fn account(&mut self, balance: Balance) {
        match balance {
            Balance::Even(since) => self.ledger_since = Some(since),
            Balance::Uneven(since, discrepancy) => {
                self.ledger_since = Some(since);
                let (key, detail) = told(&discrepancy);
                self.find(Fault::Unaccounted, key, detail);
            }
            Balance::Unkept => {}
            Balance::Missing => {
                let detail = "the ledger is not there, so nobody can tell which records were replaced or removed";
                self.find(Fault::Unaccounted, LEDGER.to_owned(), detail);
            }
            Balance::Unreadable => {
                let detail = "the ledger cannot be read, so nobody can tell which records were replaced or removed";
                self.find(Fault::Unaccounted, LEDGER.to_owned(), detail);
            }
            Balance::Keyless => {
                let detail = "it is older than the ledger, which it has no key for: an older copy was put in its place";
                self.find(Fault::Unaccounted, KEYRING.to_owned(), detail);
            }
        }
    }
}

/// The key that a discrepancy is about, empty if that cannot be told, and a sentence about it.
fn told(Discrepancy { surplus, name }: &Discrepancy) -> (String, String) {
    let Some(name) = name else {
        let number = match surplus {
            0 => String::new(),
            1.. => format!("; {surplus} more are there than should be"),
            _ => format!("; {} fewer are there than should be", surplus.unsigned_abs()),
        };
        return (
            String::new(),
            format!("several records were replaced, removed or brought back, and not by the vault{number}"),
        );
    };
    let how = match surplus {
        0 => {
            "it is not, or was not when it was written last, what the vault had left there: an older copy was put back"
        }
        -1 => "it was removed, and not by the vault",
        1 => "it was removed by the vault, and brought back by somebody else",
        _ => "it was replaced, removed or brought back more than once, and not by the vault",
    };
    match name {
        Name::Whole(key) => (key.clone(), how.to_owned()),
        Name::Beginning(beginning) => (format!("{beginning}…"), format!("{how} (only its beginning can be told)")),
    }
}
