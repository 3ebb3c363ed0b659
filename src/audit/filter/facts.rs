//! What a filter can ask about an entry. All of it is plain on the line.

use cel::common::types::{CelBool, CelString};
use cel::common::value::CowVal;
use cel::context::VariableResolver;

/// An entry as a filter sees it. What is not known yet is empty.
#[derive(Clone, Debug)]
pub struct FilterFacts<'a> {
    /// `request` or `response`.
    pub kind: &'static str,
    /// The path behind `/v1/` and the namespace.
    pub path: &'a str,
    /// `read`, `create`, `update`, `delete`, `list`, …
    pub operation: &'a str,
    /// The namespace with its slash; empty for the outermost.
    pub namespace: &'a str,
    /// The mount's path, with its slash.
    pub mount_point: &'a str,
    /// The engine's kind.
    pub mount_type: &'a str,
    /// `secret` or `auth`.
    pub mount_class: &'a str,
    /// The failure's message.
    pub error: &'a str,
    /// Whether the failure is that it was not permitted.
    pub denied: bool,
}

impl FilterFacts<'_> {
    /// What they are called in an expression.
    pub const NAMES: [&'static str; 9] =
        ["type", "path", "operation", "namespace", "mount_point", "mount_type", "mount_class", "error", "denied"];

    /// Entries that take every side of a condition: a filter has to be true or false for each.
    pub(super) const SAMPLES: [FilterFacts<'static>; 2] = [
        FilterFacts {
            kind: "request",
            path: "",
            operation: "",
            namespace: "",
            mount_point: "",
            mount_type: "",
            mount_class: "",
            error: "",
            denied: false,
        },
        FilterFacts {
            kind: "response",
            path: "auth/token/create",
            operation: "update",
            namespace: "team/",
            mount_point: "auth/token/",
            mount_type: "token",
            mount_class: "auth",
            error: "permission denied",
            denied: true,
        },
    ];
}

/// What stands for `namespace` in what is evaluated: CEL reserves that word. As long as the word itself, so that places stay
/// where they are.
pub(super) const UNRESERVED: &str = "namespac_";

impl VariableResolver for FilterFacts<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let text = match variable {
            "type" => self.kind,
            "path" => self.path,
            "operation" => self.operation,
            UNRESERVED => self.namespace,
            "mount_point" => self.mount_point,
            "mount_type" => self.mount_type,
            "mount_class" => self.mount_class,
            "error" => self.error,
            "denied" => return Some(CowVal::owned(CelBool::from(self.denied))),
            _ => return None,
        };
        Some(CowVal::owned(CelString::from(text)))
    }
}
