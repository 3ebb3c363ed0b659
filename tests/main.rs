//! The whole server, seen from outside: what clients get over TLS, and the proofs that hold for all of the code.
//!
//! `api/` goes by URL, `advisories/` by what was once found in others, `attack/` by what is done to servers. `support/` has
//! the servers and clients that the tests use, the other files are one proof each.

#[cfg(test)]
mod advisories;
#[cfg(test)]
mod api;
#[cfg(test)]
mod attack;
#[cfg(test)]
mod authz;
#[cfg(test)]
mod config_check;
#[cfg(test)]
mod confinement;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod layering;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod restore;
#[cfg(test)]
mod sequences;
#[cfg(test)]
mod startup;
#[cfg(test)]
mod support;
#[cfg(test)]
mod torture;
