//! Checkpoints: a signed note of how far a store has come, kept elsewhere. A store that is put back to an older state as a
//! whole is sound in itself; only somebody who remembers can tell.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::ROOT_NAMESPACE;
use crate::barrier::{Barrier, Record, Scope, Txn};
use crate::chain::VerifyingKey;
use crate::error::{Error, Result};
use crate::storage::{Generation, Lineage};
use crate::time::Timestamp;

use super::core::Core;
use super::restoring::Restorations;

/// How many checkpoints a store remembers to have given out.
const REMEMBERED: usize = 256;
/// The word that every checkpoint has.
const FORMAT: &str = "arca-checkpoint";

/// How far a store has come. No secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checkpoint {
    /// `arca-checkpoint`.
    format: String,
    /// The version of this form: 1.
    version: u32,
    /// The id of the cluster.
    cluster_id: String,
    /// Which store it is about.
    lineage: String,
    /// How many transactions the store has had at least.
    generation: u64,
    /// What the store remembers this checkpoint by.
    mark: String,
    /// When it was made.
    time: Timestamp,
    /// Which key signed it.
    key: String,
    /// An Ed25519 signature of the fields above, by the key that signs audit logs; in base64.
    signature: String,
}

/// Why a store is not the one that a checkpoint was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Regress {
    /// It is older.
    Older {
        /// The generation of the checkpoint.
        known: u64,
        /// That of the store.
        found: u64,
    },
    /// It was older once, and was written on since.
    WrittenOn,
    /// It was restored from a backup that is older, by somebody who wanted that.
    Restored {
        /// When.
        time: Timestamp,
        /// The generation of the checkpoint.
        known: u64,
        /// That of the backup.
        found: u64,
    },
    /// It is another store.
    Foreign,
    /// The checkpoint is not signed by this vault.
    Unsigned,
}

impl fmt::Display for Regress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Older { known, found } => write!(
                f,
                "the store is older than the checkpoint: it was at generation {known}, and is at {found}; \
                 it was put back to an earlier state"
            ),
            Self::WrittenOn => f.write_str(
                "the store does not know the checkpoint: it was put back to a state before it, and written on since",
            ),
            Self::Restored { time, known, found } => write!(
                f,
                "the store was restored at {time} from a backup of generation {found}, and the checkpoint is of \
                 generation {known}; if that restore was meant, take a new checkpoint"
            ),
            Self::Foreign => f.write_str(
                "the checkpoint is of another store; if a backup was restored into this one, take a new checkpoint",
            ),
            Self::Unsigned => f.write_str("the checkpoint is not signed by this vault; use the one that it gave out"),
        }
    }
}

/// What a store knows of its past.
#[derive(Debug)]
pub struct History {
    marks: Marks,
    restorations: Restorations,
    key: VerifyingKey,
}

/// The checkpoints that a store gave out, the newest last.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Marks {
    list: Vec<Mark>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    id: String,
    generation: u64,
}

impl Record for Marks {}

impl Marks {
    const KEY: &'static str = "checkpoints";

    /// Whether the store must know a checkpoint of this generation, for it has forgotten none that is as new.
    fn would_know(&self, generation: u64) -> bool {
        self.list.len() < REMEMBERED || self.list.first().is_some_and(|oldest| generation >= oldest.generation)
    }
}

impl Checkpoint {
    /// Reads a checkpoint.
    pub fn parse(json: &[u8]) -> Result<Self> {
        let foreign =
            || Error::invalid("this is no checkpoint of Arca; give the file that `arca operator checkpoint` wrote");
        let checkpoint: Self = serde_json::from_slice(json).map_err(|_| foreign())?;
        if checkpoint.format != FORMAT || checkpoint.version != 1 || Lineage::parse(&checkpoint.lineage).is_none() {
            return Err(foreign());
        }
        Ok(checkpoint)
    }

    /// Compares it with a store: with what `history` tells, if that can be read, or with its generation alone.
    pub fn compare(&self, now: Generation, history: Option<&History>) -> Result<(), Regress> {
        if history.is_some_and(|history| !history.key.verifies_statement(&self.statement(), &self.signature)) {
            return Err(Regress::Unsigned);
        }
        let lineage = Lineage::parse(&self.lineage);
        if lineage == Some(now.lineage) {
            if now.number < self.generation {
                return Err(Regress::Older { known: self.generation, found: now.number });
            }
        } else {
            let mut restorations = history.iter().flat_map(|history| &history.restorations.list).rev();
            let of_this = restorations
                .find_map(|one| one.generation().filter(|of| Some(of.lineage) == lineage).zip(Some(one.time)));
            let (of, time) = of_this.ok_or(Regress::Foreign)?;
            if of.number < self.generation {
                return Err(Regress::Restored { time, known: self.generation, found: of.number });
            }
        }
        let marks = history.map(|history| &history.marks);
        let forgotten =
            |marks: &&Marks| marks.would_know(self.generation) && !marks.list.iter().any(|mark| mark.id == self.mark);
        if marks.as_ref().is_some_and(forgotten) { Err(Regress::WrittenOn) } else { Ok(()) }
    }

