//! Entities and groups.

use std::collections::HashMap;
use std::rc::Rc;

use vaultrs::api::identity::entity::requests::{CreateEntityRequestBuilder, UpdateEntityByIdRequestBuilder};
use vaultrs::api::identity::entity_alias::requests::CreateEntityAliasRequestBuilder;
use vaultrs::api::identity::group::requests::CreateGroupByNameRequestBuilder;
use vaultrs::identity::{entity, entity_alias, group};
use vaultrs::sys::{auth, mount};

use crate::site::{Outcome, Site, code, unique};

/// Whether the server keeps identities at all.
async fn is_there(site: &Site) -> Outcome {
    let mounts = mount::list(&site.root).await.unwrap();
    if mounts.contains_key("identity/") { Ok(()) } else { Err("the server has no mount identity/") }
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
