//! The key-value engines and the cubbyhole.

use std::collections::HashMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use vaultrs::api::kv2::requests::{SetConfigurationRequest, SetSecretMetadataRequest, SetSecretRequestOptions};
use vaultrs::sys::mount;
use vaultrs::{cubbyhole as hole, kv1, kv2};

use crate::site::{Outcome, Site, code, unique};

#[derive(Debug, Deserialize, Serialize, PartialEq)]
struct Login {
    user: String,
    port: u16,
}

fn login(user: &str) -> Login {
    Login { user: user.to_owned(), port: 5432 }
}

pub async fn version_1(site: Rc<Site>) -> Outcome {
    let (root, engine) = (&site.root, unique("one"));
    mount::enable(root, &engine, "kv", None).await.unwrap();
    let data = HashMap::from([("user", "app"), ("password", "p/w \"x\"")]);
    kv1::set(root, &engine, "app/db", &data).await.unwrap();
    let read: HashMap<String, String> = kv1::get(root, &engine, "app/db").await.unwrap();
    assert_eq!((read["user"].as_str(), read["password"].as_str()), ("app", "p/w \"x\""));
    let raw = kv1::get_raw(root, &engine, "app/db").await.unwrap();
    assert_eq!((raw.data["user"].as_str(), raw.renewable, raw.lease_duration > 0), (Some("app"), false, true));
    assert_eq!(kv1::list(root, &engine, "app").await.unwrap().data.keys, ["db"]);
    kv1::delete(root, &engine, "app/db").await.unwrap();
    assert_eq!(code(kv1::get_raw(root, &engine, "app/db").await), 404);
    assert_eq!(code(kv1::list(root, &engine, "app").await), 404);
    Ok(())
}

pub async fn cubbyhole(site: Rc<Site>) -> Outcome {
    let (root, name) = (&site.root, unique("mine"));
    hole::set(root, "cubbyhole", &name, &HashMap::from([("a", "1")])).await.unwrap();
    let read: HashMap<String, String> = hole::get(root, "cubbyhole", &name).await.unwrap();
    assert_eq!(read["a"], "1");
    assert!(hole::list(root, "cubbyhole", "").await.unwrap().data.keys.contains(&name));
    hole::delete(root, "cubbyhole", &name).await.unwrap();
    assert_eq!(code(hole::get_raw(root, "cubbyhole", &name).await), 404);
    Ok(())
}

pub async fn version_2(site: Rc<Site>) -> Outcome {
    let (root, engine) = (&site.root, unique("two"));
    mount::enable(root, &engine, "kv-v2", None).await.unwrap();
    assert_eq!(kv2::set(root, &engine, "a", &login("one")).await.unwrap().version, 1);
    assert_eq!(kv2::set(root, &engine, "a", &login("two")).await.unwrap().version, 2);
    assert_eq!(kv2::read::<Login>(root, &engine, "a").await.unwrap(), login("two"));
    assert_eq!(kv2::read_version::<Login>(root, &engine, "a", 1).await.unwrap(), login("one"));
    let cas = |cas| SetSecretRequestOptions { cas };
    kv2::set_with_options(root, &engine, "b", &login("b"), cas(0)).await.unwrap();
    assert_eq!(code(kv2::set_with_options(root, &engine, "b", &login("b"), cas(0)).await), 400);
    assert_eq!(kv2::list(root, &engine, "").await.unwrap(), ["a", "b"]);
    kv2::delete_latest(root, &engine, "a").await.unwrap();
    assert_eq!(code(kv2::read::<Login>(root, &engine, "a").await), 404);
    kv2::undelete_versions(root, &engine, "a", vec![2]).await.unwrap();
    assert_eq!(kv2::read::<Login>(root, &engine, "a").await.unwrap(), login("two"));
    kv2::delete_versions(root, &engine, "a", vec![1]).await.unwrap();
    assert_eq!(code(kv2::read_version::<Login>(root, &engine, "a", 1).await), 404);
    kv2::destroy_versions(root, &engine, "a", vec![1]).await.unwrap();
    assert!(kv2::read_metadata(root, &engine, "a").await.unwrap().versions["1"].destroyed);
    kv2::delete_metadata(root, &engine, "a").await.unwrap();
    assert_eq!(code(kv2::read_metadata(root, &engine, "a").await), 404);
    Ok(())
}

pub async fn metadata_and_configuration(site: Rc<Site>) -> Outcome {
    let (root, engine) = (&site.root, unique("two"));
    mount::enable(root, &engine, "kv-v2", None).await.unwrap();
    kv2::set(root, &engine, "a", &login("a")).await.unwrap();
    let custom = HashMap::from([("owner".to_owned(), "suite".to_owned())]);
    let mut options = SetSecretMetadataRequest::builder();
    let options = options.delete_version_after("1h").max_versions(3_u64).custom_metadata(custom.clone());
    kv2::set_metadata(root, &engine, "a", Some(options)).await.unwrap();
    let read = kv2::read_metadata(root, &engine, "a").await.unwrap();
    assert_eq!((read.custom_metadata, read.max_versions, read.current_version), (Some(custom), 3, 1));
    assert_eq!(read.delete_version_after, "1h0m0s");
    let mut options = SetConfigurationRequest::builder();
    let options = options.max_versions(100_u64).delete_version_after("768h");
    kv2::config::set(root, &engine, Some(options)).await.unwrap();
    let read = kv2::config::read(root, &engine).await.unwrap();
    assert_eq!((read.max_versions, read.delete_version_after.as_str()), (100, "768h0m0s"));
    Ok(())
}

pub async fn names_with_blanks(site: Rc<Site>) -> Outcome {
    let (root, engine) = (&site.root, format!("{}/to/secret engine", unique("path")));
    mount::enable(root, &engine, "kv-v2", None).await.unwrap();
    kv2::set(root, &engine, "some secret/a name with blanks", &login("a")).await.unwrap();
    assert_eq!(kv2::list(root, &engine, "some secret/").await.unwrap(), ["a name with blanks"]);
    let read: Login = kv2::read(root, &engine, "some secret/a name with blanks").await.unwrap();
    assert_eq!(read, login("a"));
    Ok(())
}