    /// The signed text: a name for the purpose, then one value a line.
    fn statement(&self) -> String {
        let Self { format: _, version: _, cluster_id, lineage, generation, mark, time, key, signature: _ } = self;
        format!("arca-store-checkpoint-v1\n{cluster_id}\n{lineage}\n{generation}\n{mark}\n{time}\n{key}\n")
    }
}

impl History {
    /// What the store behind `barrier` knows of its past; `key` is that of its audit logs.
    pub(super) async fn load(barrier: &Arc<Barrier>, key: VerifyingKey) -> Result<Self> {
        let core = barrier.view(Scope::new(ROOT_NAMESPACE, "core"));
        let marks = core.get(Marks::KEY).await?.unwrap_or_default();
        let restorations = core.get(Restorations::KEY).await?.unwrap_or_default();
        Ok(Self { marks, restorations, key })
    }

    /// The restores that made the store what it is.
    pub fn restorations(&self) -> &Restorations {
        &self.restorations
    }
}

impl Core {
    /// A checkpoint of the store, which is remembered once `txn` is committed.
    pub async fn checkpoint(&self, txn: &mut Txn) -> Result<Checkpoint> {
        let Generation { lineage, number } = self.parts.storage.generation().await?;
        let mark = self.parts.entropy.uuid()?;
        let core = self.view("core");
        let mut marks: Marks = core.fetch(txn, Marks::KEY).await?.unwrap_or_default();
        marks.list.push(Mark { id: mark.clone(), generation: number });
        let too_many = marks.list.len().saturating_sub(REMEMBERED);
        drop(marks.list.drain(..too_many));
        core.put(txn, Marks::KEY, &marks)?;
        let mut checkpoint = Checkpoint {
            format: FORMAT.to_owned(),
            version: 1,
            cluster_id: self.cluster.id.clone(),
            lineage: lineage.to_string(),
            generation: number,
            mark,
            time: self.parts.clock.now(),
            key: self.audit_key.id().to_owned(),
            signature: String::new(),
        };
        checkpoint.signature = self.signing_key.sign_statement(&checkpoint.statement());
        Ok(checkpoint)
    }

    /// What the store knows of its past.
    pub async fn history(&self) -> Result<History> {
        History::load(&self.barrier, self.audit_key.clone()).await
    }
}

