//! `Download`: an answer that is not there as a whole, but is made while it is sent.

use std::fmt;
use std::task::{Context, Poll};

use tokio::sync::mpsc;

use crate::error::{Error, Result};

/// Pieces that wait for a client who reads more slowly than they are made.
const WAITING: usize = 4;

/// The bytes of an answer, a piece at a time. One that is not ended is broken off, so that the client cannot take it for
/// whole.
pub struct Download(mpsc::Receiver<Piece>);

/// Where the bytes of a [`Download`] come from.
pub struct Upload(mpsc::Sender<Piece>);

/// A part of a [`Download`].
#[derive(Debug)]
pub enum Piece {
    /// Some bytes.
    Bytes(Vec<u8>),
    /// That was all.
    End,
}

impl Download {
    /// A download, and where its bytes come from.
    pub fn channel() -> (Upload, Self) {
        let (upload, download) = mpsc::channel(WAITING);
        (Upload(upload), Self(download))
    }

    /// The next piece, once it is there; nothing if it was broken off.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Piece>> {
        self.0.poll_recv(context)
    }
}

impl Upload {
    /// Sends some bytes. Fails if the client went away.
    pub async fn send(&self, bytes: Vec<u8>) -> Result<()> {
        self.0.send(Piece::Bytes(bytes)).await.map_err(|_| gone())
    }

    /// Says that this was all.
    pub async fn end(self) -> Result<()> {
        self.0.send(Piece::End).await.map_err(|_| gone())
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Download")
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upload")
    }
}

fn gone() -> Error {
    Error::invalid("the client went away before it had the whole answer")
}
