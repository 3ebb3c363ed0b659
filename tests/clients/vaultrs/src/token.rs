//! Tokens and their roles.

use std::rc::Rc;

use vaultrs::api::AuthInfo;
use vaultrs::api::token::requests::{CreateTokenRequest, SetTokenRoleRequest};
use vaultrs::error::ClientError;
use vaultrs::token::{self, role};

use crate::site::{Outcome, Site, code, unique};

async fn made(site: &Site) -> AuthInfo {
    let mut options = CreateTokenRequest::builder();
    let options = options.ttl("10m").renewable(true).explicit_max_ttl("1h").policies(vec!["default".to_owned()]);
    token::new(&site.root, Some(options)).await.unwrap()
}

pub async fn create_look_up_renew_and_revoke(site: Rc<Site>) -> Outcome {
    let root = &site.root;
    let first = made(&site).await;
    assert_eq!((first.lease_duration, first.renewable, first.token_type.as_str()), (600, true, "service"));
    let known = token::lookup(root, &first.client_token).await.unwrap();
    assert_eq!((known.accessor.as_str(), known.explicit_max_ttl, known.orphan), (&*first.accessor, 3600, false));
    assert_eq!(token::lookup_accessor(root, &first.accessor).await.unwrap().id, "");
    let own = site.with_token(&first.client_token);
    assert_eq!(token::lookup_self(&own).await.unwrap().id, first.client_token);
    assert_eq!(token::renew(root, &first.client_token, Some("20m")).await.unwrap().lease_duration, 1200);
    assert_eq!(token::renew_self(&own, Some("30m")).await.unwrap().lease_duration, 1800);
    assert_eq!(token::renew_accessor(root, &first.accessor, Some("15m")).await.unwrap().lease_duration, 900);
    let Err(ClientError::APIError { errors, .. }) = token::renew_self(root, Some("20m")).await else {
        panic!("a root token was renewed")
    };
    assert_eq!(errors, ["lease is not renewable"]);
    token::revoke(root, &first.client_token).await.unwrap();
    assert_eq!(code(token::lookup_self(&own).await), 403);
    let second = made(&site).await;
    token::revoke_accessor(root, &second.accessor).await.unwrap();
    assert_eq!(code(token::lookup_accessor(root, &second.accessor).await), 400);
    let parent = made(&site).await;
    token::revoke_orphan(root, &parent.client_token).await.unwrap();
    let orphan = token::new_orphan(root, None).await.unwrap();
    assert!(orphan.orphan && token::lookup(root, &orphan.client_token).await.unwrap().orphan);
    token::revoke_self(&site.with_token(&orphan.client_token)).await.unwrap();
    token::tidy(root).await.unwrap();
    Ok(())
}

pub async fn roles(site: Rc<Site>) -> Outcome {
    let (root, name) = (&site.root, unique("role"));
    let mut options = SetTokenRoleRequest::builder();
    role::set(root, &name, Some(options.renewable(true).token_explicit_max_ttl("1h"))).await.unwrap();
    let read = role::read(root, &name).await.unwrap();
    assert_eq!((read.name.as_str(), read.token_explicit_max_ttl, read.token_period), (&*name, 3600, 0));
    assert!(role::list(root).await.unwrap().keys.contains(&name));
    let made = token::new_role(root, &name, None).await.unwrap();
    assert_eq!(token::lookup(root, &made.client_token).await.unwrap().role, Some(name.clone()));
    role::delete(root, &name).await.unwrap();
    assert_eq!(code(role::read(root, &name).await), 404);
    Ok(())
}
