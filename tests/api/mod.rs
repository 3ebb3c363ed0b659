//! What clients get, by URL.

mod sys;
