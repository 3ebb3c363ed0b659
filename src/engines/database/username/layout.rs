//! Go's layouts of time: the moment `Mon Jan 2 15:04:05 MST 2006`, written as one wants the time to be written.

use time::OffsetDateTime;

use crate::time::Timestamp;

type Writer = fn(&OffsetDateTime) -> String;

/// The pieces that stand for something, the longer ones first.
const PIECES: [(&str, Writer); 26] = [
    ("January", |at| at.month().to_string()),
    ("Monday", |at| at.weekday().to_string()),
    ("-07:00", |_| "+00:00".to_owned()),
    ("Z07:00", |_| "Z".to_owned()),
    (".000000000", |at| format!(".{:09}", at.nanosecond())),
    (".000000", |at| format!(".{:06}", at.microsecond())),
    (".000", |at| format!(".{:03}", at.millisecond())),
    ("Z0700", |_| "Z".to_owned()),
    ("-0700", |_| "+0000".to_owned()),
    ("2006", |at| format!("{:04}", at.year())),
    ("002", |at| format!("{:03}", at.ordinal())),
    ("Jan", |at| short(&at.month().to_string())),
    ("Mon", |at| short(&at.weekday().to_string())),
    ("MST", |_| "UTC".to_owned()),
    ("-07", |_| "+00".to_owned()),
    ("01", |at| format!("{:02}", u8::from(at.month()))),
    ("02", |at| format!("{:02}", at.day())),
    ("_2", |at| format!("{:2}", at.day())),
    ("03", |at| format!("{:02}", hour12(at))),
    ("04", |at| format!("{:02}", at.minute())),
    ("05", |at| format!("{:02}", at.second())),
    ("06", |at| format!("{:02}", at.year().rem_euclid(100))),
    ("15", |at| format!("{:02}", at.hour())),
    ("PM", |at| if at.hour() < 12 { "AM" } else { "PM" }.to_owned()),
    ("pm", |at| if at.hour() < 12 { "am" } else { "pm" }.to_owned()),
    ("1", |at| u8::from(at.month()).to_string()),
];

/// `moment` in UTC by `layout`.
pub(super) fn format(moment: Timestamp, layout: &str) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(moment.unix_nanos()))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let mut text = String::with_capacity(layout.len());
    let mut rest = layout;
    while let Some(character) = rest.chars().next() {
        if let Some((name, writer)) = piece(rest) {
            text.push_str(&writer(&at));
            rest = rest.get(name.len()..).unwrap_or_default();
        } else {
            text.push(character);
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
        }
    }
    text
}

fn piece(rest: &str) -> Option<(&'static str, Writer)> {
    const SINGLE: [(&str, Writer); 4] = [
        ("2", |at| at.day().to_string()),
        ("3", |at| hour12(at).to_string()),
        ("4", |at| at.minute().to_string()),
        ("5", |at| at.second().to_string()),
    ];
    PIECES.iter().chain(&SINGLE).find(|(name, _)| rest.starts_with(name)).copied()
}

fn short(name: &str) -> String {
    name.chars().take(3).collect()
}

fn hour12(at: &OffsetDateTime) -> u8 {
    match at.hour() % 12 {
        0 => 12,
        hour => hour,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_of_go() {
        let moment = Timestamp::from_unix_nanos(1_795_319_332_646_007_009);
        for (layout, text) in [
            ("2006-01-02T15:04:05Z07:00", "2026-11-22T03:48:52Z"),
            ("Mon, 02 Jan 2006 15:04:05 MST", "Sun, 22 Nov 2026 03:48:52 UTC"),
            ("Monday January _2 06 3:04PM", "Sunday November 22 26 3:48AM"),
            ("20060102150405.000", "20261122034852.646"),
            ("1/2 -0700 002", "11/22 +0000 326"),
            ("ä", "ä"),
        ] {
            assert_eq!(format(moment, layout), text);
        }
    }
}
