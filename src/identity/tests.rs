use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use proptest::prelude::*;

use super::*;
use crate::barrier::{Barrier, Scope};
use crate::entropy::SeededEntropy;
use crate::error::Kind;
use crate::secret::RootKey;
use crate::storage::MemoryStorage;
use crate::time::ManualClock;

struct Fixture {
    store: IdentityStore,
    barrier: Arc<Barrier>,
}

async fn fixture() -> Fixture {
    let entropy = Arc::new(SeededEntropy::new(3));
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1000)));
    let root = RootKey::generate(&*entropy).unwrap();
    let mut txn = Txn::new();
    let storage = Arc::new(MemoryStorage::new());
    let barrier = Barrier::create(storage, &root, entropy.clone(), clock.now(), &mut txn).unwrap();
    barrier.commit(txn).await.unwrap();
    let store = IdentityStore::new(&barrier.view(Scope::new("root", "identity")), "root", entropy, clock);
    Fixture { store, barrier }
}

fn named(name: &str) -> EntityChange {
    EntityChange { name: Some(name.to_owned()), ..EntityChange::default() }
}

fn alias(name: &str, accessor: &str, entity: &Entity) -> AliasChange {
    AliasChange {
        name: Some(name.to_owned()),
        mount_accessor: Some(accessor.to_owned()),
        entity_id: Some(entity.id.clone()),
        ..AliasChange::default()
    }
}

fn group_of(name: &str, entities: &[&str], groups: &[&str]) -> GroupChange {
    let owned = |ids: &[&str]| Some(ids.iter().map(|id| (*id).to_owned()).collect());
    GroupChange {
        name: Some(name.to_owned()),
        policies: Some(vec![format!("p-{name}")]),
        member_entity_ids: owned(entities),
        member_group_ids: owned(groups),
        ..GroupChange::default()
    }
}

impl Fixture {
    async fn commit(&self, txn: Txn) {
        self.barrier.commit(txn).await.unwrap();
    }

    async fn entity(&self, change: EntityChange) -> Entity {
        let mut txn = Txn::new();
        let (entity, _) = self.store.write_entity(change, &mut txn).await.unwrap();
        self.commit(txn).await;
        entity
    }

    async fn alias(&self, change: AliasChange) -> Result<String> {
        let mut txn = Txn::new();
        let (_, id) = self.store.write_alias(change, &mut txn).await?;
        self.commit(txn).await;
        Ok(id)
    }

    async fn group(&self, change: GroupChange) -> Result<Group> {
        let mut txn = Txn::new();
        let (group, _) = self.store.write_group(change, &mut txn).await?;
        self.commit(txn).await;
        Ok(group)
    }

    async fn external(&self, name: &str, accessor: &str) -> Group {
        let kind = Some(GroupKind::External);
        let change = GroupChange { kind, policies: Some(vec![format!("p-{name}")]), ..GroupChange::default() };
        let group = self.group(GroupChange { name: Some(name.to_owned()), ..change }).await.unwrap();
        let change = GroupAliasChange {
            name: name.to_owned(),
            mount_accessor: accessor.to_owned(),
            group_id: Some(group.id),
            ..GroupAliasChange::default()
        };
        let mut txn = Txn::new();
        let (group, _) = self.store.write_group_alias(change, &mut txn).await.unwrap();
        self.commit(txn).await;
        group
    }

    /// Logs in at a mount; gives the facts and whether anything had to be written.
    async fn log_in(&self, accessor: &str, alias: &str, groups: &[&str]) -> (Arc<Facts>, bool) {
        let groups: Vec<String> = groups.iter().map(|name| (*name).to_owned()).collect();
        let metadata = BTreeMap::new();
        let login = AliasLogin { accessor, local: false, alias, metadata: &metadata, groups: &groups };
        let mut txn = Txn::new();
        let facts = self.store.log_in(&login, &mut txn).await.unwrap();
        let wrote = !txn.is_empty();
        self.commit(txn).await;
        (facts, wrote)
    }

    async fn policies(&self, id: &str) -> Vec<String> {
        self.store.facts(id).await.unwrap().map(|facts| facts.policies.clone()).unwrap_or_default()
    }
}

