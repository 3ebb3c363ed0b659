//! `/v1/sys/*`.

mod init;
