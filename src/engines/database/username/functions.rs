//! The functions of a template.

use data_encoding::{BASE64, HEXLOWER};
use ring::digest::{SHA256, digest};

use super::comparison::Comparison;
use super::{Ingredients, Value, layout, truncated};

/// The longest text that `random` makes.
const LONGEST: i64 = 1024;

/// A function that a template may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Base64,
    Comparison(Comparison),
    Len,
    Lowercase,
    Printf,
    Random,
    Replace,
    Sha256,
    Timestamp,
    Truncate,
    TruncateSha256,
    UnixTime,
    UnixTimeMillis,
    Uppercase,
    Uuid,
}

impl Function {
    /// The function of that name.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        match name {
            "base64" => Ok(Self::Base64),
            "len" => Ok(Self::Len),
            "lowercase" => Ok(Self::Lowercase),
            "printf" => Ok(Self::Printf),
            "random" => Ok(Self::Random),
            "replace" => Ok(Self::Replace),
            "sha256" => Ok(Self::Sha256),
            "timestamp" => Ok(Self::Timestamp),
            "truncate" => Ok(Self::Truncate),
            "truncate_sha256" => Ok(Self::TruncateSha256),
            "unix_time" => Ok(Self::UnixTime),
            "unix_time_millis" => Ok(Self::UnixTimeMillis),
            "uppercase" => Ok(Self::Uppercase),
            "uuid" => Ok(Self::Uuid),
            _ => Comparison::named(name).map(Self::Comparison).ok_or_else(|| {
                "the username template has a word that it does not know; there are .DisplayName, .RoleName, variables \
                 like $x, if, else, with, end, and, base64, eq, ge, gt, le, len, lowercase, lt, ne, not, or, printf, \
                 random, replace, sha256, timestamp, truncate, truncate_sha256, unix_time, unix_time_millis, uppercase \
                 and uuid"
                    .to_owned()
            }),
        }
    }

    /// Its value.
    pub(super) fn call(self, arguments: Vec<Value>, ingredients: Ingredients<'_>) -> Result<Value, String> {
        let mut arguments = Arguments(arguments.into_iter());
        let seconds = ingredients.now.unix_seconds();
        let text = match self {
            Self::Comparison(comparison) => return comparison.call(arguments.0.collect()),
            Self::Len => {
                let length = arguments.text()?.len();
                arguments.end()?;
                return Ok(Value::Number(i64::try_from(length).unwrap_or(i64::MAX)));
            }
            Self::Base64 => BASE64.encode(arguments.text()?.as_bytes()),
            Self::Lowercase => arguments.text()?.to_lowercase(),
            Self::Uppercase => arguments.text()?.to_uppercase(),
            Self::Sha256 => HEXLOWER.encode(digest(&SHA256, arguments.text()?.as_bytes()).as_ref()),
            Self::UnixTime => seconds.to_string(),
            Self::UnixTimeMillis => (ingredients.now.unix_nanos() / 1_000_000).to_string(),
            Self::Timestamp => layout::format(ingredients.now, &arguments.text()?),
            Self::Uuid => ingredients.entropy.uuid().map_err(|error| error.to_string())?,
            Self::Random => {
                let count = usize::try_from(arguments.length(1)?).map_err(|_| "random takes a length")?;
                ingredients.entropy.base62(count).map_err(|error| error.to_string())?
            }
            Self::Replace => {
                let (from, to, text) = (arguments.text()?, arguments.text()?, arguments.text()?);
                text.replace(&from, &to)
            }
            Self::Truncate => {
                let length = usize::try_from(arguments.length(1)?).map_err(|_| "truncate takes a length")?;
                truncated(&arguments.text()?, length).to_owned()
            }
            Self::TruncateSha256 => {
                let length = usize::try_from(arguments.length(9)?).map_err(|_| "truncate_sha256 takes a length")?;
                shortened(&arguments.text()?, length)
            }
            Self::Printf => return printf(&mut arguments).map(Value::Text),
        };
        arguments.end()?;
        Ok(Value::Text(text))
    }
}

struct Arguments(std::vec::IntoIter<Value>);

impl Arguments {
    fn text(&mut self) -> Result<String, String> {
        match self.0.next() {
            Some(Value::Text(text)) => Ok(text),
            Some(Value::Number(_) | Value::Truth(_)) => {
                Err("a function of the username template takes text, not a number".to_owned())
            }
            None => Err("a function of the username template has too few arguments".to_owned()),
        }
    }

    fn length(&mut self, least: i64) -> Result<i64, String> {
        match self.0.next() {
            Some(Value::Number(number)) if (least..=LONGEST).contains(&number) => Ok(number),
            Some(Value::Number(_)) => {
                Err(format!("a length in the username template must be from {least} to {LONGEST}"))
            }
            Some(Value::Text(_) | Value::Truth(_)) => {
                Err("a function of the username template takes a length, not text".to_owned())
            }
            None => Err("a function of the username template has too few arguments".to_owned()),
        }
    }

    fn end(mut self) -> Result<(), String> {
        match self.0.next() {
            None => Ok(()),
            Some(_) => Err("a function of the username template has too many arguments".to_owned()),
        }
    }
}

/// `text` as it is if it is short enough, otherwise its beginning and 8 digits of the hash of the rest.
fn shortened(text: &str, length: usize) -> String {
    if text.len() <= length {
        return text.to_owned();
    }
    let kept = truncated(text, length.saturating_sub(8));
    let rest = text.get(kept.len()..).unwrap_or_default();
    let hash = HEXLOWER.encode(digest(&SHA256, rest.as_bytes()).as_ref());
    format!("{kept}{}", truncated(&hash, 8))
}

fn printf(arguments: &mut Arguments) -> Result<String, String> {
    const VERBS: &str = "printf in the username template knows %s, %v, %d and %%, each with its argument";
    let format = arguments.text()?;
    let mut text = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        match characters.next() {
            Some('%') => text.push('%'),
            Some('s' | 'v' | 'd') => text.push_str(&arguments.0.next().ok_or(VERBS)?.into_text()),
            _ => return Err(VERBS.to_owned()),
        }
    }
    if arguments.0.next().is_some() { Err(VERBS.to_owned()) } else { Ok(text) }
}
