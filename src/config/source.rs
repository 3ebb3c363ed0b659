//! The files of a configuration, and the blocks in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{ConfigError, Place};
use crate::hcl::{self, Block, Item, Key, Object, Position};

/// A configuration file that was read.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: Arc<Path>,
    pub(super) document: Object,
}

/// A block of a file.
#[derive(Clone, Debug)]
pub(super) struct Stanza<'a> {
    pub(super) place: Place,
    pub(super) labels: Vec<&'a Key>,
    pub(super) body: &'a Object,
}

/// One item and the file that it is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) file: &'a Arc<Path>,
    pub(super) item: &'a Item,
}

impl Entry<'_> {
    pub(super) fn place(&self, position: Position) -> Place {
        Place { file: Arc::clone(self.file), position }
    }
}

impl Source {
    /// Reads a file's text.
    pub(super) fn parse(file: Arc<Path>, bytes: &[u8]) -> Result<Self, ConfigError> {
        let document = hcl::parse(bytes).map_err(|error| {
            let place = Place { file: Arc::clone(&file), position: error.position() };
            ConfigError::at(&place, format!("expected {}", error.expected()))
        })?;
        Ok(Self { file, document })
    }

    /// The blocks called `name`, each with `labels` labels.
    pub(super) fn stanzas(&self, name: &str, labels: usize) -> Result<Vec<Stanza<'_>>, ConfigError> {
        stanzas(&self.file, &self.document, name, labels)
    }
}

impl<'a> Stanza<'a> {
    /// The text of a label.
    pub(super) fn label(&self, index: usize) -> &'a str {
        self.labels.get(index).map_or("", |label| label.text.as_str())
    }

    /// What stands in the block.
    pub(super) fn entries(&self) -> Vec<Entry<'_>> {
        self.body.items().iter().map(|item| Entry { file: &self.place.file, item }).collect()
    }

    /// The blocks called `name` in this one, which have no labels.
    pub(super) fn stanzas(&self, name: &str) -> Result<Vec<Stanza<'a>>, ConfigError> {
        stanzas(&self.place.file, self.body, name, 0)
    }

    pub(super) fn error(&self, message: impl Into<String>) -> ConfigError {
        ConfigError::at(&self.place, message)
    }
}

fn stanzas<'a>(file: &Arc<Path>, body: &'a Object, name: &str, labels: usize) -> Result<Vec<Stanza<'a>>, ConfigError> {
    let place = |position| Place { file: Arc::clone(file), position };
    let blocks = body.blocks(name, labels).map_err(|misshapen| {
        let form = ["{ … }", "\"type\" { … }", "\"type\" \"path\" { … }"].get(labels).copied().unwrap_or_default();
        ConfigError::at(&place(misshapen.position), format!("a block like this one is written {name} {form}"))
    })?;
    let stanza = |Block { labels, position, body }| Stanza { place: place(position), labels, body };
    Ok(blocks.into_iter().map(stanza).collect())
}

/// Reads files; of a directory those in it whose names end in `.hcl` or `.json`, sorted by name.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<Source>, ConfigError> {
    let mut sources = Vec::new();
    for path in paths {
        let unreadable = |error| ConfigError::unreadable(path, error);
        if !fs::metadata(path).map_err(unreadable)?.is_dir() {
            sources.push(read_file(path)?);
            continue;
        }
        let mut files = Vec::new();
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            let is_wanted = file.extension().is_some_and(|extension| extension == "hcl" || extension == "json");
            if is_wanted && file.is_file() {
                files.push(file);
            }
        }
        files.sort();
        for file in files {
            sources.push(read_file(&file)?);
        }
    }
    if sources.is_empty() {
        return Err(ConfigError::general("there is no configuration file; name one that ends in .hcl or .json"));
    }
    Ok(sources)
}

fn read_file(path: &Path) -> Result<Source, ConfigError> {
    let bytes = fs::read(path).map_err(|error| ConfigError::unreadable(path, error))?;
    Source::parse(path.into(), &bytes)
}
