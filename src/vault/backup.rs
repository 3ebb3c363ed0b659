//! Taking a backup of the store while it is in use.

use std::io::{self, BufWriter, Write};

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::backup::{BackupError, BackupKey, Meta, Origin, Salt, Summary, Writer};
use crate::engine::{Download, Upload};
use crate::error::{Error, Result};
use crate::storage::{Snapshot, Stored};

use super::core::Core;
use super::sealing::SealRecord;

/// Bytes that are handed on at once.
const PIECE: usize = 256 << 10;

impl Core {
    /// A backup of the store as it is now, made while it is read. Sealing breaks it off.
    pub async fn backup(&self) -> Result<Download> {
        let storage = self.parts.storage.clone();
        let begun = spawn_blocking(move || {
            let mut snapshot = storage.snapshot()?;
            let first = snapshot.next_page()?;
            Ok::<_, Error>((snapshot, first))
        });
        let (snapshot, first) = begun.await.map_err(broken)??;
        let salt: Salt = self.parts.entropy.bytes()?;
        let meta = Meta {
            created: self.parts.clock.now(),
            server: env!("CARGO_PKG_VERSION").to_owned(),
            seal: seal_record(&first)?,
            salt,
        };
        let source = Source { snapshot, first, key: BackupKey::derive(&self.root, &salt)?, meta };
        let (upload, download) = Download::channel();
        self.spawn("backup", self.shutdown.clone(), send(source, upload, self.awaited()));
        Ok(download)
    }
}

/// What a backup is made of.
struct Source {
    snapshot: Box<dyn Snapshot>,
    first: Vec<Stored>,
    key: BackupKey,
    meta: Meta,
}

/// How the vault is sealed, out of the first records of a snapshot, where it stands.
fn seal_record(first: &[Stored]) -> Result<Value> {
    let record = first.iter().find(|stored| stored.key.as_str() == SealRecord::KEY);
    let bytes = record.and_then(|stored| stored.value.as_deref().ok());
    let bytes = bytes.ok_or_else(|| Error::corrupt("the record of the seal cannot be read"))?;
    serde_json::from_slice(bytes).map_err(|_| Error::corrupt("the record of the seal cannot be read"))
}

/// Has the backup written on a thread of its own, and hands it on. When this is cancelled the thread finds nobody who takes
/// what it writes, and ends; sealing waits for that too.
async fn send(source: Source, upload: Upload, awaited: TaskTrackerToken) -> Result<()> {
    let generation = source.snapshot.generation();
    let (pipe, mut pieces) = mpsc::channel(1);
    let writing = spawn_blocking(move || {
        let written = write(source, Pipe(pipe));
        drop(awaited);
        written
    });
    while let Some(piece) = pieces.recv().await {
        upload.send(piece).await?;
    }
    let Summary { records, bytes, .. } = writing.await.map_err(broken)??;
    upload.end().await?;
    tracing::info!(records, bytes, lineage = %generation.lineage, generation = generation.number, "a backup was taken");
    Ok(())
}

fn write(source: Source, pipe: Pipe) -> Result<Summary> {
    let Source { mut snapshot, first, key, meta } = source;
    let origin = Origin { generation: snapshot.generation() };
    let mut writer = Writer::start(BufWriter::with_capacity(PIECE, pipe), key, &meta, origin)?;
    let mut page = first;
    while !page.is_empty() {
        for Stored { key, value } in page {
            let value = value.inspect_err(|_| {
                tracing::error!(key = key.as_str(), "no backup can be taken: a record cannot be read");
            })?;
            writer.record(&key, &value)?;
        }
        page = snapshot.next_page()?;
    }
    let (mut sink, summary) = writer.finish()?;
    sink.flush().map_err(BackupError::Io)?;
    Ok(summary)
}

/// Hands bytes on to a task, and waits for it to take them.
struct Pipe(mpsc::Sender<Vec<u8>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.blocking_send(bytes.to_vec()).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn broken(error: tokio::task::JoinError) -> Error {
    Error::internal("reading the store was broken off").with_source(error)
}
