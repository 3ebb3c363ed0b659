use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::api::Ttl;
use crate::entropy::SeededEntropy;
use crate::schedule::{alone, explore};
use crate::secret::RootKey;
use crate::storage::fault::{FaultyStorage, Moment};
use crate::storage::{MemoryStorage, SteppedStorage, StorageError};
use crate::time::ManualClock;

struct Fixture {
    store: TokenStore,
    barrier: Arc<Barrier>,
    storage: Arc<FaultyStorage>,
    clock: Arc<ManualClock>,
}

async fn fixture() -> Fixture {
    let entropy = Arc::new(SeededEntropy::new(3));
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1000)));
    let root = RootKey::generate(&*entropy).unwrap();
    let storage = Arc::new(FaultyStorage::new(Arc::new(MemoryStorage::new())));
    let mut txn = Txn::new();
    let barrier = Barrier::create(storage.clone(), &root, entropy.clone(), clock.now(), &mut txn).unwrap();
    barrier.commit(txn).await.unwrap();
    let key = TokenKey::generate(&*entropy).unwrap();
    let store = TokenStore::new(barrier.clone(), &key, entropy, clock.clone());
    Fixture { store, barrier, storage, clock }
}

fn record(ttl: u64, uses: u64) -> TokenRecord {
    let created = Timestamp::from_unix_seconds(1000);
    TokenRecord {
        accessor: String::new(),
        parent: None,
        policies: vec!["default".to_owned()],
        path: "auth/token/create".to_owned(),
        metadata: BTreeMap::new(),
        display_name: "token".to_owned(),
        uses: Uses::of(uses),
        created,
        ttl: Ttl::from_seconds(ttl),
        creation_ttl: Ttl::from_seconds(ttl),
        expires: (ttl > 0).then(|| created.plus(Duration::from_secs(ttl))),
        last_renewal: None,
        renewable: true,
        period: Ttl::default(),
        explicit_max_ttl: Ttl::default(),
        entity_id: String::new(),
        bound_cidrs: Vec::new(),
        role: String::new(),
        identity: None,
        batch: false,
        namespace_id: "root".to_owned(),
    }
}

async fn issue(f: &Fixture, token_type: TokenType, parent: Option<String>, mut record: TokenRecord) -> Issued {
    let mut txn = Txn::new();
    record.batch = token_type == TokenType::Batch;
    record.parent.clone_from(&parent);
    let new = NewToken { token_type, custom_id: None, parent, record };
    let issued = f.store.issue(new, &mut txn).unwrap();
    f.barrier.commit(txn).await.unwrap();
    issued
}

#[tokio::test]
async fn a_token_is_known_until_it_ends() {
    let f = fixture().await;
    let issued = issue(&f, TokenType::Service, None, record(60, 0)).await;
    let known = f.store.authenticate(&issued.token, None).await.unwrap();
    assert_eq!(known.caller.token_id, issued.id);
    assert!(f.store.by_accessor(&issued.record.accessor).await.unwrap().is_some());
    f.clock.advance(Duration::from_mins(1));
    assert!(f.store.authenticate(&issued.token, None).await.is_err());
    assert!(f.store.by_accessor(&issued.record.accessor).await.unwrap().is_none());
}

#[tokio::test]
async fn uses_are_spent_one_by_one_even_at_once() {
    let f = Arc::new(fixture().await);
    let issued = issue(&f, TokenType::Service, None, record(0, 5)).await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (f, token) = (f.clone(), ClientToken::new(issued.token.expose().to_owned()));
        tries.spawn(async move { f.store.authenticate(&token, None).await.is_ok() });
    }
    let allowed = tries.join_all().await.into_iter().filter(|ok| *ok).count();
    assert_eq!(allowed, 5);
}

