//! Vault's envelope as a table: a wrapped answer, a token, or data with its lease.

use zeroize::Zeroizing;

use super::{Render, human, key_value};
use crate::client::Secret;
use crate::json::Json;

impl Render for Secret {
    fn table(&self) -> Zeroizing<String> {
        let rows: Vec<_> = if self.wrap_info != Json::Null {
            self.wrap_rows().into_iter().map(|(key, value)| (format!("{key}:"), value)).collect()
        } else if self.auth != Json::Null {
            self.auth_rows()
        } else {
            self.data_rows()
        };
        if rows.is_empty() { Zeroizing::default() } else { key_value(rows) }
    }

    fn json(self) -> Json {
        self.into_json()
    }

    fn field(&self, name: &str) -> Option<Json> {
        let found = if self.wrap_info != Json::Null {
            let name = if name == "wrapped_accessor" { name } else { name.strip_prefix("wrapping_")? };
            self.wrap_info.some(name.strip_prefix("token_").unwrap_or(name))
        } else if self.auth != Json::Null {
            match name {
                "token" => self.auth.some("client_token"),
                "token_accessor" => self.auth.some("accessor"),
                "token_duration" => self.auth.some("lease_duration"),
                "token_renewable" => self.auth.some("renewable"),
                "token_policies" | "identity_policies" | "policies" => self.auth.some(name),
                _ => name.strip_prefix("token_meta_").and_then(|key| self.auth.at("metadata")?.some(key)),
            }
        } else {
            return self.data_field(name);
        };
        found.map(Json::copy)
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl Secret {
    fn data_field(&self, name: &str) -> Option<Json> {
        match name {
            "lease_id" if !self.lease_id.is_empty() => Some(Json::text(self.lease_id.as_str())),
            "refresh_interval" | "lease_duration" if self.lease_duration > 0 => Some(Json::number(self.lease_duration)),
            "lease_renewable" if !self.lease_id.is_empty() => Some(Json::Bool(self.renewable)),
            _ => self.data.some(name).map(Json::copy),
        }
    }

    fn data_rows(&self) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        let mut row = |key: &str, value: String| rows.push((key.to_owned(), value));
        if !self.lease_id.is_empty() {
            row("lease_id", self.lease_id.clone());
            row("lease_duration", human::duration(self.lease_duration));
            row("lease_renewable", self.renewable.to_string());
        } else if self.lease_duration > 0 {
            row("refresh_interval", human::duration(self.lease_duration));
        }
        for (key, value) in self.data.sorted_members() {
            row(key, human::shown(key, value).to_string());
        }
        rows
    }

    fn auth_rows(&self) -> Vec<(String, String)> {
        let auth = &self.auth;
        let or_absent = |text: &str| if text.is_empty() { "n/a".to_owned() } else { text.to_owned() };
        let lasts = match auth.integer_at("lease_duration") {
            0 => "∞".to_owned(),
            seconds => human::duration(seconds),
        };
        let mut rows = vec![
            ("token".to_owned(), or_absent(auth.text_at("client_token"))),
            ("token_accessor".to_owned(), or_absent(auth.text_at("accessor"))),
            ("token_duration".to_owned(), lasts),
            ("token_renewable".to_owned(), auth.is_true_at("renewable").to_string()),
        ];
        for key in ["token_policies", "identity_policies", "policies"] {
            let names: Vec<_> = auth.texts_at(key).into_iter().map(|name| format!("{name:?}")).collect();
            rows.push((key.to_owned(), format!("[{}]", names.join(" "))));
        }
        for (key, value) in auth.at("metadata").map(Json::sorted_members).unwrap_or_default() {
            rows.push((format!("token_meta_{key}"), human::plain(value).to_string()));
        }
        rows
    }

    fn wrap_rows(&self) -> Vec<(String, String)> {
        let info = &self.wrap_info;
        let created = info.text_at("creation_time");
        let created = created
            .strip_suffix('Z')
            .map_or_else(|| created.to_owned(), |moment| format!("{} +0000 UTC", moment.replacen('T', " ", 1)));
        let mut rows = vec![
            ("wrapping_token".to_owned(), info.text_at("token").to_owned()),
            ("wrapping_accessor".to_owned(), info.text_at("accessor").to_owned()),
            ("wrapping_token_ttl".to_owned(), human::duration(info.integer_at("ttl"))),
            ("wrapping_token_creation_time".to_owned(), created),
            ("wrapping_token_creation_path".to_owned(), info.text_at("creation_path").to_owned()),
        ];
        if !info.text_at("wrapped_accessor").is_empty() {
            rows.push(("wrapped_accessor".to_owned(), info.text_at("wrapped_accessor").to_owned()));
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::of(Json::parse(text).unwrap())
    }

    #[test]
    fn data_comes_after_its_lease() {
        let plain = secret(r#"{"lease_duration":2764800,"data":{"b":"","a":"1"}}"#);
        let expected = "Key                 Value\n---                 -----\nrefresh_interval    768h\na                   1\nb                   n/a\n";
        assert_eq!(*plain.table(), expected);
        let leased = secret(r#"{"lease_id":"x/1","lease_duration":60,"renewable":true,"data":{"a":"1"}}"#);
        assert_eq!(leased.table().lines().nth(3).unwrap(), "lease_duration     1m");
    }

    #[test]
    fn a_token_is_shown_with_its_policies_in_quotes() {
        let text = r#"{"auth":{"client_token":"s.x","accessor":"","policies":["default","a"],"token_policies":["default"],
            "metadata":{"username":"bob"},"lease_duration":0,"renewable":false}}"#;
        let table = secret(text).table();
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines[3], "token_accessor         n/a");
        assert_eq!(lines[4], "token_duration         ∞");
        assert_eq!(lines[6], r#"token_policies         ["default"]"#);
        assert_eq!(lines[7], "identity_policies      []");
        assert_eq!(lines[8], r#"policies               ["default" "a"]"#);
        assert_eq!(lines[9], "token_meta_username    bob");
    }

    #[test]
    fn a_wrapped_answer_says_where_it_is() {
        let text = r#"{"wrap_info":{"token":"s.x","accessor":"a","ttl":60,"creation_time":"2026-11-22T03:28:44.5Z",
            "creation_path":"p","wrapped_accessor":""}}"#;
        let secret = secret(text);
        let table = secret.table();
        assert!(table.contains("wrapping_token_ttl:              1m\n"), "{}", *table);
        assert!(
            table.contains("2026-11-22 03:28:44.5 +0000 UTC\n") && !table.contains("wrapped_accessor"),
            "{}",
            *table
        );
        assert_eq!(secret.field("wrapping_token").unwrap().as_text(), Some("s.x"));
        assert_eq!(secret.field("wrapping_token_ttl").unwrap().as_integer(), Some(60));
        assert_eq!(secret.field("wrapping_token_creation_path").unwrap().as_text(), Some("p"));
    }

    #[test]
    fn fields_that_are_null_are_not_there() {
        let secret = secret(r#"{"lease_duration":5,"data":{"nul":null,"refresh_interval":9,"a":[1,"x"]}}"#);
        assert!(secret.field("nul").is_none() && secret.field("nope").is_none());
        assert_eq!(secret.field("refresh_interval").unwrap().as_integer(), Some(5));
        assert_eq!(*human::plain(&secret.field("a").unwrap()), "[1 x]");
    }

    #[test]
    fn the_envelope_has_vaults_order() {
        let json = secret(r#"{"auth":{"client_token":"t"},"data":null,"request_id":"r"}"#).into_json();
        let expected = r#"{"request_id":"r","lease_id":"","lease_duration":0,"renewable":false,"data":null,"warnings":null,"auth":{"client_token":"t"}}"#;
        assert_eq!(*json.compact(), expected);
    }
}
