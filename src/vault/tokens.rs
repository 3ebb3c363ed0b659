//! Tokens and the leases that end them, as one thing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::api::{ApiPath, Auth, Ttl};
use crate::barrier::Txn;
use crate::engine::{Bounds, Client, Granted, Identity, Login, TokenType, grant, joined, renewed};
use crate::error::{Error, Kind, Result};
use crate::lease::{LeaseManager, OwnedLease, TokenLease};
use crate::metrics::MountMeter;
use crate::mount::{Backend, MountPoint};
use crate::secret::ClientToken;
use crate::token::{Issued, NewToken, TokenRecord, Uses};

use super::init::root_record;
use super::unsealed::Unsealed;

/// How long the request that takes a token's last use may run before the token is revoked.
const LAST_REQUEST: Duration = Duration::from_mins(5);

/// A login that ended in a token.
#[derive(Debug)]
pub struct LoggedIn {
    /// The token.
    pub issued: Issued,
    /// How long it lasts.
    pub granted: Granted,
    /// The policies that come from its entity.
    pub identity_policies: Vec<String>,
}

/// A token that was looked up.
#[derive(Debug)]
pub struct LookedUp {
    /// The namespace that it is of.
    pub home: Arc<Unsealed>,
    /// Its id.
    pub id: String,
    /// What is stored of it.
    pub record: TokenRecord,
}

/// What the role says now that a token was made by. Zero says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoleBounds {
    /// How long each renewal is.
    pub period: Ttl,
    /// How long after it was made the token ends at the latest.
    pub explicit_max_ttl: Ttl,
}

/// A token that was renewed.
#[derive(Debug)]
pub struct Renewed {
    /// What is stored of it now.
    pub record: TokenRecord,
    /// What the caller reads where the length was cut short.
    pub warnings: Vec<String>,
}

impl Unsealed {
    /// Makes a token; if it ends by itself, with the lease that ends it. All of it goes into `txn`.
    pub fn issue(&self, new: NewToken, txn: &mut Txn) -> Result<Issued> {
        let start = Instant::now();
        let issued = self.tokens.issue(new, txn)?;
        let metrics = self.core.parts.metrics.clone();
        let (meter, is_batch) = (self.maker_of(&issued.record), issued.token_type == TokenType::Batch);
        txn.on_commit(move || {
            metrics.work.token_creations.since(start);
            if let Some(meter) = meter {
                meter.gave_token(is_batch);
            }
        });
        let Issued { id, record, token_type, .. } = &issued;
        let role = record.identity.as_ref().map(|identity| identity.role.clone()).unwrap_or_default();
        // However many leases there are, a root token can be made to look after them.
        let forced = record.policies.iter().any(|policy| policy == "root");
        let (lease_id, token_id) = (record.lease_id(id), id.clone());
        match (token_type, record.expires) {
            (TokenType::Service, Some(expires)) => {
                self.leases.register_token(TokenLease { lease_id, token_id, role, expires, forced }, txn)?;
            }
            (TokenType::Batch, _) if !forced => self.leases.require_room(&lease_id, &role)?,
            (TokenType::Service | TokenType::Batch, _) => {}
        }
        Ok(issued)
    }

    /// What is counted of the mount that gives out the token of `record`.
    fn maker_of(&self, record: &TokenRecord) -> Option<Arc<MountMeter>> {
        self.mounts.route(&record.path).map(|(point, _)| point.meter.clone())
    }

    /// Makes a root token without end, for whoever generated one with the shares.
    pub(super) fn issue_root(&self, txn: &mut Txn) -> Result<Issued> {
        let record = root_record(&self.namespace.id, self.deps.clock.now());
        self.issue(NewToken { token_type: TokenType::Service, custom_id: None, parent: None, record }, txn)
    }

    /// Makes `token` a root token without end; for a vault in memory, whose operator chooses it.
    pub async fn adopt_root_token(&self, token: ClientToken) -> Result<()> {
        let record = root_record(&self.namespace.id, self.deps.clock.now());
        let mut txn = Txn::new();
        self.issue(
            NewToken { token_type: TokenType::Service, custom_id: Some(token), parent: None, record },
            &mut txn,
        )?;
        self.commit(txn).await
    }

