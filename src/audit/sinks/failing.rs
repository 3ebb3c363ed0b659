//! A sink into memory that can run full, for tests.

use std::io::{self, Cursor, ErrorKind};
use std::sync::{Arc, Mutex};

use crate::audit::sink::{Sink, SinkError};
use crate::chain::{Recovered, recover};

/// What the sink has taken, and what it still takes.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) files: Vec<Vec<u8>>,
    pub(crate) full: bool,
    pub(crate) appends: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct MemorySink {
    pub(crate) disk: Arc<Mutex<Disk>>,
    pub(crate) waits: bool,
}

impl MemorySink {
    pub(crate) fn new(waits: bool) -> Self {
        let disk = Disk { files: vec![Vec::new()], ..Disk::default() };
        Self { disk: Arc::new(Mutex::new(disk)), waits }
    }

    pub(crate) fn fill(&self, full: bool) {
        self.disk.lock().unwrap().full = full;
    }

    pub(crate) fn files(&self) -> Vec<Vec<u8>> {
        self.disk.lock().unwrap().files.clone()
    }
}

impl Sink for MemorySink {
    fn append(&mut self, lines: &[u8]) -> Result<(), SinkError> {
        let mut disk = self.disk.lock().unwrap();
        if disk.full {
            return Err(io::Error::from(ErrorKind::StorageFull).into());
        }
        disk.appends += 1;
        disk.files.last_mut().unwrap().extend_from_slice(lines);
        Ok(())
    }

    fn recover(&mut self) -> Result<Recovered, SinkError> {
        Ok(recover(&mut Cursor::new(self.disk.lock().unwrap().files.last().unwrap()))?)
    }

    fn reopen(&mut self) -> Result<(), SinkError> {
        self.disk.lock().unwrap().files.push(Vec::new());
        Ok(())
    }

    fn waits(&self) -> bool {
        self.waits
    }
}
