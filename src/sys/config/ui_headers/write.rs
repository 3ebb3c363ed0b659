//! `POST /v1/sys/config/ui/headers/{header}`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::engine::{Answer, Content, Cx, Endpoint, Route, StatusCode};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

use super::{Header, HeaderPath, canonical, headers};

/// The values of a header.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct WriteHeader {
    /// A text, which may have commas, or a list of texts.
    #[schemars(with = "Vec<String>")]
    values: Value,
}

impl Endpoint for WriteHeader {
    type Target = Arc<Unsealed>;
    type Path = HeaderPath;
    type Reply = Answer;
    const ROUTE: Route =
        Route::write("config/ui/headers/{header:lower}").sudo().summary("Sets a header of a user interface");

    /// Answers 200 with an envelope without data, as the peer does.
    async fn handle(self, unsealed: &Arc<Unsealed>, path: HeaderPath, cx: &mut Cx<'_>) -> Result<Answer> {
        let values = texts(self.values)?;
        if values.is_empty() {
            return Err(Error::invalid("header and values must be specified"));
        }
        if path.header.starts_with("x-vault-") {
            return Err(Error::invalid("X-Vault headers cannot be set"));
        }
        if path.header == "content-security-policy" {
            cx.warn("overriding default Content-Security-Policy which is secure by default, proceed with caution");
        }
        let header = Header { name: canonical(&path.header), values };
        headers(unsealed).put(cx.txn(), &path.header, &header)?;
        Ok(Answer { status: StatusCode::OK, content: Content::Nothing, warnings: Vec::new() })
    }
}

/// The texts of a list, or a single one. A control character would end the header.
fn texts(value: Value) -> Result<Vec<String>> {
    let items = match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        other @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => vec![other],
    };
    let complaint = || Error::invalid("'values' must be texts without control characters");
    let text = |item: &Value| item.as_str().filter(|text| !text.chars().any(char::is_control)).map(str::to_owned);
    items.iter().map(|item| text(item).ok_or_else(complaint)).collect()
}
