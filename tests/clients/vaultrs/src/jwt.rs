//! Logins with a JWT, and the groups of an identity provider.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::json;
use vaultrs::api::auth::oidc::requests::{SetConfigurationRequest, SetRoleRequest};
use vaultrs::api::identity::group_alias::requests::CreateGroupAliasRequestBuilder;
use vaultrs::auth::oidc::{self, config, role};
use vaultrs::identity::{entity, group, group_alias};
use vaultrs::sys::{auth, mount, policy};
use vaultrs::token;

use crate::raw;
use crate::signer::{Signer, now};
use crate::site::{Outcome, Site, code, unique};

/// A new mount with this provider's key.
async fn mounted(site: &Site, signer: &Signer, issuer: &str) -> String {
    let engine = unique("jwt");
    auth::enable(&site.root, &engine, "jwt", None).await.unwrap();
    let mut options = SetConfigurationRequest::builder();
    let options = options.jwt_validation_pubkeys(vec![signer.pem()]).bound_issuer(issuer);
    config::set(&site.root, &engine, Some(options)).await.unwrap();
    engine
}

pub async fn logins(site: Rc<Site>) -> Outcome {
    let (root, signer, issuer) = (&site.root, Signer::new(), "https://idp.example");
    let engine = mounted(&site, &signer, issuer).await;
    let read = config::read(root, &engine).await.unwrap();
    assert_eq!(read.jwt_validation_pubkeys.unwrap()[0].trim(), signer.pem().trim());
    assert_eq!(read.bound_issuer.as_deref(), Some(issuer));
    let text = |name: &str, value: &str| HashMap::from([(name.to_owned(), value.to_owned())]);
    let mut options = SetRoleRequest::builder();
    let options = options
        .role_type("jwt")
        .bound_audiences(vec!["arca".to_owned()])
        .bound_claims(text("team", "blue"))
        .claim_mappings(text("mail", "email"))
        .token_policies(vec!["default".to_owned()])
        .token_ttl("20m");
    role::set(root, &engine, "dev", "sub", Vec::new(), Some(options)).await.unwrap();
    let read = role::read(root, &engine, "dev").await.unwrap();
    assert_eq!((read.user_claim.as_str(), read.role_type.as_str(), read.token_ttl), ("sub", "jwt", 1200));
    assert_eq!((read.bound_claims, read.claim_mappings), (Some(text("team", "blue")), Some(text("mail", "email"))));
    assert_eq!(role::list(root, &engine).await.unwrap().keys, ["dev"]);

    let anyone = site.with_token("");
    let dev = || Some("dev".to_owned());
    let good = json!({"iss": issuer, "sub": "ann", "aud": "arca", "team": "blue", "mail": "a@example.com"});
    let made = oidc::login(&anyone, &engine, &signer.sign(&good), dev()).await.unwrap();
    let metadata = made.metadata.unwrap();
    assert_eq!((metadata["role"].as_str(), metadata["email"].as_str()), ("dev", "a@example.com"));
    assert_eq!((made.lease_duration, made.policies), (1200, vec!["default".to_owned()]));
    let held = site.with_token(&made.client_token);
    assert_eq!(token::lookup_self(&held).await.unwrap().display_name, format!("{engine}-ann"));
    let known = entity::read_by_id(root, &made.entity_id).await.unwrap();
    assert_eq!((known.aliases[0].name.as_str(), known.aliases[0].mount_type.as_str()), ("ann", "jwt"));

    let stranger = Signer::new();
    assert_eq!(code(oidc::login(&anyone, &engine, &stranger.sign(&good), dev()).await), 400);
    for (claim, value) in [
        ("aud", json!("other")),
        ("team", json!("red")),
        ("iss", json!("https://else.example")),
        ("exp", json!(now() - 3600)),
        ("nbf", json!(now() + 3600)),
        ("sub", json!(null)),
    ] {
        let mut claims = good.clone();
        claims[claim] = value;
        assert_eq!(code(oidc::login(&anyone, &engine, &signer.sign(&claims), dev()).await), 400, "{claim}");
    }
    assert_eq!(code(oidc::login(&anyone, &engine, &signer.sign(&good), Some("other".to_owned())).await), 400);
    role::delete(root, &engine, "dev").await.unwrap();
    assert_eq!(code(oidc::login(&anyone, &engine, &signer.sign(&good), dev()).await), 400);
    auth::disable(root, &engine).await.unwrap();
    assert_eq!(code(token::lookup_self(&held).await), 403);
    Ok(())
}

pub async fn groups_of_the_provider(site: Rc<Site>) -> Outcome {
    let (root, signer, rules) = (&site.root, Signer::new(), unique("admins"));
    policy::set(root, &rules, "path \"sys/mounts\" { capabilities = [\"read\"] }").await.unwrap();
    let engine = mounted(&site, &signer, "").await;
    let mut options = SetRoleRequest::builder();
    let options = options.role_type("jwt").bound_subject("ann").groups_claim("groups");
    role::set(root, &engine, "dev", "sub", Vec::new(), Some(options)).await.unwrap();
    let accessor = auth::list(root).await.unwrap()[&format!("{engine}/")].accessor.clone();
    // The client's own call sends the type under a name that no server reads.
    let fields = json!({"name": unique("external"), "type": "external", "policies": [rules]});
    let made = raw::write(root, "identity/group", fields).await.unwrap();
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(group::read_by_id(root, &id).await.unwrap().group_type, "external");
    let mut options = CreateGroupAliasRequestBuilder::default();
    let alias = group_alias::create(root, "admins", &accessor, Some(options.canonical_id(&id))).await.unwrap();
    assert_eq!(alias.canonical_id, id);
    let read = group_alias::read_by_id(root, &alias.id).await.unwrap();
    assert_eq!(
        (read.name.as_str(), read.mount_type.as_str(), read.mount_accessor),
        ("admins", "jwt", accessor.clone())
    );
    assert!(group_alias::list_by_id(root).await.unwrap().keys.contains(&alias.id));
    let asked = json!({"alias_name": "admins", "alias_mount_accessor": accessor});
    assert_eq!(raw::write(root, "identity/lookup/group", asked).await.unwrap()["id"], *id);

    let anyone = site.with_token("");
    let login = async |groups: &[&str]| {
        let jwt = signer.sign(&json!({"sub": "ann", "groups": groups}));
        oidc::login(&anyone, &engine, &jwt, Some("dev".to_owned())).await.unwrap()
    };
    let admin = login(&["admins", "others"]).await;
    assert!(admin.policies.contains(&rules) && !admin.token_policies.contains(&rules));
    let held = site.with_token(&admin.client_token);
    assert!(mount::list(&held).await.unwrap().contains_key("sys/"));
    assert_eq!(group::read_by_id(root, &id).await.unwrap().member_entity_ids, Some(vec![admin.entity_id.clone()]));
    let nobody = login(&["others"]).await;
    assert_eq!((nobody.entity_id, nobody.policies), (admin.entity_id, vec!["default".to_owned()]));
    assert_eq!(code(mount::list(&held).await), 403);
    group_alias::delete_by_id(root, &alias.id).await.unwrap();
    assert_eq!(code(group_alias::read_by_id(root, &alias.id).await), 404);
    group::delete_by_id(root, &id).await.unwrap();
    auth::disable(root, &engine).await.unwrap();
    policy::delete(root, &rules).await.unwrap();
    Ok(())
}