/// Two requests that read the same number of uses left are not both given the last one, and nobody is refused for having met
/// another.
#[test]
fn uses_are_told_apart_in_every_order() {
    explore(150, |tasks| {
        let entropy = Arc::new(SeededEntropy::new(3));
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1000)));
        let root = RootKey::generate(&*entropy).unwrap();
        let (records, mut txn) = (Arc::new(MemoryStorage::new()), Txn::new());
        let first = Barrier::create(records.clone(), &root, entropy.clone(), clock.now(), &mut txn).unwrap();
        alone(first.commit(txn)).unwrap();
        let stepped = SteppedStorage::new(records, tasks);
        let barrier = alone(Barrier::unlock(stepped, &root, entropy.clone())).unwrap();
        let key = TokenKey::generate(&*entropy).unwrap();
        let mut txn = Txn::new();
        let store = TokenStore::new(first.clone(), &key, entropy.clone(), clock.clone());
        let new = NewToken { token_type: TokenType::Service, custom_id: None, parent: None, record: record(0, 2) };
        let token = store.issue(new, &mut txn).unwrap().token;
        alone(first.commit(txn)).unwrap();
        let store = Arc::new(TokenStore::new(barrier, &key, entropy, clock));
        let allowed = Arc::new(AtomicUsize::new(0));
        for name in ["a request", "another request", "a third request"] {
            let (store, allowed) = (store.clone(), allowed.clone());
            let token = ClientToken::new(token.expose().to_owned());
            tasks.add(name, async move {
                match store.authenticate(&token, None).await {
                    Ok(_) => drop(allowed.fetch_add(1, Ordering::SeqCst)),
                    Err(error) => assert_eq!(error.to_string(), Error::bad_token().to_string()),
                }
            });
        }
        move || assert_eq!(allowed.load(Ordering::SeqCst), 2)
    });
}

#[tokio::test]
async fn a_use_that_cannot_be_written_is_not_given() {
    let f = fixture().await;
    let issued = issue(&f, TokenType::Service, None, record(0, 1)).await;
    f.storage.fail_commit(f.storage.commits() + 1, Moment::Before, StorageError::Full);
    let error = f.store.authenticate(&issued.token, None).await.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("the disk is full"), "{error}");
    f.store.authenticate(&issued.token, None).await.unwrap();
    assert!(f.store.authenticate(&issued.token, None).await.is_err());
}

#[tokio::test]
async fn what_is_made_for_a_token_needs_it_to_be_good_when_it_is_written() {
    let f = fixture().await;
    let issued = issue(&f, TokenType::Service, None, record(60, 0)).await;
    let made = async || {
        let mut txn = Txn::new();
        f.store.require_good(&issued.id, &mut txn).await.unwrap();
        let (token_type, record) = (TokenType::Service, record(60, 0));
        f.store.issue(NewToken { token_type, custom_id: None, parent: None, record }, &mut txn).unwrap();
        txn
    };
    let (early, late) = (made().await, made().await);
    f.barrier.commit(early).await.unwrap();
    let mut removal = Txn::new();
    f.store.remove(&issued.id, &issued.record, &mut removal).unwrap();
    f.barrier.commit(removal).await.unwrap();
    assert_eq!(f.barrier.commit(late).await.unwrap_err().kind(), crate::error::Kind::Conflict);
    let ended = issue(&f, TokenType::Service, None, record(60, 0)).await;
    f.clock.advance(Duration::from_mins(1));
    for id in [&issued.id, &ended.id] {
        let refused = f.store.require_good(id, &mut Txn::new()).await.unwrap_err();
        assert_eq!(refused.to_string(), Error::bad_token().to_string());
    }
    assert_eq!(format!("{:?}", f.store), "TokenStore { .. }");
}

#[tokio::test]
async fn a_token_is_bound_to_its_networks() {
    let f = fixture().await;
    let mut bound = record(60, 0);
    bound.bound_cidrs = vec!["10.0.0.0/8".to_owned(), "127.0.0.1".to_owned()];
    let issued = issue(&f, TokenType::Service, None, bound).await;
    for (address, allowed) in [("10.1.2.3", true), ("127.0.0.1", true), ("::ffff:10.0.0.1", true), ("11.0.0.1", false)]
    {
        let outcome = f.store.authenticate(&issued.token, Some(address.parse().unwrap())).await;
        assert_eq!(outcome.is_ok(), allowed, "{address}");
    }
    assert!(f.store.authenticate(&issued.token, None).await.is_err());
}

