//! Values from the command line, from files, from standard input, and from a prompt that does not echo.

use std::fs;
use std::io::{IsTerminal, Read, stdin};
use std::path::Path;

use zeroize::{Zeroize, Zeroizing};

use crate::error::{Error, Result, os_message};
use crate::json::Json;

/// The largest file or standard input that is read, in bytes.
const MAX_INPUT: u64 = 64 << 20;

/// Data out of `key=value`, `key=@file`, `key=-`, `@file.json` and `-`. A value is taken as it is, with the newline at
/// the end of a file; `\@` and `\-` begin a value that really begins so. A key that comes twice makes a list.
pub(crate) fn data(words: &[String]) -> Result<Json> {
    read_data(words, &mut stdin().lock())
}

/// The same for commands that must have data.
pub(crate) fn required_data(words: &[String]) -> Result<Json> {
    if words.is_empty() {
        return Err(Error::local("Must supply data").advise("Give it as key=value, key=@file, @file.json or -."));
    }
    data(words)
}

/// `key=value` pairs of a flag, all of them text.
pub(crate) fn pairs(words: &[String]) -> Result<Json> {
    let mut map = Json::Map(Vec::new());
    for (index, word) in words.iter().enumerate() {
        let (key, value) = word.split_once('=').ok_or_else(|| malformed_pair(index))?;
        map.set(key, Json::text(value));
    }
    Ok(map)
}

fn read_data(words: &[String], input: &mut dyn Read) -> Result<Json> {
    let mut map = Json::Map(Vec::new());
    let mut input = Some(input);
    for (index, word) in words.iter().enumerate() {
        if word == "-" {
            let text = standard_input(&mut input)?;
            merge(&mut map, &text, "standard input")?;
        } else if let Some(path) = word.strip_prefix('@') {
            let text = file(Path::new(path))?;
            merge(&mut map, &text, path)?;
        } else {
            let (key, value) = word.split_once('=').ok_or_else(|| malformed_pair(index))?;
            let value = if value == "-" {
                standard_input(&mut input)?
            } else if let Some(path) = value.strip_prefix('@') {
                file(Path::new(path))?
            } else if value.starts_with("\\@") || value == "\\-" {
                Zeroizing::new(value.get(1..).unwrap_or_default().to_owned())
            } else {
                Zeroizing::new(value.to_owned())
            };
            add(&mut map, key, Json::Text(value));
        }
    }
    Ok(map)
}

/// Adds a member; a second one of the same name makes a list of both.
fn add(map: &mut Json, key: &str, value: Json) {
    let value = match map.take(key) {
        Json::Null => value,
        Json::List(mut items) => {
            items.push(value);
            Json::List(items)
        }
        first @ (Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Map(_)) => Json::List(vec![first, value]),
    };
    map.set(key, value);
}

fn merge(map: &mut Json, text: &str, origin: &str) -> Result<()> {
    let refuse = |reason: &str| {
        Error::local(format!("Failed to parse K=V data: {origin}: {reason}"))
            .advise("Give a JSON object there, or key=@FILE to take a file as the value of one key.")
    };
    match Json::parse(text).map_err(|reason| refuse(&reason))? {
        Json::Map(members) => {
            for (key, value) in members {
                add(map, &key, value);
            }
            Ok(())
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) => {
            Err(refuse("this is not a JSON object"))
        }
    }
}

/// The text of a file.
pub(crate) fn file(path: &Path) -> Result<Zeroizing<String>> {
    let refuse = |reason: &str| {
        Error::local(format!("Error reading file {}: {reason}", path.display()))
            .advise("Check the path, who may read it, and that it is text (encode anything else as base64).")
    };
    let opened = fs::File::open(path).map_err(|error| refuse(&os_message(&error)))?;
    text(opened).map_err(|reason| refuse(&reason))
}

/// All of standard input, as text.
pub(crate) fn piped() -> Result<Zeroizing<String>> {
    let lock = stdin().lock();
    text(lock).map_err(|reason| {
        Error::local(format!("Error reading standard input: {reason}")).advise("Pipe text into the command.")
    })
}

fn standard_input(input: &mut Option<&mut dyn Read>) -> Result<Zeroizing<String>> {
    let Some(reader) = input.take() else {
        return Err(Error::local("Standard input can be read only once, and two arguments ask for it.")
            .advise("Use - for one of them and @FILE for the others."));
    };
    text(reader).map_err(|reason| {
        Error::local(format!("Error reading standard input: {reason}")).advise("Pipe text into the command.")
    })
}

