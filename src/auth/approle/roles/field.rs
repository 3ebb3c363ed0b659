//! `GET`, `POST` and `DELETE /v1/auth/{mount}/role/{role_name}/{field}`: single settings of a role.
//!
//! A table: each line makes three endpoints, which read, change and reset what the role's own endpoints read and change.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::api::{LooseBool, LooseInt, StringList, Ttl};
use crate::auth::approle::Approle;
use crate::engine::{Cx, Data, Done, Endpoint, Route, Routes, policy_names};
use crate::error::{Error, Result};

use super::read::Shown;
use super::{Role, RoleParams, RolePath, check_period, role_key};

/// Reads the settings `names` of a role: pairs of the name in the answer and the name in the role.
async fn read(approle: &Approle, role_name: &str, names: &[(&str, &str)]) -> Result<Data<Map<String, Value>>> {
    let role = approle.role(role_name).await?.ok_or_else(Error::absent)?;
    let shown = serde_json::to_value(Shown::from(role)).map_err(|_| Error::internal("a role cannot be shown"))?;
    let pick = |(name, source): &(&str, &str)| Some(((*name).to_owned(), shown.get(source)?.clone()));
    Ok(Data::new(names.iter().filter_map(pick).collect()))
}

/// Changes a role; one that is not there cannot be changed.
async fn write(approle: &Approle, role_name: &str, asked: RoleParams, cx: &mut Cx<'_>) -> Result<Done> {
    let before: Option<Role> = approle.view.fetch(cx.txn(), &role_key(role_name)).await?;
    let before = before.ok_or_else(Error::absent)?;
    let has_period = asked.period.is_some() || asked.token.token_period.is_some();
    let role = before.clone().changed(asked)?;
    if has_period {
        check_period(&role, cx.mount)?;
    }
    approle.put_role(cx.txn(), role_name, &role, Some(&before)).await?;
    Ok(Done)
}

/// Puts a setting back to what a new role has; there is nothing to do where there is no role.
async fn reset(approle: &Approle, role_name: &str, asked: RoleParams, cx: &mut Cx<'_>) -> Result<Done> {
    match write(approle, role_name, asked, cx).await {
        Err(error) if error.kind() == crate::error::Kind::NotFound => Ok(Done),
        outcome => outcome,
    }
}

