use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::api::Ttl;
use crate::barrier::{Barrier, Scope};
use crate::entropy::SeededEntropy;
use crate::policy::{EntityFacts, TemplateFacts};
use crate::secret::RootKey;
use crate::storage::MemoryStorage;
use crate::time::{ManualClock, Timestamp};

const ISSUER: &str = "https://vault.example/v1/identity/oidc";

struct Fixture {
    store: OidcStore,
    barrier: Arc<Barrier>,
    clock: Arc<ManualClock>,
}

async fn fixture() -> Fixture {
    let entropy = Arc::new(SeededEntropy::new(3));
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1_000_000)));
    let root = RootKey::generate(&*entropy).unwrap();
    let mut txn = Txn::new();
    let barrier =
        Barrier::create(Arc::new(MemoryStorage::new()), &root, entropy.clone(), clock.now(), &mut txn).unwrap();
    barrier.commit(txn).await.unwrap();
    let store = OidcStore::new(&barrier.view(Scope::new("root", "identity")), entropy, clock.clone());
    Fixture { store, barrier, clock }
}

impl Fixture {
    async fn key(&self, name: &str, change: KeyChange) -> Result<()> {
        let mut txn = Txn::new();
        self.store.write_key(name, change, &mut txn).await?;
        self.barrier.commit(txn).await
    }

    async fn role(&self, name: &str, change: RoleChange) -> Result<()> {
        let mut txn = Txn::new();
        self.store.write_role(name, change, &mut txn).await?;
        self.barrier.commit(txn).await
    }

    async fn token(&self, role: &str) -> Result<String> {
        let metadata = [("team".to_owned(), "red \"x\"".to_owned())].into();
        let entity = EntityFacts { id: "e1".to_owned(), name: "ann".to_owned(), metadata, ..EntityFacts::default() };
        let facts = TemplateFacts { entity: Some(entity), groups: Vec::new() };
        let claims = Claims { issuer: ISSUER, namespace: "root", entity_id: "e1", facts: &facts };
        let mut txn = Txn::new();
        let (_, token, _) = self.store.token(role, &claims, &mut txn).await?;
        self.barrier.commit(txn).await?;
        Ok(token.expose().to_owned())
    }

    async fn is_good(&self, token: &str, client_id: &str) -> bool {
        matches!(self.store.introspect(token, ISSUER, client_id).await.unwrap(), Introspection::Good(id) if id == "e1")
    }
}

fn signed_by(algorithm: Algorithm) -> KeyChange {
    KeyChange {
        algorithm: Some(algorithm),
        rotation_period: Some(Ttl::from_seconds(3600)),
        verification_ttl: Some(Ttl::from_seconds(7200)),
        allowed_client_ids: Some(vec!["*".to_owned()]),
    }
}

fn using(key: &str, template: &str) -> RoleChange {
    RoleChange {
        key: Some(key.to_owned()),
        template: Some(template.to_owned()),
        ttl: Some(Ttl::from_seconds(600)),
        client_id: Some("client".to_owned()),
    }
}

fn claims(token: &str) -> Value {
    let body = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(body.as_bytes()).unwrap()).unwrap()
}

#[tokio::test]
async fn every_algorithm_signs_what_it_verifies() {
    let f = fixture().await;
    for algorithm in Algorithm::ALL {
        let name = algorithm.as_str();
        f.key(name, signed_by(algorithm)).await.unwrap();
        f.role(name, using(name, "")).await.unwrap();
        let token = f.token(name).await.unwrap();
        assert!(f.is_good(&token, "").await, "{name}");
        assert!(f.is_good(&token, "client").await, "{name}");
        assert!(!f.is_good(&token, "another").await, "{name}");
        let (message, signature) = token.rsplit_once('.').unwrap();
        let forged = format!("{message}.{}", signature.chars().rev().collect::<String>());
        assert!(!f.is_good(&forged, "").await, "{name}");
    }
    let published = serde_json::to_value(f.store.published().await.unwrap()).unwrap();
    assert_eq!(published.as_array().unwrap().len(), 2 * Algorithm::ALL.len(), "the present and the next of each");
    assert!(Algorithm::parse("none").is_err());
}

#[tokio::test]
async fn claims_come_from_the_template_and_nobody_overrides_the_usual_ones() {
    let f = fixture().await;
    f.key("k", signed_by(Algorithm::EdDSA)).await.unwrap();
    let template = r#"{"who": {{identity.entity.name}}, "team": {{ identity.entity.metadata.team }}, "none": {{identity.entity.metadata.no}},
        "late": {{time.now.plus.1h}}, "groups": {{identity.entity.groups.names}}, "alias": {{identity.entity.aliases.acc.metadata}} }"#;
    f.role("r", using("k", template)).await.unwrap();
    let claims = claims(&f.token("r").await.unwrap());
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER, "sub": "e1", "aud": "client", "iat": 1_000_000, "exp": 1_000_600, "namespace": "root",
            "who": "ann", "team": "red \"x\"", "none": "", "late": 1_003_600, "groups": [], "alias": {},
        })
    );
    for bad in [
        "{bad",
        "[1]",
        r#"{"sub": "x"}"#,
        r#"{"a": {{identity.nope}} }"#,
        r#"{"a": {{identity.entity.name} }"#,
        r#"{"a": {{time.now.plus.x}} }"#,
    ] {
        assert!(f.role("bad", using("k", bad)).await.is_err(), "{bad}");
    }
    f.role("r", using("k", "eyJhIjoxfQ==")).await.unwrap();
    assert_eq!(f.store.role("r").await.unwrap().unwrap().template, r#"{"a":1}"#);
}

