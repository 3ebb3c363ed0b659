//! Entities and groups.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::json;
use vaultrs::api::identity::entity::requests::{CreateEntityRequestBuilder, UpdateEntityByIdRequestBuilder};
use vaultrs::api::identity::entity_alias::requests::CreateEntityAliasRequestBuilder;
use vaultrs::api::identity::group::requests::{CreateGroupByNameRequestBuilder, UpdateGroupByIdRequestBuilder};
use vaultrs::auth::userpass as passwords;
use vaultrs::identity::{entity, entity_alias, group};
use vaultrs::sys::{auth, mount, policy};
use vaultrs::{kv1, token};

use crate::raw;
use crate::site::{Outcome, Site, code, unique};

/// Whether the server keeps identities at all.
async fn is_there(site: &Site) -> Outcome {
    let mounts = mount::list(&site.root).await.unwrap();
    if mounts.contains_key("identity/") { Ok(()) } else { Err("the server has no mount identity/") }
}

/// A user of a new mount who has logged in: the mount, its accessor, the token, the entity.
async fn user(site: &Site, name: &str) -> (String, String, String, String) {
    let engine = unique("userpass");
    auth::enable(&site.root, &engine, "userpass", None).await.unwrap();
    passwords::user::set(&site.root, &engine, name, "secret", None).await.unwrap();
    let made = passwords::login(&site.with_token(""), &engine, name, "secret").await.unwrap();
    let accessor = auth::list(&site.root).await.unwrap()[&format!("{engine}/")].accessor.clone();
    (engine, accessor, made.client_token, made.entity_id)
}

pub async fn entities(site: Rc<Site>) -> Outcome {
    is_there(&site).await?;
    let (root, name) = (&site.root, unique("entity"));
    let mut options = CreateEntityRequestBuilder::default();
    let options = options.name(&name).policies(vec!["default".to_owned()]);
    let id = entity::create(root, Some(options)).await.unwrap().id;
    assert_eq!(entity::read_by_id(root, &id).await.unwrap().name, name);
    assert!(entity::list_by_id(root).await.unwrap().keys.contains(&id));
    let renamed = unique("renamed");
    let mut options = UpdateEntityByIdRequestBuilder::default();
    entity::update_by_id(root, &id, Some(options.name(&renamed))).await.unwrap();
    assert_eq!(entity::read_by_name(root, &renamed).await.unwrap().id, id);
    assert!(entity::list_by_name(root).await.unwrap().keys.contains(&renamed));

    let accessor = auth::list(root).await.unwrap()["token/"].accessor.clone();
    let alias = entity_alias::create(root, &unique("alias"), &id, &accessor, None).await.unwrap();
    assert_eq!(alias.canonical_id, id);
    let metadata = HashMap::from([("foo".to_owned(), "bar".to_owned())]);
    let read = entity_alias::read_by_id(root, &alias.id).await.unwrap();
    let mut options = CreateEntityAliasRequestBuilder::default();
    let options = options.id(alias.id.clone()).custom_metadata(metadata.clone());
    entity_alias::create(root, &read.name, &id, &accessor, Some(options)).await.unwrap();
    assert_eq!(entity_alias::read_by_id(root, &alias.id).await.unwrap().custom_metadata, Some(metadata));
    assert_eq!(entity_alias::list_by_id(root).await.unwrap().key_info[&alias.id].canonical_id, id);
    entity_alias::delete_by_id(root, &alias.id).await.unwrap();
    assert_eq!(code(entity_alias::read_by_id(root, &alias.id).await), 404);

    let mut others = Vec::new();
    for word in ["first", "second"] {
        let mut options = CreateEntityRequestBuilder::default();
        others.push(entity::create(root, Some(options.name(unique(word)))).await.unwrap().id);
    }
    entity::merge(root, others.clone(), id.clone(), None).await.unwrap();
    others.sort_unstable();
    assert_eq!(entity::read_by_id(root, &id).await.unwrap().merged_entity_ids, Some(others.clone()));
    for gone in &others {
        assert_eq!(code(entity::read_by_id(root, gone).await), 404);
    }
    let anonymous = entity::create(root, None).await.unwrap();
    entity::batch_delete(root, vec![id.clone(), anonymous.id.clone()]).await.unwrap();
    assert_eq!(code(entity::read_by_id(root, &id).await), 404);
    Ok(())
}