    /// Makes the token of a login.
    pub async fn log_in(&self, point: &MountPoint, path: &ApiPath, login: Login, txn: &mut Txn) -> Result<LoggedIn> {
        let Login { identity, terms } = login;
        let known = self.recognise(point, &identity, txn).await?;
        let (entity_id, identity_policies) =
            known.map_or_else(Default::default, |facts| (facts.entity_id.clone(), facts.policies.clone()));
        let policies = login_policies(&identity, terms.no_default_policy)?;
        let token_type = point.entry.config.token_type.of_login(terms.token_type);
        let bounds = Bounds {
            default_ttl: point.facts.default_ttl,
            max_ttl: terms.max_ttl.shorter(point.facts.max_ttl),
            period: terms.period,
            explicit_max_ttl: terms.explicit_max_ttl,
        };
        let granted = grant(terms.ttl, bounds);
        let now = self.deps.clock.now();
        let batch = token_type == TokenType::Batch;
        let record = TokenRecord {
            policies,
            path: path.as_str().to_owned(),
            metadata: identity.metadata.clone(),
            display_name: identity.display_name.clone(),
            uses: if batch { Uses::Unlimited } else { Uses::of(terms.num_uses) },
            ttl: granted.ttl,
            creation_ttl: granted.ttl,
            expires: Some(granted.expires(now)),
            renewable: !batch,
            // A batch token is never renewed, so that these say nothing about it.
            period: if batch { Ttl::default() } else { terms.period },
            explicit_max_ttl: if batch { Ttl::default() } else { terms.explicit_max_ttl },
            entity_id,
            bound_cidrs: terms.bound_cidrs,
            identity: Some(identity),
            batch,
            ..root_record(&self.namespace.id, now)
        };
        let issued = self.issue(NewToken { token_type, custom_id: None, parent: None, record }, txn)?;
        Ok(LoggedIn { issued, granted, identity_policies })
    }

    /// Renews the token `id` of this namespace by `asked` (zero is the length it last had). An auth method may refuse.
    pub async fn renew_token(
        &self,
        id: &str,
        asked: Ttl,
        role: RoleBounds,
        client: &Client,
        txn: &mut Txn,
    ) -> Result<Renewed> {
        let now = self.deps.clock.now();
        let record = self.tokens.fetch(id, txn).await?;
        let mut record =
            record.filter(|record| !record.has_ended(now)).ok_or_else(|| Error::invalid("token not found"))?;
        if record.batch {
            return Err(Error::invalid("batch tokens cannot be renewed"));
        }
        let Some(_) = record.expires.filter(|_| record.renewable) else {
            return Err(Error::invalid("lease is not renewable"));
        };
        let bounds = self.renewal_bounds(&record, role, client).await?;
        let granted = renewed(asked, bounds, record.created, now);
        if granted.ttl.is_zero() {
            // It is past a maximum that was shortened since: it stays what it is, and ends when it was to end.
            return Err(Error::invalid("past the max TTL, cannot renew; log in again"));
        }
        let expires = granted.expires(now);
        record.ttl = granted.ttl;
        record.expires = Some(expires);
        record.last_renewal = Some(now);
        self.tokens.update(id, &record, txn)?;
        self.leases.extend_token(&record.lease_id(id), expires, txn).await?;
        Ok(Renewed { warnings: granted.warnings, record })
    }

    /// The lengths that bound a renewal. A login's are asked for again, so that a changed role counts.
    async fn renewal_bounds(&self, record: &TokenRecord, role: RoleBounds, client: &Client) -> Result<Bounds> {
        let point = self.mounts.route(&record.path).map(|(point, _)| point);
        let max_ttl = point.as_ref().map_or(self.core.parts.settings.ttl.max_ttl, |point| point.facts.max_ttl);
        let own = Bounds {
            default_ttl: record.ttl,
            max_ttl,
            period: role.period.shorter(record.period),
            explicit_max_ttl: role.explicit_max_ttl.shorter(record.explicit_max_ttl),
        };
        let Some(identity) = &record.identity else { return Ok(own) };
        let refused = || Error::invalid("the auth method does not renew this token any more; log in again");
        let point = point.ok_or_else(refused)?;
        let Backend::Engine(engine) = &point.backend else { return Err(refused()) };
        let terms = engine.renew_token(identity, client).await?.ok_or_else(refused)?;
        Ok(Bounds {
            default_ttl: terms.ttl.or(point.facts.default_ttl),
            max_ttl: terms.max_ttl.shorter(max_ttl),
            period: terms.period,
            explicit_max_ttl: record.explicit_max_ttl,
        })
    }

