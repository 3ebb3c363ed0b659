//! Connections to databases: `config/{name}`, `reset/{name}`, `rotate-root/{name}`.

mod delete;
mod list;
mod read;
mod record;
mod registry;
mod reset;
mod rotate_root;
mod rotation;
mod write;

pub(crate) use delete::DeleteConnection;
pub(crate) use list::ListConnections;
pub(crate) use read::ReadConnection;
pub(crate) use record::{Connection, PasswordAuthentication};
pub(crate) use registry::Connections;
pub(crate) use reset::ResetConnection;
pub(crate) use rotate_root::RotateRoot;
pub(crate) use write::WriteConnection;
