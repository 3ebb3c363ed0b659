//! Roles that keep the password of a user who is there already: `static-roles/{name}`, `static-creds/{name}`,
//! `rotate-role/{name}`.

mod creds;
mod cron;
mod delete;
mod list;
mod read;
mod record;
mod rotate;
mod rotations;
mod schedule;
mod write;

#[doc(hidden)]
pub use cron::fuzz as fuzz_cron;

pub(crate) use creds::ReadStaticCredentials;
pub(crate) use delete::DeleteStaticRole;
pub(crate) use list::ListStaticRoles;
pub(crate) use read::ReadStaticRole;
pub(crate) use record::StaticRole;
pub(crate) use rotate::RotateStaticRole;
pub(crate) use rotations::Rotations;
pub(crate) use write::WriteStaticRole;
