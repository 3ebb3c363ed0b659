//! The wrapping token that a request is about: the one in its body, or the caller's own.

use crate::engine::Cx;
use crate::error::{Error, Kind, Result};
use crate::policy::PolicyName;
use crate::secret::ClientToken;
use crate::token::TokenRecord;
use crate::vault::{Unsealed, invalid_wrapping_token};

/// Spends the wrapping token, and gives its id. Of two requests with the same token one comes here, the other fails.
pub(super) async fn spent(token: Option<ClientToken>, unsealed: &Unsealed, cx: &mut Cx<'_>) -> Result<String> {
    let caller = cx.caller()?;
    match token {
        Some(token) if token.is_empty() => Err(empty("empty token in request body")),
        Some(token) if unsealed.tokens.id_of(&token) != caller.token_id => {
            // Looked at before it is spent: a token of another kind loses none of its uses.
            known(&token, unsealed).await?;
            let spent = unsealed.tokens.authenticate(&token, cx.client.address).await;
            let lost = |error: Error| if error.kind() == Kind::Forbidden { invalid_wrapping_token() } else { error };
            let id = spent.map_err(lost)?.caller.token_id;
            unsealed.revoke_after_this(&id).await?;
            Ok(id)
        }
        // The caller's own token was spent when the request came in.
        Some(_) | None if wraps(&caller.policies) => Ok(caller.token_id.clone()),
        Some(_) | None => Err(invalid_wrapping_token()),
    }
}

/// The id of the wrapping token, which is not spent: the one in the body, or else the one that came with the request.
pub(super) async fn seen(token: Option<ClientToken>, unsealed: &Unsealed, cx: &mut Cx<'_>) -> Result<String> {
    let token = token.filter(|token| !token.is_empty());
    let token = token.as_ref().or(cx.token).filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| empty("token is empty"))?;
    known(token, unsealed).await.map(|(id, _)| id)
}

/// The id and the record of `token`, which must be a wrapping token that was not spent.
async fn known(token: &ClientToken, unsealed: &Unsealed) -> Result<(String, TokenRecord)> {
    let found = unsealed.tokens.look_up(token).await?;
    found.filter(|(_, record)| wraps(&record.policies)).ok_or_else(invalid_wrapping_token)
}

/// Whether these are the policies of a wrapping token.
fn wraps(policies: &[String]) -> bool {
    matches!(policies, [only] if *only == PolicyName::response_wrapping().as_str())
}

fn empty(what: &str) -> Error {
    Error::new(Kind::Forbidden, format!("error validating wrapping token: {what}"))
}
