//! Key-value secrets. Version 1 keeps one value at each path; version 2 keeps several versions of it.

pub mod v1;
