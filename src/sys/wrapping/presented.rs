//! The wrapping token that a request is about: the one in its body, or the caller's own.

use std::sync::Arc;

use crate::engine::Cx;
use crate::error::{Error, Kind, Result};
use crate::policy::PolicyName;
use crate::secret::ClientToken;
use crate::vault::{Unsealed, invalid_wrapping_token};

/// A wrapping token that a request is about.
pub(super) struct Presented {
    /// Its id.
    pub(super) id: String,
    /// The namespace that it is of, wherever the request was sent.
    pub(super) home: Arc<Unsealed>,
}

/// Spends the wrapping token. Of two requests with the same token one comes here, the other fails.
pub(super) async fn spent(token: Option<ClientToken>, unsealed: &Unsealed, cx: &mut Cx<'_>) -> Result<Presented> {
    let caller = cx.caller()?;
    match token {
        Some(token) if token.is_empty() => Err(empty("empty token in request body")),
        Some(token) if unsealed.tokens.id_of(&token) != caller.token_id => {
            // Looked at before it is spent: a token of another kind loses none of its uses.
            let presented = known(&token, unsealed).await?;
            let spent = unsealed.tokens.authenticate(&token, cx.client.address).await;
            let lost = |error: Error| if error.kind() == Kind::Forbidden { invalid_wrapping_token() } else { error };
            spent.map_err(lost)?;
            unsealed.revoke_after_this(&presented.id).await?;
            Ok(presented)
        }
        // The caller's own token was spent when the request came in.
        Some(_) | None if wraps(&caller.policies) => {
            Ok(Presented { id: caller.token_id.clone(), home: home(unsealed, &caller.namespace_id)? })
        }
        Some(_) | None => Err(invalid_wrapping_token()),
    }
}

/// The wrapping token, which is not spent: the one in the body, or else the one that came with the request.
pub(super) async fn seen(token: Option<ClientToken>, unsealed: &Unsealed, cx: &mut Cx<'_>) -> Result<Presented> {
    let token = token.filter(|token| !token.is_empty());
    let token = token.as_ref().or(cx.token).filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| empty("token is empty"))?;
    known(token, unsealed).await
}

/// `token`, which must be a wrapping token that was not spent.
async fn known(token: &ClientToken, unsealed: &Unsealed) -> Result<Presented> {
    let found = unsealed.tokens.look_up(token).await?;
    let found = found.filter(|(_, record)| wraps(&record.policies));
    let (id, record) = found.ok_or_else(invalid_wrapping_token)?;
    Ok(Presented { id, home: home(unsealed, &record.namespace_id)? })
}

fn home(unsealed: &Unsealed, namespace_id: &str) -> Result<Arc<Unsealed>> {
    unsealed.core.namespaces.by_id(namespace_id).ok_or_else(invalid_wrapping_token)
}

/// Whether these are the policies of a wrapping token.
fn wraps(policies: &[String]) -> bool {
    matches!(policies, [only] if *only == PolicyName::response_wrapping().as_str())
}

fn empty(what: &str) -> Error {
    Error::new(Kind::Forbidden, format!("error validating wrapping token: {what}"))
}
