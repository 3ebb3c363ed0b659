//! The few pages that a browser is shown.

use zeroize::Zeroizing;

use crate::engine::{Answer, Content, Payload, StatusCode};
use crate::secret::{SecretBytes, SecretText};

const MEDIA_TYPE: &str = "text/html; charset=utf-8";

/// Asks the caller whether the login is theirs: whoever began it gets a token in their name. The answer comes with the `code`,
/// if the browser has it, and with `awaited`, or 1 where the code is enough.
pub(super) fn confirmation(
    state: &str,
    code: Option<&SecretText>,
    awaited: Option<&SecretText>,
    role: &str,
    address: &str,
) -> Answer {
    let mut fields = Zeroizing::new(String::new());
    let code = match code {
        Some(code) => code.expose(),
        None => "",
    };
    let awaited = match awaited {
        Some(awaited) => awaited.expose(),
        None => "1",
    };
    for (name, value) in [("state", state), ("code", code), ("confirmation", awaited)] {
        fields.push_str("<input type=\"hidden\" name=\"");
        fields.push_str(name);
        fields.push_str("\" value=\"");
        fields.push_str(&Zeroizing::new(escaped(value)));
        fields.push_str("\">");
    }
    let text = Zeroizing::new(format!(
        "<p>A login was begun from the address below. <strong>Go on only if you began it yourself</strong>; otherwise \
         close this page, or somebody else gets access in your name.</p><p>Address: {}<br>Role: {}</p><form \
         method=\"get\">{}<button>Log in</button></form>",
        escaped(address),
        escaped(role),
        *fields,
    ));
    page(StatusCode::OK, "Is this login yours?", &text)
}

/// The login went well.
pub(super) fn done() -> Answer {
    page(StatusCode::OK, "You are logged in", "<p>You can close this page and go back to where you began.</p>")
}

/// The browser came back with a form, and the client goes on.
pub(super) fn returned() -> Answer {
    page(StatusCode::OK, "Almost there", "<p>Go back to where you began: the login is completed there.</p>")
}

/// The login failed; `why` is a sentence.
pub(super) fn failure(why: &str) -> Answer {
    page(StatusCode(400), "The login failed", &format!("<p>{}</p>", escaped(why)))
}

fn page(status: StatusCode, title: &str, body: &str) -> Answer {
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>\n"
    );
    let payload = Payload::verbatim(SecretBytes::new(html.into_bytes()));
    Answer { status, content: Content::Raw { media_type: MEDIA_TYPE, payload }, warnings: Vec::new() }
}

/// `text` as it stands in HTML, also within quotes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(answer: &Answer) -> String {
        let Content::Raw { payload, .. } = &answer.content else { panic!("no page") };
        String::from_utf8(payload.json().to_vec()).unwrap()
    }

    /// CVE-2026-33758: what a link brings must not become a part of the page.
    #[test]
    fn nothing_that_comes_with_a_link_is_markup() {
        let evil = "\"><script>alert('1')</script>&";
        let code = SecretText::new(evil.to_owned());
        for page in [confirmation(evil, Some(&code), None, evil, evil), failure(evil)] {
            let text = html(&page);
            assert!(!text.contains("<script") && !text.contains("alert('1')"), "{text}");
        }
    }
}
