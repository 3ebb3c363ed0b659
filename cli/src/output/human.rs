//! Values as people read them in Vault's tables: `map[a:1]`, `[a b]`, `<nil>`, `n/a`, `1h30m`.

use zeroize::Zeroizing;

use crate::json::Json;

/// A value without quotes.
pub(crate) fn plain(value: &Json) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::new());
    write_plain(value, &mut out);
    out
}

fn write_plain(value: &Json, out: &mut String) {
    match value {
        Json::Null => out.push_str("<nil>"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Number(text) | Json::Text(text) => out.push_str(text),
        Json::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(' ');
                }
                write_plain(item, out);
            }
            out.push(']');
        }
        Json::Map(_) => {
            out.push_str("map[");
            for (index, (key, member)) in value.sorted_members().into_iter().enumerate() {
                if index > 0 {
                    out.push(' ');
                }
                out.push_str(key);
                out.push(':');
                write_plain(member, out);
            }
            out.push(']');
        }
    }
}

/// The value of the field `key` in a table: lengths of time in words, `n/a` for empty text.
pub(crate) fn shown(key: &str, value: &Json) -> Zeroizing<String> {
    match value.as_integer() {
        Some(seconds) if is_duration(key) => return Zeroizing::new(duration(seconds)),
        Some(_) | None => {}
    }
    let text = plain(value);
    if text.is_empty() { Zeroizing::new("n/a".to_owned()) } else { text }
}

/// Whether a field holds seconds, by the names that Vault's fields have.
fn is_duration(key: &str) -> bool {
    matches!(key, "lease_max" | "ttl_max")
        || ["period", "ttl", "duration"]
            .iter()
            .any(|name| key.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('_')))
}

/// Seconds as hours, minutes and seconds without the parts that are zero at the end: `768h`, `1h30m`, `59m59s`.
pub(crate) fn duration(seconds: i64) -> String {
    let (sign, total) = (if seconds < 0 { "-" } else { "" }, seconds.unsigned_abs());
    let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60);
    match (hours, minutes, rest) {
        (0, 0, _) => format!("{sign}{rest}s"),
        (0, _, 0) => format!("{sign}{minutes}m"),
        (0, _, _) => format!("{sign}{minutes}m{rest}s"),
        (_, 0, 0) => format!("{sign}{hours}h"),
        (_, _, 0) => format!("{sign}{hours}h{minutes}m"),
        (_, _, _) => format!("{sign}{hours}h{minutes}m{rest}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_in_vaults_tables() {
        let value = Json::parse(r#"{"y":[1,"a",null],"x":{"k":true},"n":1.50}"#).unwrap();
        assert_eq!(*plain(&value), "map[n:1.50 x:map[k:true] y:[1 a <nil>]]");
        assert_eq!(*plain(&Json::parse("[]").unwrap()), "[]");
        assert_eq!(*shown("x", &Json::text("")), "n/a");
        assert_eq!(*shown("x", &Json::Null), "<nil>");
    }

    #[test]
    fn fields_that_hold_seconds_are_shown_as_lengths_of_time() {
        for key in ["ttl", "max_ttl", "period", "token_period", "duration", "lease_duration", "lease_max", "ttl_max"] {
            assert_eq!(*shown(key, &Json::number(90061)), "25h1m1s", "{key}");
        }
        assert_eq!(*shown("bottl", &Json::number(61)), "61");
        assert_eq!(*shown("ttl", &Json::text("61")), "61");
        assert_eq!(*shown("creation_time", &Json::number(61)), "61");
    }

    #[test]
    fn lengths_of_time_end_where_they_are_whole() {
        let cases = [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (61, "1m1s"),
            (3600, "1h"),
            (3601, "1h0m1s"),
            (5400, "1h30m"),
            (-5, "-5s"),
        ];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds), text);
        }
    }
}