#[tokio::test]
async fn a_batch_token_is_its_own_record_and_ends_with_its_parent() {
    let f = fixture().await;
    let parent = issue(&f, TokenType::Service, None, record(600, 0)).await;
    let batch = issue(&f, TokenType::Batch, Some(parent.id.clone()), record(60, 0)).await;
    assert!(batch.token.expose().starts_with("b."));
    assert_eq!(f.store.authenticate(&batch.token, None).await.unwrap().caller.accessor, "");
    let mut text = batch.token.expose().to_owned();
    let last = if text.ends_with('A') { 'B' } else { 'A' };
    text.pop();
    text.push(last);
    assert!(f.store.authenticate(&ClientToken::new(text), None).await.is_err());
    let mut txn = Txn::new();
    f.store.remove(&parent.id, &parent.record, &mut txn).unwrap();
    f.barrier.commit(txn).await.unwrap();
    assert!(f.store.authenticate(&batch.token, None).await.is_err());
}

/// What the barrier encrypted for something else, or for another namespace, is no token, though it is well encrypted.
#[tokio::test]
async fn a_batch_token_is_one_of_its_namespace_alone() {
    let f = fixture().await;
    let mut within = record(60, 0);
    within.namespace_id = "abcd".to_owned();
    let token = issue(&f, TokenType::Batch, None, within.clone()).await.token;
    let text = token.expose().strip_suffix(".abcd").unwrap();
    f.store.authenticate(&token, None).await.unwrap();
    within.batch = true;
    let other = f.barrier.seal("ns/root/kv/secret", &serde_json::to_vec(&within).unwrap()).unwrap();
    let other = data_encoding::BASE64URL_NOPAD.encode(&other);
    for forged in [text.to_owned(), format!("{text}.other"), format!("b.{other}"), format!("b.{other}.abcd")] {
        assert!(f.store.authenticate(&ClientToken::new(forged), None).await.is_err());
    }
}

#[tokio::test]
async fn an_unknown_token_is_refused_like_any_other() {
    let f = fixture().await;
    for text in ["", "s.", "s.nope", "b.", "b.AAAA", "b.!!!!", "hvs.abc"] {
        let error = f.store.authenticate(&ClientToken::new(text.to_owned()), None).await.unwrap_err();
        assert_eq!(error.messages(), ["permission denied"], "{text}");
    }
}

#[test]
fn what_is_left_of_a_token_is_told_in_whole_seconds() {
    let at = |millis: i64| Timestamp::from_unix_nanos((1_000_000 + millis) * 1_000_000);
    let (ends, never) = (record(60, 0), record(0, 0));
    for (moment, left) in [(0, 60), (1, 59), (58_000, 2), (59_999, 0), (60_000, 0), (90_000, 0)] {
        assert_eq!((ends.remaining(at(moment)), never.remaining(at(moment))), (left, 0), "after {moment} ms");
        assert_eq!((ends.has_ended(at(moment)), never.has_ended(at(moment))), (moment >= 60_000, false));
    }
    assert_eq!(ends.token_type(), TokenType::Service);
    assert_eq!(TokenRecord { batch: true, ..ends }.token_type(), TokenType::Batch);
}

#[test]
fn uses_are_shown_as_a_number_and_the_last_one_as_minus_one() {
    assert_eq!([Uses::Unlimited, Uses::Left(7), Uses::Spent].map(Uses::shown), [0, 7, -1]);
    assert_eq!([Uses::Unlimited, Uses::Left(7), Uses::Spent].map(Uses::left), [None, Some(7), Some(0)]);
}

#[tokio::test]
async fn what_is_known_of_a_token_is_told_without_spending_it() {
    let f = fixture().await;
    let service = issue(&f, TokenType::Service, None, record(60, 1)).await;
    let batch = issue(&f, TokenType::Batch, None, record(60, 0)).await;
    for issued in [&service, &service, &batch] {
        let known = f.store.look_up(&issued.token).await.unwrap();
        assert_eq!(known, Some((issued.id.clone(), issued.record.clone())));
        assert_eq!(f.store.id_of(&issued.token), issued.id);
    }
    assert_eq!(f.store.look_up(&ClientToken::new("s.nope".to_owned())).await.unwrap(), None);
    f.clock.advance(Duration::from_mins(1));
    for issued in [&service, &batch] {
        assert_eq!(f.store.look_up(&issued.token).await.unwrap(), None, "it has ended");
    }
    assert!(f.store.stored(&service.id).await.unwrap().is_some(), "it is still to be revoked");
}