fn text(reader: impl Read) -> std::result::Result<Zeroizing<String>, String> {
    let mut bytes = Zeroizing::new(Vec::new());
    reader.take(MAX_INPUT + 1).read_to_end(&mut bytes).map_err(|error| os_message(&error))?;
    if bytes.len() as u64 > MAX_INPUT {
        return Err("it is larger than 64 MiB".to_owned());
    }
    match String::from_utf8(std::mem::take(&mut bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            error.into_bytes().zeroize();
            Err("it is not UTF-8 text".to_owned())
        }
    }
}

/// Asks on the terminal, without echo. `instead` says how to give the value where there is no terminal.
pub(crate) fn prompt(question: &str, interactive: bool, instead: &str) -> Result<Zeroizing<String>> {
    if !interactive || !stdin().is_terminal() {
        let why = if interactive { "standard input is not a terminal" } else { "-non-interactive is set" };
        return Err(Error::local(format!("{question} cannot be asked for: {why}.")).advise(instead));
    }
    let answer = rpassword::prompt_password(format!("{question} (will be hidden): ")).map(Zeroizing::new);
    let answer = answer
        .map_err(|error| Error::local(format!("Error asking for the value: {}", os_message(&error))).advise(instead))?;
    Ok(Zeroizing::new(answer.trim().to_owned()))
}

/// A secret argument: the text itself, `-` for standard input, or a prompt if there is none.
pub(crate) fn secret(argument: Option<&str>, question: &str, interactive: bool) -> Result<Zeroizing<String>> {
    match argument {
        Some("-") => Ok(Zeroizing::new(piped()?.trim().to_owned())),
        Some(text) => Ok(Zeroizing::new(text.trim().to_owned())),
        None => prompt(question, interactive, "Run this on a terminal, or give - and pipe the value in."),
    }
}

/// Says which pair is wrong. The text itself may be a secret and is not repeated.
fn malformed_pair(index: usize) -> Error {
    Error::local(format!("Failed to parse K=V data: pair {} has no equals sign: format must be key=value", index + 1))
        .advise("Write data as key=value, key=@file, @file.json or -.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str], input: &str) -> Result<String> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        read_data(&words, &mut input.as_bytes()).map(|json| json.compact().to_string())
    }

    #[test]
    fn pairs_are_text_and_a_key_that_comes_twice_is_a_list() {
        assert_eq!(
            parsed(&["a=1", "b=x=y", "=z", "a=2", "a=3"], "").unwrap(),
            r#"{"b":"x=y","":"z","a":["1","2","3"]}"#
        );
        assert_eq!(parsed(&["a=\\@x", "b=\\-", "c=\\n"], "").unwrap(), r#"{"a":"@x","b":"-","c":"\\n"}"#);
    }

    #[test]
    fn files_keep_their_newline() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "line\n").unwrap();
        let word = format!("a=@{}", path.display());
        assert_eq!(parsed(&[&word], "").unwrap(), r#"{"a":"line\n"}"#);
        fs::write(&path, r#"{"n":12345678901234567890123,"b":[1]}"#).unwrap();
        let word = format!("@{}", path.display());
        assert_eq!(parsed(&[&word, "b=2"], "").unwrap(), r#"{"n":12345678901234567890123,"b":[1,"2"]}"#);
    }

    #[test]
    fn standard_input_is_read_once() {
        assert_eq!(parsed(&["a=-"], "line\n").unwrap(), r#"{"a":"line\n"}"#);
        assert_eq!(parsed(&["-", "b=1"], r#"{"a":{"c":null}}"#).unwrap(), r#"{"a":{"c":null},"b":"1"}"#);
        assert!(parsed(&["a=-", "b=-"], "x").unwrap_err().to_string().contains("only once"));
    }

    #[test]
    fn refusals_do_not_repeat_the_value() {
        for words in [&["hunter2"][..], &["-"][..]] {
            let error = parsed(words, "hunter2").unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
            assert_eq!(error.exit().code(), 1);
        }
        assert!(parsed(&["-"], "[1]").is_err() && parsed(&["a=@/nonexistent"], "").is_err());
    }

    #[test]
    fn what_is_not_text_is_refused() {
        assert_eq!(text(&b"\xff\xfe"[..]).unwrap_err(), "it is not UTF-8 text");
    }
}