pub async fn groups(site: Rc<Site>) -> Outcome {
    is_there(&site).await?;
    let (root, name) = (&site.root, unique("group"));
    let mut options = CreateGroupByNameRequestBuilder::default();
    let options = options.policies(vec!["default".to_owned()]);
    group::create_or_update_by_name(root, &name, Some(options)).await.unwrap();
    let made = group::read_by_name(root, &name).await.unwrap();
    assert!(made.metadata.is_none() && made.policies == Some(vec!["default".to_owned()]));
    let metadata = HashMap::from([("company".to_owned(), "example".to_owned())]);
    let mut options = CreateGroupByNameRequestBuilder::default();
    group::create_or_update_by_name(root, &name, Some(options.metadata(metadata.clone()))).await.unwrap();
    assert_eq!(group::read_by_id(root, &made.id).await.unwrap().metadata, Some(metadata));
    assert!(group::list_by_id(root).await.unwrap().keys.contains(&made.id));
    assert!(group::list_by_name(root).await.unwrap().keys.contains(&name));
    group::delete_by_name(root, &name).await.unwrap();
    assert_eq!(code(group::read_by_name(root, &name).await), 404);
    Ok(())
}

pub async fn disabled_entities_are_stopped(site: Rc<Site>) -> Outcome {
    let root = &site.root;
    let (engine, accessor, held, id) = user(&site, "alice").await;
    let held = site.with_token(&held);
    let found =
        raw::write(root, "identity/lookup/entity", json!({"alias_name": "alice", "alias_mount_accessor": accessor}));
    assert_eq!(found.await.unwrap()["id"], *id);
    assert_eq!(token::lookup_self(&held).await.unwrap().entity_id, id);
    let mut options = UpdateEntityByIdRequestBuilder::default();
    entity::update_by_id(root, &id, Some(options.disabled(true))).await.unwrap();
    assert!(entity::read_by_id(root, &id).await.unwrap().disabled);
    assert_eq!(code(token::lookup_self(&held).await), 403);
    assert_eq!(code(passwords::login(&site.with_token(""), &engine, "alice", "secret").await), 403);
    let mut options = UpdateEntityByIdRequestBuilder::default();
    entity::update_by_id(root, &id, Some(options.disabled(false))).await.unwrap();
    assert_eq!(token::lookup_self(&held).await.unwrap().entity_id, id);
    auth::disable(root, &engine).await.unwrap();
    Ok(())
}

pub async fn members_and_templated_policies(site: Rc<Site>) -> Outcome {
    let (root, own, store) = (&site.root, unique("own"), unique("kv"));
    let (engine, accessor, held, id) = user(&site, "alice").await;
    let held = site.with_token(&held);
    mount::enable(root, &store, "kv", None).await.unwrap();
    let place = format!("{{{{identity.entity.aliases.{accessor}.name}}}}/{{{{identity.entity.metadata.team}}}}");
    policy::set(root, &own, &format!("path \"{store}/{place}\" {{ capabilities = [\"create\", \"read\"] }}"))
        .await
        .unwrap();
    let metadata = HashMap::from([("team".to_owned(), "blue".to_owned())]);
    let mut options = UpdateEntityByIdRequestBuilder::default();
    entity::update_by_id(root, &id, Some(options.metadata(metadata))).await.unwrap();
    let mut options = CreateGroupByNameRequestBuilder::default();
    let (inner, outer) = (unique("inner"), unique("outer"));
    group::create_or_update_by_name(root, &inner, Some(options.member_entity_ids(vec![id.clone()]))).await.unwrap();
    let inner = group::read_by_name(root, &inner).await.unwrap().id;
    let mut options = CreateGroupByNameRequestBuilder::default();
    let options = options.policies(vec![own.clone()]).member_group_ids(vec![inner.clone()]);
    group::create_or_update_by_name(root, &outer, Some(options)).await.unwrap();
    let outer = group::read_by_name(root, &outer).await.unwrap().id;
    let known = entity::read_by_id(root, &id).await.unwrap();
    assert_eq!((known.direct_group_ids, known.inherited_group_ids), (vec![inner.clone()], vec![outer.clone()]));
    assert_eq!(raw::write(root, "identity/lookup/group", json!({"id": inner})).await.unwrap()["id"], *inner);
    kv1::set(&held, &store, "alice/blue", &HashMap::from([("x", "1")])).await.unwrap();
    let read: HashMap<String, String> = kv1::get(&held, &store, "alice/blue").await.unwrap();
    assert_eq!(read["x"], "1");
    for other in ["alice/red", "bob/blue"] {
        assert_eq!(code(kv1::get_raw(&held, &store, other).await), 403, "{other}");
    }
    let mut options = UpdateGroupByIdRequestBuilder::default();
    group::update_by_id(root, &inner, Some(options.member_entity_ids(Vec::new()))).await.unwrap();
    assert_eq!(code(kv1::get_raw(&held, &store, "alice/blue").await), 403);
    for gone in [outer, inner] {
        group::delete_by_id(root, &gone).await.unwrap();
    }
    policy::delete(root, &own).await.unwrap();
    mount::disable(root, &store).await.unwrap();
    auth::disable(root, &engine).await.unwrap();
    Ok(())
}