macro_rules! fields {
    ($(
        $(#[doc = $doc:literal])+
        $module:ident $path:literal reads [$(($shown:literal, $source:literal)),+] $(warns $warning:literal)?
        $(writes { $first:literal; $($field:ident: $type:ty = $default:expr => $($place:ident).+;)+ })?
    )+) => {
        $(
            $(#[doc = $doc])+
            mod $module {
                use super::*;

                /// Asks for nothing.
                #[derive(Deserialize, JsonSchema)]
                pub(super) struct Read {}

                impl Endpoint for Read {
                    type Target = Approle;
                    type Path = RolePath;
                    type Reply = Data<Map<String, Value>>;

                    const ROUTE: Route = Route::read(concat!("role/{role_name:name}/", $path))
                        .summary("Read one setting of a role.");

                    async fn handle(
                        self,
                        approle: &Approle,
                        path: RolePath,
                        _cx: &mut Cx<'_>,
                    ) -> Result<Data<Map<String, Value>>> {
                        $(_cx.warn($warning);)?
                        read(approle, &path.role_name, &[$(($shown, $source)),+]).await
                    }
                }

                $(
                    /// The setting.
                    #[derive(Default, Deserialize, JsonSchema)]
                    #[serde(default)]
                    pub(super) struct Write {
                        $(
                            /// See the parameter of the same name of a role.
                            $field: Option<$type>,
                        )+
                    }

                    impl Endpoint for Write {
                        type Target = Approle;
                        type Path = RolePath;
                        type Reply = Done;

                        const ROUTE: Route = Route::write(concat!("role/{role_name:name}/", $path))
                            .summary("Change one setting of a role.");

                        async fn handle(self, approle: &Approle, path: RolePath, cx: &mut Cx<'_>) -> Result<Done> {
                            let Self { $($field),+ } = self;
                            if $($field.is_none())&&+ {
                                return Err(Error::invalid(concat!("missing ", $first)));
                            }
                            let mut asked = RoleParams::default();
                            $(asked.$($place).+ = $field;)+
                            // This endpoint sorts policies, and the role's own does not.
                            let policies = asked.token.token_policies.as_ref().map(policy_names);
                            asked.token.token_policies = policies.map(StringList::new);
                            write(approle, &path.role_name, asked, cx).await
                        }
                    }

                    /// Asks for nothing.
                    #[derive(Deserialize, JsonSchema)]
                    pub(super) struct Reset {}

                    impl Endpoint for Reset {
                        type Target = Approle;
                        type Path = RolePath;
                        type Reply = Done;

                        const ROUTE: Route = Route::delete(concat!("role/{role_name:name}/", $path))
                            .summary("Reset one setting of a role.");

                        async fn handle(self, approle: &Approle, path: RolePath, cx: &mut Cx<'_>) -> Result<Done> {
                            let mut asked = RoleParams::default();
                            $(asked.$($place).+ = Some($default);)+
                            reset(approle, &path.role_name, asked, cx).await
                        }
                    }
                )?
            }
        )+

        /// Adds the endpoints of the table.
        pub(in crate::auth::approle) fn field_routes(routes: Routes<Approle>) -> Routes<Approle> {
            $(
                let routes = routes.endpoint::<$module::Read>();
                $(
                    // Only lines that say what to write have these.
                    let _ = $first;
                    let routes = routes.endpoint::<$module::Write>().endpoint::<$module::Reset>();
                )?
            )+
            routes
        }
    };
}

fields! {
    /// Whether a secret id is needed to log in.
    bind_secret_id "bind-secret-id" reads [("bind_secret_id", "bind_secret_id")]
        writes { "bind_secret_id"; bind_secret_id: LooseBool = LooseBool(true) => bind_secret_id; }
    /// The older name of the addresses of secret ids.
    bound_cidr_list "bound-cidr-list" reads [("bound_cidr_list", "secret_id_bound_cidrs")]
        warns "The \"bound_cidr_list\" field is deprecated and will be removed. Please use \"secret_id_bound_cidrs\" \
               instead."
        writes { "bound_cidr_list"; bound_cidr_list: StringList = StringList::default() => secret_id_bound_cidrs; }
    /// Kept and shown; set when the role is made.
    local_secret_ids "local-secret-ids" reads [("local_secret_ids", "local_secret_ids")]
    /// The period of tokens.
    period "period" reads [("token_period", "token_period"), ("period", "period")]
        writes {
            "period";
            token_period: Ttl = Ttl::default() => token.token_period;
            period: Ttl = Ttl::default() => period;
        }
    /// The policies of tokens.
    policies "policies" reads [("token_policies", "token_policies"), ("policies", "policies")]
        writes {
            "token_policies";
            token_policies: StringList = StringList::default() => token.token_policies;
            policies: StringList = StringList::default() => policies;
        }
    /// The addresses of secret ids.
    secret_id_bound_cidrs "secret-id-bound-cidrs" reads [("secret_id_bound_cidrs", "secret_id_bound_cidrs")]
        writes {
            "secret_id_bound_cidrs";
            secret_id_bound_cidrs: StringList = StringList::default() => secret_id_bound_cidrs;
        }
    /// How often a secret id can be used.
    secret_id_num_uses "secret-id-num-uses" reads [("secret_id_num_uses", "secret_id_num_uses")]
        writes { "secret_id_num_uses"; secret_id_num_uses: LooseInt = LooseInt(0) => secret_id_num_uses; }
    /// How long a secret id lasts.
    secret_id_ttl "secret-id-ttl" reads [("secret_id_ttl", "secret_id_ttl")]
        writes { "secret_id_ttl"; secret_id_ttl: Ttl = Ttl::default() => secret_id_ttl; }
    /// The addresses of tokens.
    token_bound_cidrs "token-bound-cidrs" reads [("token_bound_cidrs", "token_bound_cidrs")]
        writes {
            "token_bound_cidrs";
            token_bound_cidrs: StringList = StringList::default() => token.token_bound_cidrs;
        }
    /// How long tokens can be renewed to.
    token_max_ttl "token-max-ttl" reads [("token_max_ttl", "token_max_ttl")]
        writes { "token_max_ttl"; token_max_ttl: Ttl = Ttl::default() => token.token_max_ttl; }
    /// How often a token can be used.
    token_num_uses "token-num-uses" reads [("token_num_uses", "token_num_uses")]
        writes { "token_num_uses"; token_num_uses: LooseInt = LooseInt(0) => token.token_num_uses; }
    /// How long tokens last.
    token_ttl "token-ttl" reads [("token_ttl", "token_ttl")]
        writes { "token_ttl"; token_ttl: Ttl = Ttl::default() => token.token_ttl; }
}
