//! The engine against a plain model of it: any sequence of requests leads both to the same secrets.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::Operation::{Delete, Patch, Read, Write};
use crate::engine::StatusCode;
use crate::engine::harness::Harness;

/// Paths that lie in each other, and look like the keys of each other's versions.
const PATHS: [&str; 3] = ["a", "a/1", "a/1/1"];

/// When the harness's clock starts, in seconds since the epoch.
const START: i64 = 1_800_000_000;

#[derive(Clone, Debug)]
enum Step {
    Write { cas: Option<u64> },
    Patch { cas: Option<u64> },
    DeleteCurrent,
    Delete(Vec<u64>),
    Undelete(Vec<u64>),
    Destroy(Vec<u64>),
    Settings { max_versions: u32, delete_after: u64 },
    Remove,
    Config { max_versions: u32, delete_after: u64 },
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let cas = || prop::option::of(0..6_u64);
    let versions = || prop::collection::vec(0..5_u64, 1..4);
    prop_oneof![
        8 => cas().prop_map(|cas| Step::Write { cas: cas.filter(|cas| *cas < 5) }),
        3 => cas().prop_map(|cas| Step::Patch { cas }),
        2 => Just(Step::DeleteCurrent),
        2 => versions().prop_map(Step::Delete),
        2 => versions().prop_map(Step::Undelete),
        2 => versions().prop_map(Step::Destroy),
        2 => (0..5_u32, 0..20_u64)
            .prop_map(|(max_versions, delete_after)| Step::Settings { max_versions, delete_after }),
        1 => Just(Step::Remove),
        1 => (0..4_u32, 0..20_u64).prop_map(|(max_versions, delete_after)| Step::Config { max_versions, delete_after }),
        2 => (1..10_u64).prop_map(Step::Wait),
    ]
}

/// A version in the model: what was written, when it is deleted in seconds from the start, whether it was destroyed.
#[derive(Clone, Debug)]
struct Kept {
    data: Value,
    deleted: Option<u64>,
    destroyed: bool,
}

#[derive(Clone, Debug, Default)]
struct Known {
    /// All versions that were ever written; those that were let go are nothing.
    versions: Vec<Option<Kept>>,
    max_versions: u32,
    delete_after: u64,
    /// The oldest version, once there have been as many as are kept; 0 before.
    oldest: usize,
}

#[derive(Debug, Default)]
struct Model {
    secrets: BTreeMap<&'static str, Known>,
    max_versions: u32,
    delete_after: u64,
    now: u64,
    written: u64,
}

impl Model {
    fn deletion(&self, known: &Known) -> Option<u64> {
        let lengths = [self.delete_after, known.delete_after];
        lengths.into_iter().filter(|length| *length > 0).min().map(|length| self.now + length)
    }

    fn live(&self, kept: &Kept) -> bool {
        !kept.destroyed && kept.deleted.is_none_or(|deleted| deleted > self.now)
    }

    /// Whether a write goes through; it writes if so.
    fn write(&mut self, path: &'static str, cas: Option<u64>, patch: bool) -> bool {
        let known = self.secrets.get(path).cloned();
        let current = known.as_ref().map_or(0, |known| known.versions.len() as u64);
        if cas.is_some_and(|cas| cas != current) {
            return false;
        }
        let mut known = known.unwrap_or_default();
        self.written += 1;
        let mut data = json!({"n": self.written});
        if patch {
            let Some(old) = known.versions.last().cloned().flatten().filter(|kept| self.live(kept)) else {
                return false;
            };
            data = old.data;
            data[format!("patched{}", self.written % 3)] = json!(self.written);
        }
        let deleted = self.deletion(&known);
        known.versions.push(Some(Kept { data, deleted, destroyed: false }));
        let limit = match self.max_versions.max(known.max_versions) {
            0 => 10,
            limit => limit as usize,
        };
        let gone = known.versions.len().saturating_sub(limit);
        known.versions[..gone].fill(None);
        if known.versions.len() >= limit {
            known.oldest = gone + 1;
        }
        self.secrets.insert(path, known);
        true
    }

    /// Changes each of the versions that is there.
    fn each(&mut self, path: &str, versions: &[u64], change: impl Fn(&mut Kept, u64, Option<u64>)) {
        let now = self.now;
        let Some(mut known) = self.secrets.get(path).cloned() else { return };
        let deletion = self.deletion(&known);
        for number in versions {
            let index = usize::try_from(*number).unwrap().checked_sub(1);
            if let Some(Some(kept)) = index.and_then(|index| known.versions.get_mut(index)) {
                change(kept, now, deletion);
            }
        }
        *self.secrets.get_mut(path).unwrap() = known;
    }
}

fn delete(kept: &mut Kept, now: u64, _: Option<u64>) {
    if !kept.destroyed && kept.deleted.is_none_or(|deleted| deleted > now) {
        kept.deleted = Some(now);
    }
}

fn undelete(kept: &mut Kept, _: u64, deletion: Option<u64>) {
    if !kept.destroyed {
        kept.deleted = deletion;
    }
}