#[tokio::test]
async fn names_are_found_whatever_their_case_and_taken_once() {
    let f = fixture().await;
    let ann = f.entity(named("Ann/Of Green")).await;
    assert_eq!(f.store.entity_by_name("ann/of GREEN").await.unwrap().unwrap().id, ann.id);
    assert_eq!(f.entity(named("ANN/of green")).await.id, ann.id, "the same one is changed");
    let bob = f.entity(named("bob")).await;
    let taken = EntityChange { id: Some(bob.id.clone()), ..named("ann/of green") };
    assert!(f.store.write_entity(taken, &mut Txn::new()).await.is_err());
    f.entity(EntityChange { id: Some(bob.id.clone()), ..named("robert") }).await;
    assert!(f.store.entity_by_name("bob").await.unwrap().is_none());
    assert_eq!(f.store.entity_by_name("Robert").await.unwrap().unwrap().id, bob.id);
    let nobody = EntityChange { id: Some("nobody".to_owned()), ..EntityChange::default() };
    assert!(f.store.write_entity(nobody, &mut Txn::new()).await.is_err());
    let anonymous = f.entity(EntityChange::default()).await;
    assert!(
        anonymous.name.starts_with("entity_")
            && anonymous.name.split_once('.').is_some_and(|(_, suffix)| suffix == "root"),
        "{}",
        anonymous.name
    );
}

#[tokio::test]
async fn two_first_logins_at_once_make_one_entity() {
    let f = fixture().await;
    let metadata = BTreeMap::new();
    let login = AliasLogin { accessor: "acc", local: false, alias: "ann", metadata: &metadata, groups: &[] };
    let (mut first, mut second) = (Txn::new(), Txn::new());
    let made = f.store.log_in(&login, &mut first).await.unwrap();
    f.store.log_in(&login, &mut second).await.unwrap();
    f.commit(first).await;
    assert_eq!(f.barrier.commit(second).await.unwrap_err().kind(), Kind::Conflict);
    let (again, wrote) = f.log_in("acc", "ANN", &[]).await;
    assert_eq!((again.entity_id.as_str(), wrote), (made.entity_id.as_str(), false));
    assert_eq!(f.store.count_entities().await.unwrap(), 1);
}

#[tokio::test]
async fn a_known_login_writes_nothing_until_something_is_new() {
    let f = fixture().await;
    let devs = f.external("devs", "acc").await;
    f.external("others", "acc2").await;
    let (facts, wrote) = f.log_in("acc", "ann", &["devs", "others", "unknown"]).await;
    assert!(wrote);
    assert_eq!(facts.policies, ["p-devs"], "a group of another mount of the same name is another group");
    assert_eq!(f.store.members(&devs.id).await.unwrap(), std::slice::from_ref(&facts.entity_id));
    assert!(!f.log_in("acc", "ann", &["DEVS"]).await.1);
    let (facts, wrote) = f.log_in("acc", "ann", &[]).await;
    assert!(wrote && facts.policies.is_empty());
    assert!(f.store.members(&devs.id).await.unwrap().is_empty());
    let metadata = BTreeMap::from([("role".to_owned(), "web".to_owned())]);
    let login = AliasLogin { accessor: "acc", local: false, alias: "ann", metadata: &metadata, groups: &[] };
    let mut txn = Txn::new();
    f.store.log_in(&login, &mut txn).await.unwrap();
    assert!(!txn.is_empty());
    f.commit(txn).await;
    let facts = f.store.facts(&facts.entity_id).await.unwrap().unwrap();
    let entity = facts.template.entity.as_ref().unwrap();
    assert_eq!(entity.aliases["acc"].metadata["role"], "web");
}

