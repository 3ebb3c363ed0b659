//! Auth methods.

use std::rc::Rc;

use vaultrs::api::auth::approle::requests::{GenerateNewSecretIDRequest, SetAppRoleRequest};
use vaultrs::api::auth::cert::requests::CreateCaCertificateRoleRequest;
use vaultrs::api::auth::userpass::requests::CreateUserRequest;
use vaultrs::auth::approle::role;
use vaultrs::auth::approle::role::secret;
use vaultrs::auth::{approle as approles, cert as certs, userpass as passwords};
use vaultrs::sys::auth;
use vaultrs::token;

use crate::site::{Outcome, Site, code, unique};

pub async fn userpass(site: Rc<Site>) -> Outcome {
    let (root, engine) = (&site.root, unique("userpass"));
    auth::enable(root, &engine, "userpass", None).await.unwrap();
    let mut options = CreateUserRequest::builder();
    let options = options.token_policies(vec!["default".to_owned()]).token_ttl("10m");
    passwords::user::set(root, &engine, "bob", "first", Some(options)).await.unwrap();
    let read = passwords::user::read(root, &engine, "bob").await.unwrap();
    assert_eq!((read.token_ttl, read.token_policies), (600, vec!["default".to_owned()]));
    assert_eq!(passwords::user::list(root, &engine).await.unwrap().keys, ["bob"]);
    passwords::user::update_password(root, &engine, "bob", "second").await.unwrap();
    passwords::user::update_policies(root, &engine, "bob", "default").await.unwrap();
    let anyone = site.with_token("");
    assert_eq!(code(passwords::login(&anyone, &engine, "bob", "first").await), 400);
    let made = passwords::login(&anyone, &engine, "bob", "second").await.unwrap();
    assert_eq!(made.metadata.unwrap()["username"], "bob");
    token::lookup_self(&site.with_token(&made.client_token)).await.unwrap();
    passwords::user::delete(root, &engine, "bob").await.unwrap();
    assert_eq!(code(passwords::user::read(root, &engine, "bob").await), 404);
    auth::disable(root, &engine).await.unwrap();
    assert_eq!(code(token::lookup_self(&site.with_token(&made.client_token)).await), 403);
    Ok(())
}

pub async fn approle(site: Rc<Site>) -> Outcome {
    let (root, engine) = (&site.root, unique("approle"));
    auth::enable(root, &engine, "approle", None).await.unwrap();
    let mut options = SetAppRoleRequest::builder();
    role::set(root, &engine, "web", Some(options.token_ttl("10m"))).await.unwrap();
    assert_eq!(role::read(root, &engine, "web").await.unwrap().token_ttl, 600);
    assert_eq!(role::list(root, &engine).await.unwrap().keys, ["web"]);
    role::update_id(root, &engine, "web", "chosen").await.unwrap();
    let role_id = role::read_id(root, &engine, "web").await.unwrap().role_id;
    assert_eq!(role_id, "chosen");
    let mut options = GenerateNewSecretIDRequest::builder();
    let options = options.metadata("{ \"tag1\": \"production\" }");
    let made = secret::generate(root, &engine, "web", Some(options)).await.unwrap();
    let read = secret::read(root, &engine, "web", &made.secret_id).await.unwrap();
    assert_eq!(read.secret_id_accessor, made.secret_id_accessor);
    let read = secret::read_accessor(root, &engine, "web", &made.secret_id_accessor).await.unwrap();
    assert_eq!(read.metadata.unwrap()["tag1"], "production");
    assert_eq!(secret::list(root, &engine, "web").await.unwrap().keys, [made.secret_id_accessor.clone()]);
    let anyone = site.with_token("");
    let login = approles::login(&anyone, &engine, &role_id, &made.secret_id).await.unwrap();
    assert_eq!((login.lease_duration, login.orphan), (600, true));
    secret::delete_accessor(root, &engine, "web", &made.secret_id_accessor).await.unwrap();
    assert_eq!(code(approles::login(&anyone, &engine, &role_id, &made.secret_id).await), 400);
    secret::custom(root, &engine, "web", "of my own", None).await.unwrap();
    approles::login(&anyone, &engine, &role_id, "of my own").await.unwrap();
    secret::delete(root, &engine, "web", "of my own").await.unwrap();
    approles::tidy(root, &engine).await.unwrap();
    role::delete(root, &engine, "web").await.unwrap();
    assert_eq!(code(role::read(root, &engine, "web").await), 404);
    Ok(())
}

pub async fn cert(site: Rc<Site>) -> Outcome {
    let (root, engine) = (&site.root, unique("cert"));
    auth::enable(root, &engine, "cert", None).await.unwrap();
    let mut options = CreateCaCertificateRoleRequest::builder();
    let options = options.token_policies(vec!["default".to_owned()]);
    certs::ca_cert_role::set(root, &engine, "web", &site.authority, Some(options)).await.unwrap();
    let read = certs::ca_cert_role::read(root, &engine, "web").await.unwrap();
    assert_eq!(read.certificate.trim(), site.authority.trim());
    assert_eq!(certs::ca_cert_role::list(root, &engine).await.unwrap().keys, ["web"]);
    let made = certs::login(&site.with_token(""), &engine, "web").await.unwrap();
    assert_eq!(made.policies, ["default"]);
    token::lookup_self(&site.with_token(&made.client_token)).await.unwrap();
    certs::ca_cert_role::delete(root, &engine, "web").await.unwrap();
    assert_eq!(code(certs::ca_cert_role::read(root, &engine, "web").await), 404);
    assert_eq!(code(certs::login(&site.with_token(""), &engine, "web").await), 400);
    Ok(())
}