    /// Revokes the token `id`, its children, their leases and what is in their cubbyholes. It cannot be used from the
    /// first moment on; whatever is not done at once is done in the background, also after a restart.
    pub async fn revoke_token(&self, id: &str) -> Result<()> {
        if self.doom_token(id).await? { self.undo_token(id).await } else { Ok(()) }
    }

    /// Revokes the token `id` and leaves its children without a parent.
    pub async fn revoke_token_alone(&self, id: &str) -> Result<()> {
        for child in self.tokens.children(id).await? {
            let mut txn = Txn::new();
            if let Some(record) = self.tokens.fetch(&child, &mut txn).await? {
                self.tokens.make_orphan(&child, record, &mut txn)?;
            }
            self.commit(txn).await?;
        }
        self.revoke_token(id).await
    }

    /// Ends the token `id` now, durably. False if there is none.
    pub(super) async fn doom_token(&self, id: &str) -> Result<bool> {
        loop {
            let mut txn = Txn::new();
            let Some(mut record) = self.tokens.fetch(id, &mut txn).await? else { return Ok(false) };
            let (now, lease_id) = (self.deps.clock.now(), record.lease_id(id));
            let leases = self.leases_in(&record.namespace_id);
            if let Some(leases) = &leases
                && record.has_ended(now)
                && leases.lease(&lease_id).await?.is_some()
            {
                return Ok(true);
            }
            record.expires = Some(now);
            self.tokens.update(id, &record, &mut txn)?;
            if let Some(leases) = leases {
                leases.end_token(lease_id, id, now, &mut txn).await?;
            }
            match self.commit(txn).await {
                Err(error) if error.kind() == Kind::Conflict => {}
                outcome => return outcome.map(|()| true),
            }
        }
    }

    /// Ends the token `id` and all below it, then removes them with all that depends on them. Twice is as good as once.
    pub(super) async fn undo_token(&self, id: &str) -> Result<()> {
        // From the top down, so that none can make another child any more; then from the bottom up, so that none is out
        // of reach if this stops half-way. A list instead of recursion: how deep the tree is, is for its makers to say.
        let mut tree = vec![id.to_owned()];
        let mut next = 0;
        let mut outcome = Ok(());
        while let Some(token) = tree.get(next).cloned() {
            // One that cannot be ended now must not let the others live on.
            outcome = outcome.and(self.doom_token(&token).await.map(drop));
            tree.extend(self.tokens.children(&token).await?);
            next += 1;
        }
        outcome?;
        for token in tree.iter().rev() {
            self.remove_token(token).await?;
        }
        Ok(())
    }

    /// Dooms the leases of the token `id`, then removes it and its cubbyhole.
    async fn remove_token(&self, id: &str) -> Result<()> {
        for OwnedLease { lease_id, namespace_id } in self.leases.owned_by(id).await? {
            if let Some(leases) = self.leases_in(&namespace_id) {
                leases.doom(&lease_id).await?;
            }
        }
        loop {
            let mut txn = Txn::new();
            let Some(record) = self.tokens.fetch(id, &mut txn).await? else { return Ok(()) };
            self.empty_cubbyholes(id, &record, &mut txn).await?;
            if let Some(leases) = self.leases_in(&record.namespace_id) {
                leases.forget(&record.lease_id(id), &mut txn).await?;
            }
            self.tokens.remove(id, &record, &mut txn)?;
            match self.commit(txn).await {
                Err(error) if error.kind() == Kind::Conflict => {}
                outcome => return outcome,
            }
        }
    }

