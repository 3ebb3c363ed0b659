//! Vault's envelope, as a client reads it.

use crate::json::Json;

/// An answer in Vault's envelope.
pub(crate) struct Secret {
    /// Names the request in the audit log.
    pub(crate) request_id: String,
    /// The lease that the data came with; empty if none.
    pub(crate) lease_id: String,
    /// How long it lasts, in seconds.
    pub(crate) lease_duration: i64,
    /// Whether the lease can be renewed.
    pub(crate) renewable: bool,
    /// What was asked for, its members sorted; null if nothing.
    pub(crate) data: Json,
    /// What to know beside it.
    pub(crate) warnings: Vec<String>,
    /// Where the answer is, if it was wrapped; else null.
    pub(crate) wrap_info: Json,
    /// The token that came, if one did; else null.
    pub(crate) auth: Json,
}

impl Secret {
    /// Reads the envelope; what is missing is empty.
    pub(crate) fn of(mut json: Json) -> Self {
        Self {
            request_id: json.text_at("request_id").to_owned(),
            lease_id: json.text_at("lease_id").to_owned(),
            lease_duration: json.integer_at("lease_duration"),
            renewable: json.is_true_at("renewable"),
            warnings: json.texts_at("warnings").into_iter().map(str::to_owned).collect(),
            wrap_info: json.take("wrap_info"),
            auth: json.take("auth"),
            data: json.take("data").sorted(),
        }
    }

    /// The envelope, in the order in which Vault's commands print it.
    pub(crate) fn into_json(self) -> Json {
        let warnings = if self.warnings.is_empty() { Json::Null } else { Json::texts(self.warnings) };
        let mut json = Json::map([
            ("request_id", Json::text(self.request_id)),
            ("lease_id", Json::text(self.lease_id)),
            ("lease_duration", Json::number(self.lease_duration)),
            ("renewable", Json::Bool(self.renewable)),
            ("data", self.data),
            ("warnings", warnings),
        ]);
        for (key, value) in [("wrap_info", self.wrap_info), ("auth", self.auth)] {
            if value != Json::Null {
                json.set(key, value);
            }
        }
        json
    }

    /// Whether there is nothing in it but warnings.
    pub(crate) fn is_empty(&self) -> bool {
        self.data == Json::Null && self.auth == Json::Null && self.wrap_info == Json::Null
    }
}