fn destroy(kept: &mut Kept, _: u64, _: Option<u64>) {
    kept.destroyed = true;
}

/// Takes one step in both.
async fn take(kv: &Harness<Kv2>, model: &mut Model, path: &'static str, step: Step) {
    let call = async |operation, word: &str, body: Value| kv.call(operation, &format!("{word}/{path}"), body).await;
    let options = |cas: Option<u64>| cas.map_or(json!({}), |cas| json!({"cas": cas}));
    match step {
        Step::Write { cas } => {
            let written = model.write(path, cas, false);
            let body = json!({"data": {"n": model.written}, "options": options(cas)});
            assert_eq!(call(Write, "data", body).await.is_ok(), written);
        }
        Step::Patch { cas } => {
            let written = model.write(path, cas, true);
            let name = format!("patched{}", model.written % 3);
            let body = json!({"data": {name: model.written}, "options": options(cas)});
            let answer = call(Patch, "data", body).await;
            assert_eq!(answer.is_ok_and(|answer| answer.status == StatusCode::OK), written);
        }
        Step::DeleteCurrent => {
            let current = model.secrets.get(path).map_or(0, |known| known.versions.len() as u64);
            model.each(path, &[current], delete);
            call(Delete, "data", Value::Null).await.unwrap();
        }
        Step::Delete(versions) => {
            model.each(path, &versions, delete);
            call(Write, "delete", json!({"versions": versions})).await.unwrap();
        }
        Step::Undelete(versions) => {
            model.each(path, &versions, undelete);
            call(Write, "undelete", json!({"versions": versions})).await.unwrap();
        }
        Step::Destroy(versions) => {
            model.each(path, &versions, destroy);
            call(Write, "destroy", json!({"versions": versions})).await.unwrap();
        }
        Step::Settings { max_versions, delete_after } => {
            let known = model.secrets.entry(path).or_default();
            (known.max_versions, known.delete_after) = (max_versions, delete_after);
            let body = json!({"max_versions": max_versions, "delete_version_after": delete_after});
            call(Write, "metadata", body).await.unwrap();
        }
        Step::Remove => {
            model.secrets.remove(path);
            call(Delete, "metadata", Value::Null).await.unwrap();
        }
        Step::Config { max_versions, delete_after } => {
            (model.max_versions, model.delete_after) = (max_versions, delete_after);
            let body = json!({"max_versions": max_versions, "delete_version_after": delete_after});
            kv.call(Write, "config", body).await.unwrap();
        }
        Step::Wait(seconds) => {
            model.now += seconds;
            kv.advance(seconds);
        }
    }
}

/// Compares all that can be read at `path`.
async fn compare(kv: &Harness<Kv2>, model: &Model, path: &str) {
    let metadata = kv.data(Read, &format!("metadata/{path}"), Value::Null).await;
    let Some(known) = model.secrets.get(path) else { return assert!(metadata.is_err()) };
    let metadata = metadata.unwrap();
    assert_eq!(metadata["current_version"], known.versions.len());
    let left = known.versions.iter().flatten().count();
    assert_eq!(metadata["versions"].as_object().unwrap().len(), left);
    assert_eq!(metadata["oldest_version"], known.oldest);
    for (index, kept) in known.versions.iter().enumerate() {
        let answer = kv.data(Read, &format!("data/{path}"), json!({"version": index + 1})).await;
        let Some(kept) = kept else {
            assert!(answer.is_err());
            continue;
        };
        let answer = answer.unwrap();
        assert_eq!(answer["data"], if model.live(kept) { kept.data.clone() } else { Value::Null });
        assert_eq!(answer["metadata"]["destroyed"], kept.destroyed);
        let moment = |seconds| Timestamp::from_unix_seconds(START + i64::try_from(seconds).unwrap()).to_string();
        assert_eq!(answer["metadata"]["deletion_time"], kept.deleted.map(moment).unwrap_or_default());
    }
}

/// The keys that the store must have for what the model knows, and no others.
fn keys(model: &Model) -> Vec<String> {
    let mut keys = Vec::new();
    for (path, known) in &model.secrets {
        keys.push(format!("meta/{path}"));
        let older = known.versions.iter().rev().skip(1).rev().enumerate();
        let stored = older.filter(|(_, kept)| kept.as_ref().is_some_and(|kept| !kept.destroyed));
        keys.extend(stored.map(|(index, _)| format!("version/{path}/{}", index + 1)));
    }
    keys.sort_unstable();
    keys
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_sequence_of_requests_does_what_the_model_does(
        steps in prop::collection::vec((0..PATHS.len(), step()), 1..80),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let kv = Harness::<Kv2>::open(Value::Null).await;
            let mut model = Model::default();
            for (index, step) in steps {
                let path = PATHS[index];
                take(&kv, &mut model, path, step).await;
                compare(&kv, &model, path).await;
            }
            for path in PATHS {
                compare(&kv, &model, path).await;
            }
            let mut stored = kv.view.scan("").await.unwrap();
            stored.retain(|key| key != "config");
            assert_eq!(stored, keys(&model));
        });
    }
}