#[tokio::test]
async fn keys_are_rotated_by_time_and_old_ones_verify_for_as_long_as_they_should() {
    let f = fixture().await;
    f.key("k", signed_by(Algorithm::ES256)).await.unwrap();
    f.role("r", RoleChange { ttl: Some(Ttl::from_seconds(7200)), ..using("k", "") }).await.unwrap();
    let token = f.token("r").await.unwrap();
    let key = async || f.store.key("k").await.unwrap().unwrap().present.public.id;
    let first = key().await;
    f.store.maintain().await.unwrap();
    assert_eq!(key().await, first, "not yet");
    f.clock.advance(Duration::from_secs(3601));
    f.store.maintain().await.unwrap();
    f.store.maintain().await.unwrap();
    let second = key().await;
    assert_ne!(second, first);
    assert!(f.is_good(&token, "").await, "the old one is still published");
    let mut txn = Txn::new();
    f.store.rotate_key("k", Some(Ttl::from_seconds(60)), &mut txn).await.unwrap();
    f.barrier.commit(txn).await.unwrap();
    assert_ne!(key().await, second);
    assert_eq!(f.store.published().await.unwrap().len(), 4);
    f.clock.advance(Duration::from_secs(61));
    assert_eq!(f.store.published().await.unwrap().len(), 3);
    f.clock.advance(Duration::from_hours(2));
    assert!(!f.is_good(&token, "").await);
}

#[tokio::test]
async fn bounds_and_references_hold() {
    let f = fixture().await;
    let with = |period: u64, ttl: u64| KeyChange {
        rotation_period: Some(Ttl::from_seconds(period)),
        verification_ttl: Some(Ttl::from_seconds(ttl)),
        ..signed_by(Algorithm::EdDSA)
    };
    for (period, ttl) in [(59, 60), (60, 601)] {
        assert!(f.key("k", with(period, ttl)).await.is_err(), "{period} {ttl}");
    }
    f.key("k", with(60, 600)).await.unwrap();
    assert!(f.role("r", RoleChange { ttl: Some(Ttl::from_seconds(601)), ..using("k", "") }).await.is_err());
    assert!(f.role("r", using("none", "")).await.is_err());
    f.role("r", using("k", "")).await.unwrap();
    assert!(f.key("k", with(60, 599)).await.is_err(), "a role's tokens last longer");
    assert!(f.store.delete_key("k", &mut Txn::new()).await.is_err());
    assert!(f.store.delete_key(DEFAULT_KEY, &mut Txn::new()).await.is_err());
    f.key("k", KeyChange { allowed_client_ids: Some(vec!["other".to_owned()]), ..with(60, 600) }).await.unwrap();
    assert!(f.token("r").await.is_err(), "the key is for another client");
    for issuer in ["x", "https://x.example/path", "https://", "https://a b"] {
        assert!(f.store.set_issuer(issuer.to_owned(), &mut Txn::new()).is_err(), "{issuer}");
    }
    assert!(f.store.set_issuer("https://x.example:8200".to_owned(), &mut Txn::new()).is_ok());
}

#[tokio::test]
async fn the_default_key_is_there_when_it_is_needed() {
    let f = fixture().await;
    assert_eq!(f.store.key_names().await.unwrap(), [DEFAULT_KEY]);
    assert_eq!(f.store.key_facts(DEFAULT_KEY).await.unwrap().unwrap().allowed_client_ids.unwrap(), ["*"]);
    f.role("r", using(DEFAULT_KEY, "")).await.unwrap();
    let token = f.token("r").await.unwrap();
    assert!(f.is_good(&token, "").await);
}

#[tokio::test]
async fn garbage_is_not_good() {
    let f = fixture().await;
    f.key("k", signed_by(Algorithm::EdDSA)).await.unwrap();
    f.role("r", using("k", "")).await.unwrap();
    let token = f.token("r").await.unwrap();
    for end in 0..token.len() {
        assert!(!f.is_good(&token[..end], "").await, "{end}");
    }
    let none = data_encoding::BASE64URL_NOPAD.encode(br#"{"alg":"none","kid":"x"}"#);
    for garbage in ["", "..", "a.b.c", &format!("{none}.{}.", token.split('.').nth(1).unwrap())] {
        assert!(!f.is_good(garbage, "").await, "{garbage}");
    }
    f.clock.advance(Duration::from_secs(601));
    assert!(!f.is_good(&token, "").await, "it is over");
}
