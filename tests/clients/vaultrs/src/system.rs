//! `sys`: health, mounts, policies, wrapping, sealing.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use vaultrs::api::ResponseWrapper;
use vaultrs::api::sys::requests::{
    EnableEngineDataConfigBuilder, EnableEngineRequest, ListMountsRequest, RandomRequestBuilder,
};
use vaultrs::api::token::requests::CreateTokenRequest;
use vaultrs::error::ClientError;
use vaultrs::sys::{self, ServerStatus, auth, mount, policy, remount, tools, wrapping};
use vaultrs::{kv1, token};

use crate::site::{Outcome, Site, code, unique, unseal};

pub async fn the_state_of_the_server(site: Rc<Site>) -> Outcome {
    let health = sys::health(&site.root).await.unwrap();
    assert!(health.initialized && !health.sealed && !health.standby && health.cluster_name.is_some());
    assert!(matches!(sys::status(&site.root).await.unwrap(), ServerStatus::OK));
    assert_eq!(code(sys::start_initialization(&site.root, 1, 1, None).await), 400);
    Ok(())
}

pub async fn mounts(site: Rc<Site>) -> Outcome {
    let name = unique("kv");
    let config = EnableEngineDataConfigBuilder::default().default_lease_ttl("1h").build().unwrap();
    let mut options = EnableEngineRequest::builder();
    mount::enable(&site.root, &name, "kv", Some(options.description("of the suite").config(config))).await.unwrap();
    let listed = mount::list(&site.root).await.unwrap();
    let known = &listed[&format!("{name}/")];
    assert_eq!((known.mount_type.as_str(), known.config.default_lease_ttl), ("kv", 3600));
    assert!(["sys/", "cubbyhole/"].iter().all(|built_in| listed.contains_key(*built_in)));
    let read = mount::get_configuration_of_a_secret_engine(&site.root, &name).await.unwrap();
    assert_eq!((read.accessor, read.description.as_str()), (known.accessor.clone(), "of the suite"));
    assert_eq!(code(mount::enable(&site.root, &name, "kv", None).await), 400);
    mount::disable(&site.root, &name).await.unwrap();
    assert_eq!(code(mount::get_configuration_of_a_secret_engine(&site.root, &name).await), 400);
    Ok(())
}

pub async fn a_mount_moves(site: Rc<Site>) -> Outcome {
    let (old, new) = (unique("old"), unique("new"));
    mount::enable(&site.root, &old, "kv", None).await.unwrap();
    kv1::set(&site.root, &old, "my/secret", &HashMap::from([("key", "value")])).await.unwrap();
    let id = remount::remount(&site.root, &old, &new).await.unwrap().migration_id;
    for turn in 0.. {
        let status = remount::remount_status(&site.root, &id).await.unwrap().migration_info;
        assert_eq!((status.source_mount.trim_matches('/'), status.target_mount.trim_matches('/')), (&*old, &*new));
        if status.status == "success" {
            break;
        }
        assert!(turn < 100, "{status:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(code(kv1::get::<HashMap<String, String>>(&site.root, &old, "my/secret").await), 404);
    let read: HashMap<String, String> = kv1::get(&site.root, &new, "my/secret").await.unwrap();
    assert_eq!(read["key"], "value");
    Ok(())
}

pub async fn auth_mounts(site: Rc<Site>) -> Outcome {
    let name = unique("userpass");
    auth::enable(&site.root, &name, "userpass", None).await.unwrap();
    let listed = auth::list(&site.root).await.unwrap();
    assert_eq!(listed[&format!("{name}/")].mount_type, "userpass");
    assert_eq!(listed["token/"].config.token_type, "default-service");
    auth::disable(&site.root, &name).await.unwrap();
    assert!(!auth::list(&site.root).await.unwrap().contains_key(&format!("{name}/")));
    Ok(())
}

pub async fn policies(site: Rc<Site>) -> Outcome {
    let (name, engine) = (unique("reader"), unique("kv"));
    mount::enable(&site.root, &engine, "kv", None).await.unwrap();
    let text = format!("path \"{engine}/*\" {{ capabilities = [\"read\"] }}");
    policy::set(&site.root, &name, &text).await.unwrap();
    let read = policy::read(&site.root, &name).await.unwrap();
    assert_eq!((read.name, read.rules), (name.clone(), text));
    assert!(policy::list(&site.root).await.unwrap().policies.contains(&name));
    let mut options = CreateTokenRequest::builder();
    let made = token::new(&site.root, Some(options.policies(vec![name.clone()]).ttl("5m"))).await.unwrap();
    let reader = site.with_token(&made.client_token);
    assert_eq!(code(kv1::get_raw(&reader, &engine, "nothing").await), 404);
    assert_eq!(code(kv1::set(&reader, &engine, "a", &HashMap::from([("x", "1")])).await), 403);
    policy::delete(&site.root, &name).await.unwrap();
    assert_eq!(code(policy::read(&site.root, &name).await), 404);
    assert_eq!(code(kv1::get_raw(&reader, &engine, "nothing").await), 403);
    Ok(())
}

pub async fn wrapped_answers(site: Rc<Site>) -> Outcome {
    let wrapped = ListMountsRequest::builder().build().unwrap().wrap(&site.root).await.unwrap();
    let about = wrapped.lookup(&site.root).await.unwrap();
    assert_eq!(about.creation_path, "sys/mounts");
    assert!(wrapped.unwrap(&site.root).await.unwrap().contains_key("sys/"));
    assert!(matches!(wrapped.lookup(&site.root).await, Err(ClientError::WrapInvalidError)));
    let again = ListMountsRequest::builder().build().unwrap().wrap(&site.root).await.unwrap();
    let holder = site.with_token(&again.info.token);
    let data: HashMap<String, serde_json::Value> = wrapping::unwrap(&holder, None).await.unwrap();
    assert!(data.contains_key("sys/"));
    Ok(())
}

pub async fn random_bytes(site: Rc<Site>) -> Outcome {
    assert_eq!(tools::random(&site.root, None).await.unwrap().random_bytes.len(), 44);
    let mut request = RandomRequestBuilder::default();
    let random = tools::random(&site.root, Some(request.bytes(3_u64).format("hex"))).await.unwrap();
    assert_eq!(random.random_bytes.len(), 6);
    let mut request = RandomRequestBuilder::default();
    tools::random(&site.root, Some(request.source("platform"))).await.unwrap();
    Ok(())
}

pub async fn sealing(site: Rc<Site>) -> Outcome {
    if site.shares.is_empty() {
        return Err("the vault was initialised by someone else: its key shares are not known");
    }
    sys::seal(&site.root).await.unwrap();
    for turn in 0.. {
        if matches!(sys::status(&site.root).await.unwrap(), ServerStatus::SEALED) {
            break;
        }
        assert!(turn < 100, "it is not sealed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(code(mount::list(&site.root).await), 503);
    unseal(&site.root, &site.shares).await;
    assert_eq!(token::lookup_self(&site.root).await.unwrap().policies, ["root"]);
    Ok(())
}
