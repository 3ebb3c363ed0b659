//! The roles.

mod delete;
mod field;
mod list;
mod read;
mod role_id;
mod write;

pub(super) use delete::DeleteRole;
pub(super) use field::field_routes;
pub(super) use list::ListRoles;
pub(super) use read::ReadRole;
pub(super) use role_id::{ReadRoleId, WriteRoleId};
pub(super) use write::WriteRole;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{LooseBool, LooseInt, LooseText, StringList, Ttl, given};
use crate::engine::{LegacyNames, LegacyParams, Mount, Record, TokenParams, TokenSettings, Txn, bound_cidrs};
use crate::entropy::Entropy;
use crate::error::{Error, Result};

use super::Approle;

/// Where the records are.
pub(super) const FOLDER: &str = "role/";

/// The path of one role, and of what belongs to it.
#[derive(Deserialize, JsonSchema)]
pub(super) struct RolePath {
    /// The role's name, in lower case.
    pub(super) role_name: String,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "a role id is a term of its own")]
pub(super) struct Role {
    /// Names this role for good: another one that is given its name later has none of its secret ids.
    pub(super) uuid: String,
    pub(super) role_id: String,
    pub(super) bind_secret_id: bool,
    local_secret_ids: bool,
    /// As they were sent; nothing where they never were.
    pub(super) secret_id_bound_cidrs: Option<Vec<String>>,
    pub(super) secret_id_num_uses: u64,
    pub(super) secret_id_ttl: Ttl,
    pub(super) token: TokenSettings,
    legacy: LegacyNames,
}

impl Record for Role {}

/// Which role has a role id.
#[derive(Debug, Serialize, Deserialize)]
struct RoleIdOwner {
    role_name: String,
}

impl Record for RoleIdOwner {}

/// A role; what is left out stays as it is.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct RoleParams {
    /// The role id; a random one where it is left out.
    #[serde(deserialize_with = "given")]
    role_id: Option<LooseText>,
    /// Whether a secret id is needed to log in.
    bind_secret_id: Option<LooseBool>,
    /// Kept and shown; can be set when the role is made only.
    local_secret_ids: Option<LooseBool>,
    /// The addresses from which secret ids can be used.
    #[serde(deserialize_with = "given")]
    secret_id_bound_cidrs: Option<StringList>,
    /// Older name of `secret_id_bound_cidrs`.
    bound_cidr_list: Option<StringList>,
    /// How often a secret id can be used; 0 is any number.
    #[serde(deserialize_with = "given")]
    secret_id_num_uses: Option<LooseInt>,
    /// How long a secret id lasts; 0 is for good.
    secret_id_ttl: Option<Ttl>,
    /// What tokens are like.
    #[serde(flatten)]
    token: TokenParams,
    /// Older name of `token_policies`.
    #[serde(deserialize_with = "given")]
    policies: Option<StringList>,
    /// Older name of `token_period`.
    period: Option<Ttl>,
}

impl Role {
    fn new(entropy: &dyn Entropy) -> Result<Self> {
        Ok(Self {
            uuid: entropy.uuid()?,
            role_id: entropy.uuid()?,
            bind_secret_id: true,
            local_secret_ids: false,
            secret_id_bound_cidrs: None,
            secret_id_num_uses: 0,
            secret_id_ttl: Ttl::default(),
            token: TokenSettings::new(),
            legacy: LegacyNames::default(),
        })
    }

