//! How what is made in a namespace shows it: its token, accessor, lease or entity ends in `.` and the namespace's id.

/// The id of the namespace that all others lie in. What is made in it ends in nothing.
pub const ROOT_NAMESPACE: &str = "root";

/// The id of the namespace in whose names `name` ends: what stands behind its first dot.
pub fn namespace_of(name: &str) -> &str {
    name.split_once('.').map_or(ROOT_NAMESPACE, |(_, id)| id)
}

/// The ending of names in the namespace `id`.
pub fn namespace_suffix(id: &str) -> String {
    if id == ROOT_NAMESPACE { String::new() } else { format!(".{id}") }
}
