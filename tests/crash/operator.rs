//! An operator who rotates the key of the storage and replaces the share that unseals, now and then.

use serde_json::json;

use crate::support::{Client, Process, text_at};

use super::dice;

/// What the operator has in hand.
pub(super) struct Operator {
    /// The share that unseals.
    share: String,
    /// The one that will, if the server went before it said so.
    next: Option<String>,
    /// The one before it, which does not unseal any more.
    retired: Option<String>,
    /// The term of the key, as far as it was acknowledged.
    term: u64,
}

impl Operator {
    /// With the share of a new vault.
    pub(super) fn new(share: String) -> Self {
        Self { share, next: None, retired: None, term: 1 }
    }

    /// Works until the server goes; `done` is called after each step that was acknowledged.
    pub(super) fn work(&mut self, root: &Client, done: impl Fn()) {
        loop {
            let step = if dice(3) == 0 { self.replace_share(root) } else { self.rotate(root) };
            if step.is_err() {
                break;
            }
            done();
        }
    }

    fn rotate(&mut self, root: &Client) -> Result<(), ureq::Error> {
        root.try_send("POST", "sys/rotate", Some(b"{}"))?.ok();
        self.term += 1;
        Ok(())
    }

    /// The new share is shown first and takes over when it is given back, so that it cannot be lost with an answer.
    fn replace_share(&mut self, root: &Client) -> Result<(), ureq::Error> {
        let post = |path: &str, body: serde_json::Value| root.try_send("POST", path, Some(body.to_string().as_bytes()));
        let wanted = json!({"secret_shares": 1, "secret_threshold": 1, "require_verification": true});
        let nonce = text_at(&post("sys/rekey/init", wanted)?.ok().json(), "nonce");
        let made = post("sys/rekey/update", json!({"nonce": nonce, "key": self.share}))?.ok().json();
        let next = made["keys_base64"][0].as_str().unwrap().to_owned();
        self.next = Some(next.clone());
        let shown = json!({"nonce": text_at(&made, "verification_nonce"), "key": next});
        assert_eq!(post("sys/rekey/verify", shown)?.ok().json()["complete"], true);
        self.retire(next);
        Ok(())
    }

    fn retire(&mut self, next: String) {
        self.retired = Some(std::mem::replace(&mut self.share, next));
        self.next = None;
    }

    /// Unseals a server that was started again: with the share that was acknowledged, or with the one in flight.
    pub(super) fn unseal(&mut self, process: &Process) -> Result<(), String> {
        let client = process.anonymous();
        let opens = |share: &str| {
            let answer = client.post("sys/unseal", json!({ "key": share }));
            answer.status == 200 && answer.json()["sealed"] == false
        };
        if self.retired.as_deref().is_some_and(opens) {
            return Err("a share that was replaced unseals".to_owned());
        }
        if opens(&self.share) {
            self.next = None;
            return Ok(());
        }
        match self.next.take() {
            Some(next) if opens(&next) => {
                self.retire(next);
                Ok(())
            }
            _ => Err("neither the share that was acknowledged nor the one in flight unseals".to_owned()),
        }
    }

    /// Gives a server the shares that may unseal it, whatever it says and however far it comes.
    pub(super) fn try_to_unseal(&self, client: &Client) {
        for share in [Some(&self.share), self.next.as_ref()].into_iter().flatten() {
            let _ = client.try_send("POST", "sys/unseal", Some(json!({ "key": share }).to_string().as_bytes()));
        }
    }

    /// The key is of the term that was acknowledged, or of the next one if that was in flight.
    pub(super) fn settle(&mut self, root: &Client) -> Result<(), String> {
        let term = root.get("sys/key-status").data()["term"].as_u64().unwrap();
        let before = std::mem::replace(&mut self.term, term);
        if (before..=before + 1).contains(&term) {
            return Ok(());
        }
        Err(format!("term {before} was acknowledged, {term} is there"))
    }
}
