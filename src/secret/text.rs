//! Secrets that are text: tokens, passwords.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

use super::{Exposed, ct_eq, from_wire};

macro_rules! text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name(SecretString);

        impl $name {
            /// Conceals `text`.
            pub fn new(text: String) -> Self {
                Self(text.into())
            }

            /// The secret itself, for the files that must have it.
            pub fn expose(&self) -> &str {
                self.0.expose_secret()
            }

            /// Whether there is nothing in it.
            pub fn is_empty(&self) -> bool {
                self.expose().is_empty()
            }

            /// Whether both are the same, in a time that depends on their lengths only.
            pub fn ct_eq(&self, other: &Self) -> bool {
                ct_eq(self.expose().as_bytes(), other.expose().as_bytes())
            }
        }

        impl Exposed for $name {
            fn exposed(&self) -> &str {
                self.expose()
            }

            fn concealed(text: String) -> Self {
                Self::new(text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                from_wire(deserializer)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "format": "password"})
            }
        }
    };
}

text!(
    /// A token as its holder has it. It is stored only as a keyed hash.
    ClientToken
);
text!(
    /// A password, a connection URL, a private key in PEM: any other secret text.
    SecretText
);

impl ClientToken {
    /// The id of the namespace that the token says it is of: what stands behind its last dot, but for the one of `s.` and
    /// `b.`. Nothing for the root. It is no secret, and no proof.
    pub fn namespace_id(&self) -> Option<&str> {
        let text = self.expose();
        let own = text.strip_prefix("s.").or_else(|| text.strip_prefix("b.")).unwrap_or(text);
        own.split_once('.').map(|(_, id)| id)
    }

    /// A token that someone chose, in the namespace whose names end so.
    #[must_use]
    pub fn ending_in(self, ending: &str) -> Self {
        Self::new(format!("{}{ending}", self.expose()))
    }
}
