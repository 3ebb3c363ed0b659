//! The text form of Prometheus, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>).

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::page::{Family, Figure, Labels, Page};
use super::summary::float;

/// The quantiles of every summary, as Vault shows them.
const QUANTILES: [(f64, &str); 3] = [(0.5, "0.5"), (0.9, "0.9"), (0.99, "0.99")];

impl Page {
    /// The media type of the text form.
    pub const TEXT: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// The text form. `prefix` is what names begin with that Vault has too.
    pub fn text(&self, prefix: &str) -> String {
        let mut named: BTreeMap<String, Family> = BTreeMap::new();
        for (name, family) in &self.families {
            let name = clean(&prefixed(name, prefix));
            let known = named.entry(name).or_insert_with(|| Family { help: family.help, series: Vec::new() });
            for (labels, figure) in &family.series {
                known.add(labels.clone(), figure.clone());
            }
        }
        let mut text = String::with_capacity(1 << 15);
        for (name, family) in &named {
            // Writing to a string does not fail.
            let _ = write_family(&mut text, name, family);
        }
        text
    }
}

/// The name with the prefix that is configured.
pub(super) fn prefixed(name: &str, prefix: &str) -> String {
    match name.strip_prefix("vault.") {
        Some(rest) => format!("{prefix}.{rest}"),
        None => name.to_owned(),
    }
}

/// A name as Prometheus takes it.
fn clean(name: &str) -> String {
    let name = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == ':' { c } else { '_' });
    let name: String = name.collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

fn write_family(text: &mut String, name: &str, family: &Family) -> fmt::Result {
    let Some((_, first)) = family.series.first() else { return Ok(()) };
    writeln!(text, "# HELP {name} {}", family.help)?;
    writeln!(text, "# TYPE {name} {}", first.kind())?;
    for (labels, figure) in &family.series {
        match figure {
            Figure::Counter(count) => line(text, name, labels, None, float(count.total))?,
            Figure::Total(value) | Figure::Gauge(value) => line(text, name, labels, None, *value)?,
            Figure::Summary(snapshot) => {
                for (share, word) in QUANTILES {
                    let quantile = snapshot.quantile(share).unwrap_or(f64::NAN);
                    line(text, name, labels, Some(("quantile", word)), quantile)?;
                }
                line(text, &format!("{name}_sum"), labels, None, float(snapshot.nanos) / 1e6)?;
                line(text, &format!("{name}_count"), labels, None, float(snapshot.count))?;
            }
            Figure::Histogram(buckets) => {
                let bucket = format!("{name}_bucket");
                for (bound, count) in &buckets.below {
                    line(text, &bucket, labels, Some(("le", &bound.to_string())), float(*count))?;
                }
                line(text, &bucket, labels, Some(("le", "+Inf")), float(buckets.count))?;
                line(text, &format!("{name}_sum"), labels, None, buckets.sum)?;
                line(text, &format!("{name}_count"), labels, None, float(buckets.count))?;
            }
        }
    }
    Ok(())
}

fn line(text: &mut String, name: &str, labels: &Labels, more: Option<(&str, &str)>, value: f64) -> fmt::Result {
    text.write_str(name)?;
    let all = labels.iter().map(|(label, value)| (*label, value.as_str())).chain(more);
    let mut separator = '{';
    for (label, value) in all {
        write!(text, "{separator}{label}=\"")?;
        for c in value.chars() {
            match c {
                '\\' => text.write_str("\\\\")?,
                '"' => text.write_str("\\\"")?,
                '\n' => text.write_str("\\n")?,
                c => text.write_char(c)?,
            }
        }
        text.write_char('"')?;
        separator = ',';
    }
    if separator == ',' {
        text.write_char('}')?;
    }
    writeln!(text, " {value}")
}
