//! `POST /v1/auth/{mount}/tidy/secret-id`: asks for secret ids that have expired to be removed.
//!
//! The request leaves a note; the engine's upkeep finds it and does the work. Nothing depends on when it is done:
//! expired secret ids are refused, and those of deleted roles cannot be reached, tidied or not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Answer, Content, Cx, Endpoint, Page, Record, Route, StatusCode, Txn};
use crate::error::Result;
use crate::time::Timestamp;

use super::Approle;
use super::login::NoPath;
use super::roles;
use super::secret_ids::{ACCESSORS, SECRETS};

/// Asks for nothing.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Tidy {}

/// The note.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    at: Timestamp,
}

impl Record for Asked {}

const ASKED: &str = "tidy";

impl Endpoint for Tidy {
    type Target = Approle;
    type Path = NoPath;
    type Reply = Answer;

    const ROUTE: Route = Route::write("tidy/secret-id").summary("Remove expired secret ids.");

    async fn handle(self, approle: &Approle, _: NoPath, cx: &mut Cx<'_>) -> Result<Answer> {
        let at = cx.now();
        approle.view.put(cx.txn(), ASKED, &Asked { at })?;
        cx.warn("Tidy operation successfully started. Any information from the operation will be in the server's log.");
        Ok(Answer { status: StatusCode::ACCEPTED, content: Content::Nothing, warnings: Vec::new() })
    }
}

/// Removes what has expired and what belongs to roles that are gone, if anyone asked for it.
pub(super) async fn if_asked(approle: &Approle, now: Timestamp) -> Result<()> {
    if !approle.view.exists(ASKED).await? {
        return Ok(());
    }
    // Folders before roles: a role that is made in between has no folder in this list.
    let mut folders = approle.view.list(SECRETS, Page::all()).await?;
    folders.extend(approle.view.list(ACCESSORS, Page::all()).await?);
    folders.sort_unstable();
    folders.dedup();
    let mut living = Vec::new();
    for name in approle.view.list(roles::FOLDER, Page::all()).await? {
        living.extend(approle.role(&name).await?.map(|role| role.uuid));
    }
    living.sort_unstable();
    for folder in &folders {
        let uuid = folder.trim_end_matches('/');
        let mut txn = Txn::new();
        if living.binary_search_by(|role| role.as_str().cmp(uuid)).is_ok() {
            approle.delete_expired(&mut txn, uuid, now).await?;
        } else {
            approle.delete_secret_ids(&mut txn, uuid).await?;
        }
        if !txn.is_empty() {
            approle.view.commit(txn).await?;
        }
    }
    let mut txn = Txn::new();
    approle.view.delete(&mut txn, ASKED)?;
    approle.view.commit(txn).await
}
