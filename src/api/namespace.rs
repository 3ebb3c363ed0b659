//! How what is made in a namespace shows it: its token, accessor, lease or entity ends in `.` and the namespace's id.

/// The id of the namespace that all others lie in. What is made in it ends in nothing.
pub const ROOT_NAMESPACE: &str = "root";

/// The ending of names in the namespace `id`.
pub fn namespace_suffix(id: &str) -> String {
    if id == ROOT_NAMESPACE { String::new() } else { format!(".{id}") }
}