#[tokio::test]
async fn whoever_joins_while_an_alias_is_taken_away_leaves_with_it() {
    let f = fixture().await;
    let devs = f.external("devs", "acc").await;
    let alias_id = devs.alias.as_ref().unwrap().id.clone();
    let (metadata, groups) = (BTreeMap::new(), ["devs".to_owned()]);
    let login = AliasLogin { accessor: "acc", local: false, alias: "ann", metadata: &metadata, groups: &groups };
    let (mut joins, mut goes) = (Txn::new(), Txn::new());
    let ann = f.store.log_in(&login, &mut joins).await.unwrap();
    let mut taken = Box::pin(f.store.delete_group_alias(&alias_id, &mut goes));
    let early = (&mut taken).now_or_never();
    f.commit(joins).await;
    assert!(match early {
        Some(taken) => taken.unwrap(),
        None => taken.as_mut().await.unwrap(),
    });
    drop(taken);
    f.commit(goes).await;
    assert!(f.store.members(&devs.id).await.unwrap().is_empty());
    assert!(f.policies(&ann.entity_id).await.is_empty());
    assert!(f.log_in("acc", "ann", &["devs"]).await.0.policies.is_empty());
}

#[tokio::test]
async fn a_group_that_no_mount_decides_about_is_left() {
    let f = fixture().await;
    let (ann, _) = f.log_in("acc", "ann", &[]).await;
    let change = GroupChange { kind: Some(GroupKind::External), ..group_of("devs", &[], &[]) };
    let devs = f.group(change).await.unwrap();
    let mut txn = Txn::new();
    let mut entity = f.store.entity(&ann.entity_id).await.unwrap().unwrap();
    entity.group_ids.push(devs.id.clone());
    f.store.put_entity(&entity, &mut txn).unwrap();
    f.store.members.put(&mut txn, &format!("{}/{}", devs.id, entity.id), &Pointer::to(&entity.id)).unwrap();
    f.commit(txn).await;
    assert_eq!(f.policies(&entity.id).await, ["p-devs"]);
    assert!(f.log_in("acc", "ann", &[]).await.0.policies.is_empty());
    assert!(f.store.members(&devs.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_internal_group_is_not_left_by_a_login() {
    let f = fixture().await;
    let (facts, _) = f.log_in("acc", "ann", &[]).await;
    f.group(group_of("in", &[&facts.entity_id], &[])).await.unwrap();
    let (facts, wrote) = f.log_in("acc", "ann", &[]).await;
    assert_eq!((facts.policies.as_slice(), wrote), (&["p-in".to_owned()][..], false));
}

#[tokio::test]
async fn groups_give_their_policies_to_all_below_and_make_no_circle() {
    let f = fixture().await;
    let ann = f.entity(named("ann")).await;
    let low = f.group(group_of("low", &[&ann.id], &[])).await.unwrap();
    let middle = f.group(group_of("middle", &[], &[&low.id])).await.unwrap();
    let top = f.group(group_of("top", &[], &[&middle.id])).await.unwrap();
    assert_eq!(f.policies(&ann.id).await, ["p-low", "p-middle", "p-top"]);
    let facts = f.store.facts(&ann.id).await.unwrap().unwrap();
    assert_eq!(facts.direct_group_ids, std::slice::from_ref(&low.id));
    for (group, member) in [("low", &top), ("low", &low), ("middle", &top)] {
        assert!(f.group(group_of(group, &[], &[&member.id])).await.is_err(), "{group}");
    }
    assert!(f.group(group_of("low", &["nobody"], &[])).await.is_err());
    f.group(group_of("middle", &[], &[])).await.unwrap();
    assert_eq!(f.policies(&ann.id).await, ["p-low"]);
    let mut txn = Txn::new();
    assert!(f.store.delete_group(&low.id, &mut txn).await.unwrap());
    f.commit(txn).await;
    assert!(f.policies(&ann.id).await.is_empty());
    assert!(f.store.entity(&ann.id).await.unwrap().unwrap().group_ids.is_empty());
}

#[tokio::test]
async fn two_changes_at_once_close_no_circle() {
    let f = fixture().await;
    let a = f.group(group_of("a", &[], &[])).await.unwrap();
    let b = f.group(group_of("b", &[], &[])).await.unwrap();
    let c = f.group(group_of("c", &[], &[])).await.unwrap();
    f.group(group_of("b", &[], &[&c.id])).await.unwrap();
    let (mut first, mut second) = (Txn::new(), Txn::new());
    f.store.write_group(group_of("a", &[], &[&b.id]), &mut first).await.unwrap();
    f.store.write_group(group_of("c", &[], &[&a.id]), &mut second).await.unwrap();
    f.commit(first).await;
    assert_eq!(f.barrier.commit(second).await.unwrap_err().kind(), Kind::Conflict);
    assert!(f.group(group_of("c", &[], &[&a.id])).await.is_err());
}

#[tokio::test]
async fn an_entity_that_is_deleted_meanwhile_does_not_join() {
    let f = fixture().await;
    let ann = f.entity(named("ann")).await;
    let mut joins = Txn::new();
    f.store.write_group(group_of("g", &[&ann.id], &[]), &mut joins).await.unwrap();
    let mut goes = Txn::new();
    f.store.delete_entity(&ann.id, &mut goes).await.unwrap();
    f.commit(goes).await;
    assert_eq!(f.barrier.commit(joins).await.unwrap_err().kind(), Kind::Conflict);
}

#[tokio::test]
async fn an_alias_is_of_one_entity_and_an_entity_has_one_a_mount() {
    let f = fixture().await;
    let (ann, bob) = (f.entity(named("ann")).await, f.entity(named("bob")).await);
    let id = f.alias(alias("a", "acc", &ann)).await.unwrap();
    assert_eq!(f.alias(alias("A", "acc", &ann)).await.unwrap(), id, "the same one is changed");
    assert!(f.alias(alias("other", "acc", &ann)).await.is_err());
    f.alias(alias("b", "acc", &bob)).await.unwrap();
    let takes = AliasChange { id: Some(id.clone()), name: Some("b".to_owned()), ..AliasChange::default() };
    assert!(f.alias(takes).await.is_err(), "another's name is not taken, nor are the two merged");
    let moves = AliasChange { id: Some(id.clone()), entity_id: Some(bob.id.clone()), ..AliasChange::default() };
    assert!(f.alias(moves.clone()).await.is_err());
    let eve = f.entity(named("eve")).await;
    f.alias(AliasChange { entity_id: Some(eve.id.clone()), ..moves }).await.unwrap();
    assert_eq!(f.store.entity_by_alias("acc", "a").await.unwrap().unwrap().id, eve.id);
    assert!(f.store.entity(&ann.id).await.unwrap().unwrap().aliases.is_empty());
    let mut txn = Txn::new();
    assert!(f.store.delete_alias(&id, &mut txn).await.unwrap());
    f.commit(txn).await;
    assert!(f.store.entity_of_alias(&id).await.unwrap().is_none());
    assert_ne!(f.log_in("acc", "a", &[]).await.0.entity_id, eve.id);
}

#[tokio::test]
async fn a_merged_entity_lives_on_in_the_other() {
    let f = fixture().await;
    let (ann, _) = f.log_in("acc", "ann", &[]).await;
    let (bob, _) = f.log_in("acc2", "bob", &[]).await;
    let (eve, _) = f.log_in("acc", "eve", &[]).await;
    f.group(group_of("g", &[&bob.entity_id], &[])).await.unwrap();
    let merge = |from: &Facts, keep: &[&str]| Merge {
        from: vec![from.entity_id.clone()],
        to: ann.entity_id.clone(),
        keep_aliases: keep.iter().map(|id| (*id).to_owned()).collect(),
    };
    let mut txn = Txn::new();
    f.store.merge_entities(merge(&bob, &[]), &mut txn).await.unwrap();
    f.commit(txn).await;
    assert_eq!(f.policies(&bob.entity_id).await, ["p-g"], "a token of the merged one is one of the other");
    assert!(f.store.entity(&bob.entity_id).await.unwrap().is_none());
    assert_eq!(f.log_in("acc2", "bob", &[]).await.0.entity_id, ann.entity_id);
    assert!(f.store.merge_entities(merge(&eve, &[]), &mut Txn::new()).await.is_err());
    let kept = f.store.entity(&eve.entity_id).await.unwrap().unwrap().aliases[0].id.clone();
    let mut txn = Txn::new();
    f.store.merge_entities(merge(&eve, &[&kept]), &mut txn).await.unwrap();
    f.commit(txn).await;
    assert_eq!(f.log_in("acc", "eve", &[]).await.0.entity_id, ann.entity_id);
    assert!(f.store.entity_by_alias("acc", "ann").await.unwrap().is_none());
    f.entity(EntityChange { id: Some(ann.entity_id.clone()), disabled: Some(true), ..EntityChange::default() }).await;
    assert!(f.store.facts(&eve.entity_id).await.unwrap().unwrap().disabled, "the cache knows them as one");
}

#[tokio::test]
async fn a_mount_that_goes_takes_its_aliases_with_it() {
    let f = fixture().await;
    let devs = f.external("devs", "acc").await;
    for number in 0..5 {
        f.log_in("acc", &format!("user{number}"), &["devs"]).await;
    }
    let (stays, _) = f.log_in("acc2", "user0", &[]).await;
    let mut rounds = 0;
    loop {
        let mut txn = Txn::new();
        if f.store.forget_mount("acc", 2, &mut txn).await.unwrap() == 0 {
            break;
        }
        f.commit(txn).await;
        rounds += 1;
    }
    assert_eq!(rounds, 4, "three batches of aliases and one of the group");
    assert_eq!(f.store.alias_ids().await.unwrap().len(), 1);
    assert!(f.store.entity_by_alias("acc2", "user0").await.unwrap().is_some_and(|e| e.id == stays.entity_id));
    assert!(f.store.group(&devs.id).await.unwrap().unwrap().alias.is_none());
    assert!(f.store.members(&devs.id).await.unwrap().is_empty());
}

/// The policies of an entity by looking at everything.
async fn slow_policies(f: &Fixture, id: &str) -> Vec<String> {
    let Some(entity) = f.store.entity(id).await.unwrap() else { return Vec::new() };
    let mut inside: BTreeSet<String> = BTreeSet::new();
    let mut groups = Vec::new();
    for id in f.store.group_ids().await.unwrap() {
        groups.push(f.store.group(&id).await.unwrap().unwrap());
    }
    for group in &groups {
        if f.store.members(&group.id).await.unwrap().contains(&entity.id) {
            inside.insert(group.id.clone());
        }
    }
    loop {
        let above = |group: &&Group| group.member_group_ids.iter().any(|member| inside.contains(member));
        let more: Vec<String> = groups.iter().filter(above).map(|group| group.id.clone()).collect();
        let before = inside.len();
        inside.extend(more);
        if inside.len() == before {
            break;
        }
    }
    let mut policies: BTreeSet<String> = entity.policies.into_iter().collect();
    policies.extend(groups.into_iter().filter(|group| inside.contains(&group.id)).flat_map(|group| group.policies));
    policies.into_iter().collect()
}

#[derive(Clone, Debug)]
enum Step {
    Policies(usize, String),
    Disable(usize, bool),
    Members(usize, Vec<usize>),
    Groups(usize, Vec<usize>),
    GroupPolicies(usize, String),
    DeleteGroup(usize),
    DeleteEntity(usize),
    LogIn(usize, Vec<usize>),
    Merge(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (entity, group) = (0..4_usize, 0..4_usize);
    let some = proptest::collection::vec(0..4_usize, 0..4);
    prop_oneof![
        (entity.clone(), "[a-c]").prop_map(|(entity, policy)| Step::Policies(entity, policy)),
        (entity.clone(), any::<bool>()).prop_map(|(entity, disabled)| Step::Disable(entity, disabled)),
        (group.clone(), some.clone()).prop_map(|(group, members)| Step::Members(group, members)),
        (group.clone(), some.clone()).prop_map(|(group, members)| Step::Groups(group, members)),
        (group.clone(), "[d-f]").prop_map(|(group, policy)| Step::GroupPolicies(group, policy)),
        group.clone().prop_map(Step::DeleteGroup),
        entity.clone().prop_map(Step::DeleteEntity),
        (entity.clone(), some).prop_map(|(entity, groups)| Step::LogIn(entity, groups)),
        (entity.clone(), entity).prop_map(|(from, to)| Step::Merge(from, to)),
    ]
}

impl Fixture {
    /// Does one step, whatever comes of it: a refused one changes nothing.
    async fn take(&self, step: &Step) {
        let mut txn = Txn::new();
        if self.put(step, &mut txn).await.is_ok() {
            self.commit(txn).await;
        }
    }

    async fn put(&self, step: &Step, txn: &mut Txn) -> Result<()> {
        let entity = async |number: usize| self.store.entity_by_alias("acc", &format!("user{number}")).await;
        let of = async |number: usize| -> Result<Option<String>> { Ok(entity(number).await?.map(|entity| entity.id)) };
        let group = |number: usize| GroupChange { name: Some(format!("g{number}")), ..GroupChange::default() };
        match step {
            Step::Policies(number, policy) => {
                let (id, policies) = (of(*number).await?, Some(vec![policy.clone()]));
                self.store.write_entity(EntityChange { id, policies, ..EntityChange::default() }, txn).await?;
            }
            Step::Disable(number, disabled) => {
                let (id, disabled) = (of(*number).await?, Some(*disabled));
                self.store.write_entity(EntityChange { id, disabled, ..EntityChange::default() }, txn).await?;
            }
            Step::Members(number, members) => {
                let mut ids = Vec::new();
                for member in members {
                    ids.extend(of(*member).await?);
                }
                self.store.write_group(GroupChange { member_entity_ids: Some(ids), ..group(*number) }, txn).await?;
            }
            Step::Groups(number, members) => {
                let mut ids = Vec::new();
                for member in members {
                    ids.extend(self.store.group_by_name(&format!("g{member}")).await?.map(|group| group.id));
                }
                self.store.write_group(GroupChange { member_group_ids: Some(ids), ..group(*number) }, txn).await?;
            }
            Step::GroupPolicies(number, policy) => {
                let policies = Some(vec![policy.clone()]);
                self.store.write_group(GroupChange { policies, ..group(*number) }, txn).await?;
            }
            Step::DeleteGroup(number) => {
                if let Some(group) = self.store.group_by_name(&format!("g{number}")).await? {
                    self.store.delete_group(&group.id, txn).await?;
                }
            }
            Step::DeleteEntity(number) => {
                if let Some(id) = of(*number).await? {
                    self.store.delete_entity(&id, txn).await?;
                }
            }
            Step::LogIn(number, groups) => {
                let groups: Vec<String> = groups.iter().map(|group| format!("x{group}")).collect();
                let (alias, metadata) = (format!("user{number}"), BTreeMap::new());
                let login =
                    AliasLogin { accessor: "acc", local: false, alias: &alias, metadata: &metadata, groups: &groups };
                self.store.log_in(&login, txn).await?;
            }
            Step::Merge(from, to) => {
                if let (Some(from), Some(to)) = (entity(*from).await?, of(*to).await?) {
                    let keep_aliases = from.aliases.iter().map(|alias| alias.id.clone()).collect();
                    self.store.merge_entities(Merge { from: vec![from.id], to, keep_aliases }, txn).await?;
                }
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_cache_is_never_wrong(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let f = fixture().await;
            for name in ["x0", "x1", "x2"] {
                f.external(name, "acc").await;
            }
            let mut ever: BTreeSet<String> = BTreeSet::new();
            for number in 0..4 {
                ever.insert(f.log_in("acc", &format!("user{number}"), &[]).await.0.entity_id.clone());
            }
            for step in &steps {
                f.take(step).await;
                ever.extend(f.store.entity_ids().await.unwrap());
                for id in &ever {
                    let cached = f.store.facts(id).await.unwrap();
                    let entity = f.store.entity_or_successor(id).await.unwrap();
                    let fresh = match &entity {
                        Some(entity) => Some(f.store.facts_of(entity).await.unwrap()),
                        None => None,
                    };
                    assert_eq!(cached.as_deref(), fresh.as_ref(), "after {step:?}");
                    let Some(entity) = entity else { continue };
                    assert_eq!(fresh.unwrap().policies, slow_policies(&f, &entity.id).await, "after {step:?}");
                }
            }
        });
    }
}