    /// Removes what a token put into cubbyholes: that of its namespace, and those of the namespaces within.
    async fn empty_cubbyholes(&self, id: &str, record: &TokenRecord, txn: &mut Txn) -> Result<()> {
        let Some(home) = self.core.namespaces.by_id(&record.namespace_id) else { return Ok(()) };
        for unsealed in self.core.namespaces.within(&home.namespace.path).iter().chain([&home]) {
            let cubbyhole = unsealed.cubbyhole()?;
            for key in cubbyhole.scan(&format!("{id}/")).await? {
                cubbyhole.delete(txn, &format!("{id}/{key}"))?;
            }
        }
        Ok(())
    }

    /// The leases of the namespace `namespace_id`; nothing if it is gone, and all of its leases with it.
    fn leases_in(&self, namespace_id: &str) -> Option<Arc<LeaseManager>> {
        if namespace_id == self.namespace.id {
            return Some(self.leases.clone());
        }
        self.core.namespaces.by_id(namespace_id).map(|home| home.leases.clone())
    }

    /// The token `token` of this namespace or one within, without spending it. An error for a token of another one: not to
    /// find it would be taken for its end.
    pub async fn look_up(&self, token: &ClientToken) -> Result<Option<LookedUp>> {
        let Some((id, record)) = self.tokens.look_up(token).await? else { return Ok(None) };
        let Some(home) = self.core.namespaces.by_id(&record.namespace_id) else { return Ok(None) };
        if !self.namespace.contains(&home.namespace.path) {
            return Err(Error::invalid("the token is of a namespace that does not lie in this one; ask there"));
        }
        Ok(Some(LookedUp { home, id, record }))
    }

    /// The token of this namespace behind an accessor: its id and its record.
    pub async fn by_accessor(&self, accessor: &str) -> Result<Option<(String, TokenRecord)>> {
        Ok(self.tokens.by_accessor(accessor).await?.filter(|(_, record)| record.namespace_id == self.namespace.id))
    }

    /// The request that took the last use of the token `id` is about to be done. Should the server stop before it is
    /// answered, the token is revoked all the same.
    pub async fn revoke_after_this(&self, id: &str) -> Result<()> {
        loop {
            let mut txn = Txn::new();
            let Some(record) = self.tokens.fetch(id, &mut txn).await? else { return Ok(()) };
            let latest = self.deps.clock.now().plus(LAST_REQUEST);
            let end = record.expires.map_or(latest, |expires| expires.min(latest));
            let Some(leases) = self.leases_in(&record.namespace_id) else { return Ok(()) };
            leases.end_token(record.lease_id(id), id, end, &mut txn).await?;
            match self.commit(txn).await {
                Err(error) if error.kind() == Kind::Conflict => {}
                outcome => return outcome,
            }
        }
    }

    /// Ends a token that this request spent for the last time, once it is answered.
    pub fn revoke_in_background(self: &Arc<Self>, id: String) {
        let unsealed = self.clone();
        self.spawn("revoke a spent token", async move { unsealed.revoke_token(&id).await });
    }

    /// The token as its holder reads it. `identity_policies` are those that come from its entity.
    pub fn auth_of(&self, issued: Issued, identity_policies: Vec<String>) -> Auth {
        let Issued { token, record, token_type, .. } = issued;
        let remaining = record.remaining(self.deps.clock.now());
        Auth {
            client_token: token,
            accessor: record.accessor,
            policies: joined(&record.policies, &identity_policies),
            token_policies: record.policies,
            identity_policies,
            metadata: Some(record.metadata).filter(|metadata| !metadata.is_empty()),
            // A length just granted is shown whole, not a moment later.
            lease_duration: if record.expires.is_some() { record.ttl.seconds().max(remaining) } else { 0 },
            renewable: record.renewable,
            entity_id: record.entity_id,
            token_type: token_type.as_str().to_owned(),
            orphan: record.parent.is_none(),
            mfa_requirement: None,
            num_uses: record.uses.left().unwrap_or(0),
        }
    }
}

/// The policies of a login's token: what the method grants, and `default`.
fn login_policies(identity: &Identity, no_default: bool) -> Result<Vec<String>> {
    let mut policies: BTreeSet<String> = identity.policies.iter().map(|name| name.trim().to_lowercase()).collect();
    policies.remove("");
    if policies.contains("root") {
        return Err(Error::invalid("auth methods cannot create root tokens"));
    }
    if !no_default {
        policies.insert("default".to_owned());
    }
    Ok(policies.into_iter().collect())
}
