//! What a rule lets its holder do.

/// One thing that a rule may allow, or `deny`, which takes everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Write what is not there yet.
    Create,
    /// Delete.
    Delete,
    /// Nothing at all; beats every other.
    Deny,
    /// List a folder.
    List,
    /// Change a part of what is there.
    Patch,
    /// Read.
    Read,
    /// List a folder and those in it.
    Scan,
    /// Use endpoints that are protected beyond their path.
    Sudo,
    /// Write what is there already.
    Update,
}

impl Capability {
    /// All, in the order of their names.
    pub const ALL: [Self; 9] = [
        Self::Create,
        Self::Delete,
        Self::Deny,
        Self::List,
        Self::Patch,
        Self::Read,
        Self::Scan,
        Self::Sudo,
        Self::Update,
    ];

    /// The word for it in policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Deny => "deny",
            Self::List => "list",
            Self::Patch => "patch",
            Self::Read => "read",
            Self::Scan => "scan",
            Self::Sudo => "sudo",
            Self::Update => "update",
        }
    }

    /// The capability of that name, which is written in lower case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.as_str() == name)
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of capabilities. With `deny` in it there is nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Capabilities(u16);

impl Capabilities {
    /// `deny` alone.
    pub const DENY: Self = Self(Capability::Deny.bit());

    /// Whether `capability` is in the set.
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & capability.bit() != 0
    }

    /// Whether nothing is in the set, which allows as little as `deny`.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in this set or in `other`; `deny` in either leaves `deny` alone.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        let both = Self(self.0 | other.0);
        if both.has(Capability::Deny) { Self::DENY } else { both }
    }

    /// The capabilities in the order of their names.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.into_iter().filter(move |capability| self.has(*capability))
    }

    /// What the old word of a rule (`policy = "write"`) stands for.
    pub(super) fn of_legacy_word(word: &str) -> Option<Self> {
        use Capability::{Create, Delete, List, Read, Sudo, Update};
        match word {
            "deny" => Some(Self::DENY),
            "read" => Some([Read, List].into_iter().collect()),
            "write" => Some([Create, Read, Update, Delete, List].into_iter().collect()),
            "sudo" => Some([Create, Read, Update, Delete, List, Sudo].into_iter().collect()),
            _ => None,
        }
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        capabilities.into_iter().fold(Self::default(), |set, capability| set.union(Self(capability.bit())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deny_takes_everything() {
        let set: Capabilities = [Capability::Read, Capability::Deny, Capability::List].into_iter().collect();
        assert_eq!(set, Capabilities::DENY);
        assert_eq!(set.union([Capability::Read].into_iter().collect()), Capabilities::DENY);
    }

    #[test]
    fn names_are_sorted_and_read_back() {
        let names = Capability::ALL.map(Capability::as_str);
        assert!(names.is_sorted());
        for capability in Capability::ALL {
            assert_eq!(Capability::parse(capability.as_str()), Some(capability));
        }
        assert_eq!(Capability::parse("READ"), None);
        assert_eq!(Capability::parse("root"), None);
    }
}
