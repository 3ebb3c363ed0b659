//! What there is of a thing, looked at from every side.

use serde_json::{Value, json};

use super::object::{INCARNATION, Kind, Object, State, USES, rule};
use crate::support::{Answer, Client};

/// The versions that a secret keeps.
const VERSIONS: usize = 10;

impl Object {
    /// What there is of it now. An error if its parts do not fit, which may be so while something is being done.
    pub(super) fn look(&self, root: &Client) -> Result<State, String> {
        match self.kind {
            Kind::Secret => self.look_at_secret(root),
            Kind::Policy => {
                let answer = root.get(&format!("sys/policies/acl/{}", self.name));
                let text = present(answer)?.map(|data| data["policy"].as_str().unwrap_or_default().to_owned());
                let number =
                    |text: &String| text.split_once(' ').and_then(|(_, rest)| rest.lines().next()?.parse().ok());
                match text.as_ref().map(|text| (number(text), text)) {
                    None => Ok(None),
                    Some((Some(number), text)) if *text == rule(number) => Ok(Some(number)),
                    Some(_) => Err("its text was never written".to_owned()),
                }
            }
            Kind::Mount => {
                let listed = root.get("sys/mounts").data().get(format!("{}/", self.name)).is_some();
                let inside = root.get(&format!("{}/value", self.name));
                self.look_inside(listed, inside, |data| data["n"].as_u64())
            }
            Kind::AuthMethod => {
                let listed = root.get("sys/auth").data().get(format!("{}/", self.name)).is_some();
                let inside = root.get(&format!("auth/{}/users/someone", self.name));
                self.look_inside(listed, inside, |data| data["token_policies"][0].as_str()?.parse().ok())
            }
            Kind::Token => self.look_at_token(root),
            Kind::CountedToken => self.look_at_counted_token(root),
            Kind::Login => self.look_at_login(root),
            Kind::Role => match (self.database.look(root, &self.name, self.lent.as_ref())?, self.state) {
                ((false, 0), _) => Ok(None),
                ((true, _), Some(serial)) => Ok(Some(serial)),
                // Credentials whose answer was lost, or the intent to make them.
                ((false, 1), None) if self.pending.is_some() => Ok(self.pending.flatten()),
                (found, _) => Err(format!("they are good, leases: {found:?}")),
            },
            Kind::Entity => {
                let data = present(root.get(&format!("identity/entity/name/{}", self.name)))?;
                let Some(data) = data else { return Ok(None) };
                let by_id =
                    present(root.get(&format!("identity/entity/id/{}", data["id"].as_str().unwrap_or_default())))?;
                if by_id.as_ref() != Some(&data) {
                    return Err("it is not the same by its name and by its id".to_owned());
                }
                Ok(data["metadata"]["n"].as_str().and_then(|number| number.parse().ok()))
            }
        }
    }

    fn look_at_secret(&self, root: &Client) -> Result<State, String> {
        let read = present(root.get(&format!("kv/data/{}", self.name)))?;
        let metadata = present(root.get(&format!("kv/metadata/{}", self.name)))?;
        let (Some(read), Some(metadata)) = (&read, &metadata) else {
            let half = read.is_some() || metadata.is_some();
            return if half {
                Err("its data is there without its metadata, or the other way round".to_owned())
            } else {
                Ok(None)
            };
        };
        let version = read["metadata"]["version"].as_u64();
        let kept = version.map(|version| usize::try_from(version).unwrap().min(VERSIONS));
        if read["data"]["n"].as_u64() != version
            || metadata["current_version"].as_u64() != version
            || metadata["versions"].as_object().map(serde_json::Map::len) != kept
        {
            return Err(format!("version {version:?} does not fit {} and {metadata}", read["data"]["n"]));
        }
        Ok(version)
    }

    /// A mount is in the table and answers, or neither.
    fn look_inside(&self, listed: bool, inside: Answer, number: fn(&Value) -> Option<u64>) -> Result<State, String> {
        let routed = inside.status != 404 || inside.json()["errors"] == json!([]);
        if listed != routed {
            return Err(format!(
                "in the table: {listed}, but reading in it is answered {}: {}",
                inside.status, inside.text
            ));
        }
        if !listed {
            return Ok(None);
        }
        match present(inside)? {
            Some(data) => number(&data).map(Some).ok_or_else(|| "what is in it was never written".to_owned()),
            // Empty: only the newest incarnation can be.
            None => Ok(Some(self.highest / INCARNATION * INCARNATION)),
        }
    }

    fn look_at_token(&self, root: &Client) -> Result<State, String> {
        let mut found = None;
        for serial in self.highest.saturating_sub(5).max(1)..=self.highest {
            match root.with_token(&self.id(serial)).get("auth/token/lookup-self").status {
                200 => {
                    if found.replace(serial).is_some() {
                        return Err("one that was revoked works".to_owned());
                    }
                    // Its lease is there too.
                    root.post("auth/token/renew", json!({"token": self.id(serial)})).ok();
                }
                403 => {}
                other => return Err(format!("it is answered {other}")),
            }
        }
        Ok(found)
    }

    fn look_at_counted_token(&self, root: &Client) -> Result<State, String> {
        let incarnation = self.highest / INCARNATION;
        let mut found = None;
        for serial in incarnation.saturating_sub(2).max(1)..=incarnation {
            let answer = root.post("auth/token/lookup", json!({"token": self.id(serial)}));
            match (answer.status, found) {
                (200, None) => {
                    let left = answer.data()["num_uses"].as_u64().filter(|left| (1..=USES).contains(left));
                    let left = left.ok_or_else(|| "its uses are not those it was made with".to_owned())?;
                    found = Some(serial * INCARNATION + USES - left);
                }
                (200, Some(_)) => return Err("one that was revoked is there".to_owned()),
                (403, _) => {}
                (other, _) => return Err(format!("it is answered {other}")),
            }
        }
        Ok(found)
    }

    fn look_at_login(&self, root: &Client) -> Result<State, String> {
        let leases = present(root.list(&format!("sys/leases/lookup/auth/userpass/login/{}", self.name)))?;
        let leases = leases.map_or(0, |data| data["keys"].as_array().map_or(0, Vec::len));
        let works = self.token.as_ref().map(|token| root.with_token(token).get("auth/token/lookup-self").status == 200);
        match (leases, works, self.state) {
            (0, None | Some(false), _) => Ok(None),
            (1, Some(true), Some(serial)) => Ok(Some(serial)),
            // A login whose answer was lost: its lease is there, the token of the login before it is not.
            (1, None | Some(false), None) => Ok(self.pending.flatten()),
            _ => Err(format!("{leases} leases; its token works: {works:?}")),
        }
    }
}

/// The data of what is there; nothing if it is not there.
fn present(answer: Answer) -> Result<Option<Value>, String> {
    match answer.status {
        200 => Ok(Some(answer.data())),
        404 => Ok(None),
        other => Err(format!("it is answered {other}: {}", answer.text)),
    }
}