/// What the fuzz target runs: a checkpoint is read as what is written of it, and none is believed that `key` has not signed.
#[doc(hidden)]
pub fn fuzz(json: &[u8], key: VerifyingKey) {
    let Ok(checkpoint) = Checkpoint::parse(json) else { return };
    let again = serde_json::to_vec(&checkpoint).map(|json| Checkpoint::parse(&json));
    assert!(again.is_ok_and(|again| again.is_ok_and(|again| again == checkpoint)));
    let history = History { marks: Marks::default(), restorations: Restorations::default(), key };
    let Some(lineage) = Lineage::parse(&checkpoint.lineage) else { return };
    for number in [0, checkpoint.generation, u64::MAX] {
        let now = Generation { lineage, number };
        assert_eq!(checkpoint.compare(now, None).is_ok(), number >= checkpoint.generation);
        assert_eq!(checkpoint.compare(now, Some(&history)), Err(Regress::Unsigned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::SigningKey;
    use crate::entropy::SeededEntropy;
    use crate::vault::restoring::Restoration;

    const OURS: [u8; 16] = [1; 16];
    const EARLIER: [u8; 16] = [2; 16];

    fn key(seed: u64) -> SigningKey {
        SigningKey::from_pkcs8(&SigningKey::generate(&SeededEntropy::new(seed)).unwrap()).unwrap()
    }

    fn checkpoint(lineage: [u8; 16], generation: u64, mark: &str) -> Checkpoint {
        let mut checkpoint = Checkpoint {
            format: FORMAT.to_owned(),
            version: 1,
            cluster_id: "c".to_owned(),
            lineage: Lineage::new(lineage).to_string(),
            generation,
            mark: mark.to_owned(),
            time: Timestamp::from_unix_seconds(0),
            key: key(1).verifying_key().id().to_owned(),
            signature: String::new(),
        };
        checkpoint.signature = key(1).sign_statement(&checkpoint.statement());
        checkpoint
    }

    fn history(marks: &[(&str, u64)], restored: &[u64]) -> History {
        let marks = marks.iter().map(|(id, generation)| Mark { id: (*id).to_owned(), generation: *generation });
        let (time, lineage) = (Timestamp::from_unix_seconds(9), Lineage::new(EARLIER).to_string());
        let one = |number: &u64| {
            let json = serde_json::json!({"time": time, "taken": time, "lineage": lineage, "generation": number});
            serde_json::from_value::<Restoration>(json).unwrap()
        };
        History {
            marks: Marks { list: marks.collect() },
            restorations: Restorations { list: restored.iter().map(one).collect() },
            key: key(1).verifying_key(),
        }
    }

    fn at(number: u64) -> Generation {
        Generation { lineage: Lineage::new(OURS), number }
    }

    #[test]
    fn a_store_that_went_on_is_good() {
        let known = history(&[("a", 10), ("b", 20)], &[]);
        for (generation, mark) in [(10, "a"), (20, "b")] {
            let checkpoint = checkpoint(OURS, generation, mark);
            assert_eq!(checkpoint.compare(at(20), Some(&known)), Ok(()));
            assert_eq!(checkpoint.compare(at(2000), Some(&known)), Ok(()));
            assert_eq!(checkpoint.compare(at(20), None), Ok(()));
            let json = serde_json::to_vec(&checkpoint).unwrap();
            assert_eq!(Checkpoint::parse(&json).unwrap(), checkpoint);
        }
    }

    #[test]
    fn an_older_store_is_told_by_its_number_and_by_what_it_does_not_know() {
        let checkpoint = checkpoint(OURS, 20, "b");
        let older = history(&[("a", 10)], &[]);
        let expected = Err(Regress::Older { known: 20, found: 15 });
        assert_eq!(checkpoint.compare(at(15), Some(&older)), expected);
        assert_eq!(checkpoint.compare(at(15), None), expected);
        assert_eq!(checkpoint.compare(at(99), Some(&older)), Err(Regress::WrittenOn));
        assert_eq!(checkpoint.compare(at(99), None), Ok(()), "nothing more can be told without keys");
    }

    #[test]
    fn a_checkpoint_that_was_forgotten_is_told_by_its_number_alone() {
        let names: Vec<String> = (0..REMEMBERED).map(|n| format!("m{n}")).collect();
        let marks: Vec<_> = names.iter().zip(100..).map(|(name, number)| (name.as_str(), number)).collect();
        let full = history(&marks, &[]);
        assert_eq!(checkpoint(OURS, 50, "gone").compare(at(999), Some(&full)), Ok(()));
        assert_eq!(checkpoint(OURS, 120, "gone").compare(at(999), Some(&full)), Err(Regress::WrittenOn));
    }

    #[test]
    fn a_restore_is_named() {
        let known = history(&[("a", 10)], &[15]);
        assert_eq!(checkpoint(EARLIER, 10, "a").compare(at(3), Some(&known)), Ok(()));
        let lost = checkpoint(EARLIER, 20, "b").compare(at(3), Some(&known));
        let time = Timestamp::from_unix_seconds(9);
        assert_eq!(lost, Err(Regress::Restored { time, known: 20, found: 15 }));
        assert_eq!(checkpoint(EARLIER, 10, "a").compare(at(3), None), Err(Regress::Foreign));
        assert_eq!(checkpoint([7; 16], 10, "a").compare(at(30), Some(&known)), Err(Regress::Foreign));
    }

    #[test]
    fn a_forged_checkpoint_is_refused() {
        let known = history(&[("a", 10)], &[]);
        let mut forged = checkpoint(OURS, 10, "a");
        forged.generation = 5;
        assert_eq!(forged.compare(at(20), Some(&known)), Err(Regress::Unsigned));
        let other = History { key: key(2).verifying_key(), ..known };
        assert_eq!(checkpoint(OURS, 10, "a").compare(at(20), Some(&other)), Err(Regress::Unsigned));
        for garbage in ["", "{}", "[]", r#"{"format":"arca-checkpoint","version":1}"#] {
            assert!(Checkpoint::parse(garbage.as_bytes()).is_err());
        }
    }
}