    /// This role with the changes that a caller asks for, checked as a whole.
    fn changed(mut self, asked: RoleParams) -> Result<Self> {
        let RoleParams {
            role_id,
            bind_secret_id,
            local_secret_ids,
            secret_id_bound_cidrs,
            bound_cidr_list,
            secret_id_num_uses,
            secret_id_ttl,
            mut token,
            policies,
            period,
        } = asked;
        if let Some(LooseText(role_id)) = role_id {
            if role_id.is_empty() || role_id.len() > MAX_ROLE_ID {
                return Err(Error::invalid("'role_id' must have between 1 and 4096 bytes"));
            }
            self.role_id = role_id;
        }
        self.bind_secret_id = bind_secret_id.map_or(self.bind_secret_id, |flag| flag.0);
        self.local_secret_ids = local_secret_ids.map_or(self.local_secret_ids, |flag| flag.0);
        if let Some(cidrs) = secret_id_bound_cidrs.or(bound_cidr_list).map(StringList::all) {
            bound_cidrs(&cidrs)?;
            self.secret_id_bound_cidrs = Some(cidrs);
        }
        if let Some(LooseInt(uses)) = secret_id_num_uses {
            self.secret_id_num_uses =
                u64::try_from(uses).map_err(|_| Error::invalid("secret_id_num_uses cannot be negative"))?;
        }
        self.secret_id_ttl = secret_id_ttl.unwrap_or(self.secret_id_ttl);
        LegacyParams { policies, period, ..LegacyParams::default() }.merge(&mut token, &mut self.legacy);
        self.token = self.token.changed(&token)?;
        let bound = !self.secret_id_bounds().is_empty() || !self.token.token_bound_cidrs.is_empty();
        if !self.bind_secret_id && !bound {
            return Err(Error::invalid("at least one constraint should be enabled on the role"));
        }
        Ok(self)
    }

    /// The addresses from which secret ids can be used; none is any.
    pub(super) fn secret_id_bounds(&self) -> &[String] {
        self.secret_id_bound_cidrs.as_deref().unwrap_or_default()
    }
}

impl Approle {
    /// A role by its name.
    pub(super) async fn role(&self, name: &str) -> Result<Option<Role>> {
        self.view.get(&role_key(name)).await
    }

    /// A role that must be there.
    pub(super) async fn known_role(&self, name: &str) -> Result<Role> {
        self.role(name).await?.ok_or_else(|| Error::not_found("this role does not exist"))
    }

    /// The role that has a role id, with its name.
    pub(super) async fn role_by_id(&self, role_id: &str) -> Result<Option<(String, Role)>> {
        let Some(owner) = self.view.get::<RoleIdOwner>(&self.role_id_key(role_id)).await? else { return Ok(None) };
        let role = self.role(&owner.role_name).await?;
        Ok(role.filter(|role| role.role_id == role_id).map(|role| (owner.role_name, role)))
    }

    /// Writes a role that was made or changed, and moves its role id where that is another one now.
    async fn put_role(&self, txn: &mut Txn, name: &str, role: &Role, before: Option<&Role>) -> Result<()> {
        if before.is_none_or(|before| before.role_id != role.role_id) {
            let id_key = self.role_id_key(&role.role_id);
            if self.view.fetch::<RoleIdOwner>(txn, &id_key).await?.is_some() {
                return Err(Error::invalid("role_id already in use; choose another one"));
            }
            self.view.put(txn, &id_key, &RoleIdOwner { role_name: name.to_owned() })?;
            if let Some(before) = before {
                self.view.delete(txn, &self.role_id_key(&before.role_id))?;
            }
        }
        self.view.put(txn, &role_key(name), role)
    }

    fn role_id_key(&self, role_id: &str) -> String {
        format!("role-id/{}", self.hash(&["role-id", role_id]))
    }
}

/// By its older name a period is refused that the mount would cut short; by the newer one it is cut short.
fn check_period(role: &Role, mount: &Mount) -> Result<()> {
    if role.token.token_period <= mount.max_ttl {
        return Ok(());
    }
    let max = mount.max_ttl.seconds();
    Err(Error::invalid(format!("period is greater than the backend's maximum lease TTL of {max} seconds")))
}

const MAX_ROLE_ID: usize = 4096;

fn role_key(name: &str) -> String {
    format!("{FOLDER}{name}")
}
