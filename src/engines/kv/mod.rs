//! Key-value secrets. Version 1 keeps one value at each path; version 2 keeps several versions of it.

mod path;
pub mod v1;
pub mod v2;