#[tokio::test]
async fn accessors_are_listed_for_each_namespace() {
    let f = fixture().await;
    let inner = TokenRecord { namespace_id: "abc123".to_owned(), ..record(60, 0) };
    let mut outer = Vec::new();
    for _ in 0..3 {
        outer.push(issue(&f, TokenType::Service, None, record(60, 0)).await.record.accessor);
    }
    let inner = issue(&f, TokenType::Service, None, inner).await;
    outer.sort_unstable();
    assert_eq!(f.store.accessors("root").await.unwrap(), outer);
    assert_eq!(f.store.accessors("abc123").await.unwrap(), [inner.record.accessor]);
    assert_eq!(f.store.accessors("other").await.unwrap(), Vec::<String>::new());
    assert_eq!(f.store.count().await.unwrap(), 4);
}

#[tokio::test]
async fn a_token_has_its_children_until_they_are_removed_or_cut_off() {
    let f = fixture().await;
    let parent = issue(&f, TokenType::Service, None, record(60, 0)).await;
    let mut children = Vec::new();
    for _ in 0..3 {
        children.push(issue(&f, TokenType::Service, Some(parent.id.clone()), record(60, 0)).await);
    }
    let ids = |of: &[Issued]| {
        let mut ids: Vec<String> = of.iter().map(|child| child.id.clone()).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(f.store.children(&parent.id).await.unwrap(), ids(&children));
    let mut txn = Txn::new();
    f.store.remove(&children[0].id, &children[0].record, &mut txn).unwrap();
    f.store.make_orphan(&children[1].id, children[1].record.clone(), &mut txn).unwrap();
    f.barrier.commit(txn).await.unwrap();
    assert_eq!(f.store.children(&parent.id).await.unwrap(), ids(&children[2..]));
    let orphan = f.store.live(&children[1].id).await.unwrap().unwrap();
    assert_eq!(orphan.parent, None);
}

#[tokio::test]
async fn a_sealed_vault_says_that_it_is_and_nothing_about_the_token() {
    let f = fixture().await;
    let batch = issue(&f, TokenType::Batch, None, record(60, 0)).await;
    f.barrier.wipe();
    let error = f.store.authenticate(&batch.token, None).await.unwrap_err();
    assert_eq!(error.kind(), crate::error::Kind::Sealed);
}

#[test]
fn a_token_is_ended_by_a_lease_below_the_path_that_made_it() {
    let root = TokenRecord { path: "auth/approle/login/".to_owned(), ..record(60, 0) };
    assert_eq!(root.lease_id("0a1b"), "auth/approle/login/h0a1b");
    let inner = TokenRecord { namespace_id: "abc123".to_owned(), ..root };
    assert_eq!(inner.lease_id("0a1b"), "auth/approle/login/h0a1b.abc123");
}

#[tokio::test]
async fn pointers_to_tokens_that_are_gone_are_removed_once_they_can_be() {
    let f = fixture().await;
    issue(&f, TokenType::Service, None, record(100, 0)).await;
    assert_eq!(f.store.tidy().await.unwrap(), 0);
    let mut txn = Txn::new();
    let gone = Pointer { id: "nobody".to_owned(), accessor: String::new() };
    f.store.accessors.put(&mut txn, "gone", &gone).unwrap();
    f.barrier.commit(txn).await.unwrap();
    f.storage.fail_commit(f.storage.commits() + 1, Moment::Before, StorageError::Full);
    assert!(f.store.tidy().await.is_err(), "what cannot be removed is told");
    f.storage.fail_commit(f.storage.commits() + 1, Moment::Before, StorageError::Conflict);
    assert_eq!(f.store.tidy().await.unwrap(), 0, "what changed is left for the next time");
    assert_eq!(f.store.tidy().await.unwrap(), 1);
    assert_eq!(f.store.tidy().await.unwrap(), 0);
    let mut txn = Txn::new();
    f.store.accessors.put(&mut txn, "gone", &gone).unwrap();
    for child in ["parent/one", "parent/other", "another/one"] {
        f.store.children.put(&mut txn, child, &gone).unwrap();
    }
    f.barrier.commit(txn).await.unwrap();
    assert_eq!(f.store.tidy().await.unwrap(), 4, "children and accessors alike");
    assert!(f.store.children("parent").await.unwrap().is_empty());
}
