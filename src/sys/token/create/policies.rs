//! Which policies a new token gets.

use crate::error::{Error, Result};

use super::super::roles::TokenRole;

/// What decides about the policies of a new token.
pub(super) struct Wish<'a> {
    /// What the caller asks for, each in its one spelling; nothing where they leave it to the role and the parent.
    pub(super) asked: Option<&'a [String]>,
    /// Whether the caller wants `default` left out, whoever names it.
    pub(super) no_default: bool,
    /// The policies of the token that asks.
    pub(super) parent: &'a [String],
    /// Whether that token is of another namespace: what its policies are called means nothing here.
    pub(super) foreign: bool,
    /// Whether that token has sudo here.
    pub(super) sudo: bool,
    /// The role that the token is made by.
    pub(super) role: Option<&'a TokenRole>,
}

const ROOT: &str = "root";
const DEFAULT: &str = "default";

impl Wish<'_> {
    /// The policies, sorted; `root` stands alone.
    pub(super) fn granted(&self) -> Result<Vec<String>> {
        let mut policies = match self.role.filter(|role| role.restricts_policies()) {
            Some(role) => self.by_role(role)?,
            None => self.by_parent()?,
        };
        if holds(&policies, "response-wrapping") {
            return Err(Error::invalid("cannot assign policy \"response-wrapping\""));
        }
        if holds(&policies, ROOT) {
            if self.foreign {
                return Err(Error::invalid("root tokens may not be created from a parent namespace"));
            }
            if !holds(self.parent, ROOT) {
                return Err(Error::invalid("root tokens may not be created without parent token being root"));
            }
            policies = vec![ROOT.to_owned()];
        }
        policies.sort_unstable();
        policies.dedup();
        Ok(policies)
    }

    /// With a role that says something about policies the parent's do not count.
    fn by_role(&self, role: &TokenRole) -> Result<Vec<String>> {
        let mut policies = match (self.asked, role.has_allowed_policies()) {
            (Some(asked), _) => asked.to_vec(),
            (None, true) => role.allowed_policies.clone(),
            (None, false) => self.parent.to_vec(),
        };
        // Blank names alone, where not even `default` is added, leave it to the role.
        if policies.is_empty() && !self.adds_default() {
            policies.clone_from(&role.allowed_policies);
        }
        if self.no_default {
            policies.retain(|name| name != DEFAULT);
        }
        let default_is_wanted = self.adds_default() && !role.disallows(DEFAULT) && !holds(&policies, ROOT);
        if default_is_wanted && !holds(&policies, DEFAULT) {
            policies.push(DEFAULT.to_owned());
        }
        // `default` is what every token has: only a role that leaves it out, or forbids it, does not allow it.
        let default_is_allowed = !role.no_default_policy;
        let allowed = |name: &String| role.allows(name) || (default_is_allowed && name == DEFAULT);
        if role.has_allowed_policies() && !policies.iter().all(allowed) {
            return Err(Error::invalid(format!(
                "token policies ({policies:?}) must be subset of the role's allowed policies ({:?}) or glob policies ({:?})",
                role.allowed_policies, role.allowed_policies_glob
            )));
        }
        match policies.iter().find(|name| role.disallows(name)) {
            Some(name) => Err(Error::invalid(format!("token policy {name:?} is disallowed by this role"))),
            None => Ok(policies),
        }
    }

    /// Whether a token gets `default` whose maker does not name it: unless the caller or the role says that it does not.
    fn adds_default(&self) -> bool {
        !self.no_default && self.role.is_none_or(|role| !role.no_default_policy)
    }

    /// Whether the policies are not simply those of the token that asks.
    fn chooses(&self) -> bool {
        self.asked.is_some() || self.foreign
    }

    fn by_parent(&self) -> Result<Vec<String>> {
        let mut policies = self.asked.unwrap_or(self.parent).to_vec();
        if !self.sudo && !policies.iter().all(|name| holds(self.parent, name)) {
            return Err(Error::invalid("child policies must be subset of parent"));
        }
        if self.no_default {
            policies.retain(|name| name != DEFAULT);
        } else if self.adds_default() && (holds(self.parent, DEFAULT) || self.sudo && self.chooses()) {
            policies.push(DEFAULT.to_owned());
        }
        Ok(policies)
    }
}

fn holds(policies: &[String], name: &str) -> bool {
    policies.iter().any(|policy| policy == name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// An empty text asks for nothing, a blank one for a blank name.
    fn granted(asked: &str, parent: &str, sudo: bool, role: Option<&TokenRole>) -> Result<String> {
        let (given, parent) = (names(asked), names(parent));
        let asked = (!asked.is_empty()).then_some(given.as_slice());
        let wish = Wish { asked, no_default: false, parent: &parent, foreign: false, sudo, role };
        wish.granted().map(|policies| policies.join(" "))
    }

    #[test]
    fn a_child_has_no_more_than_its_parent() {
        assert_eq!(granted("", "default mk", false, None).unwrap(), "default mk");
        assert_eq!(granted("mk", "default mk", false, None).unwrap(), "default mk");
        assert_eq!(granted("", "mk", false, None).unwrap(), "mk");
        assert!(granted("default", "mk", false, None).is_err());
        assert!(granted("other", "default mk", false, None).is_err());
        assert!(granted("root", "default mk", false, None).is_err());
    }

    #[test]
    fn sudo_chooses_freely_but_for_root() {
        assert_eq!(granted("other", "mk", true, None).unwrap(), "default other");
        assert_eq!(granted("", "root", true, None).unwrap(), "root");
        assert_eq!(granted("", "mk", true, None).unwrap(), "mk", "nothing is asked for, nothing is added");
        assert_eq!(granted("root default", "root", true, None).unwrap(), "root");
        assert!(granted("root", "mk", true, None).is_err());
        assert!(granted("response-wrapping", "root", true, None).is_err());
    }

    #[test]
    fn who_wants_default_left_out_gets_none_by_its_name_either() {
        let (asked, parent) = (names("default p"), names("root"));
        let allowing = TokenRole { allowed_policies: names("default p"), ..TokenRole::default() };
        for role in [None, Some(&allowing)] {
            let asked = Some(asked.as_slice());
            let wish = Wish { asked, no_default: true, parent: &parent, foreign: false, sudo: true, role };
            assert_eq!(wish.granted().unwrap(), ["p"]);
        }
    }

    #[test]
    fn blank_names_bring_nothing_of_the_parent() {
        for (parent, sudo, policies) in [
            ("root", true, "default"),
            ("default mk p", true, "default"),
            ("mk p", true, "default"),
            ("default mk p", false, "default"),
            ("mk p", false, ""),
        ] {
            assert_eq!(granted(" ", parent, sudo, None).unwrap(), policies, "{parent} {sudo}");
            let says_nothing = TokenRole::default();
            assert_eq!(granted(" ", parent, sudo, Some(&says_nothing)).unwrap(), policies, "{parent} {sudo}");
            let forbids = TokenRole { disallowed_policies: names("x"), ..TokenRole::default() };
            assert_eq!(granted(" ", parent, sudo, Some(&forbids)).unwrap(), "default", "{parent} {sudo}");
            for without_default in [
                TokenRole { disallowed_policies: names("default"), ..TokenRole::default() },
                TokenRole { disallowed_policies: names("x"), no_default_policy: true, ..TokenRole::default() },
            ] {
                assert_eq!(granted(" ", parent, sudo, Some(&without_default)).unwrap(), "", "{parent} {sudo}");
            }
        }
        let allows = TokenRole { allowed_policies: names("a b"), ..TokenRole::default() };
        assert_eq!(granted(" ", "root", true, Some(&allows)).unwrap(), "default");
        let allows = TokenRole { no_default_policy: true, ..allows };
        assert_eq!(granted(" ", "root", true, Some(&allows)).unwrap(), "a b");
    }

    #[test]
    fn a_role_decides_in_place_of_the_parent() {
        let role = TokenRole { allowed_policies: names("a b"), ..TokenRole::default() };
        assert_eq!(granted("", "mk", false, Some(&role)).unwrap(), "a b default");
        assert_eq!(granted("a", "mk", false, Some(&role)).unwrap(), "a default");
        assert!(granted("c", "mk", false, Some(&role)).is_err());
        let role = TokenRole { allowed_policies_glob: names("zo*"), ..TokenRole::default() };
        assert_eq!(granted("zoo", "mk", false, Some(&role)).unwrap(), "default zoo");
        assert_eq!(granted("", "mk", false, Some(&role)).unwrap(), "default");
        let role = TokenRole { disallowed_policies: names("default"), ..TokenRole::default() };
        assert_eq!(granted("x", "mk", false, Some(&role)).unwrap(), "x");
        assert!(granted("default", "mk", false, Some(&role)).is_err());
        let role = TokenRole { allowed_policies: names("root"), ..TokenRole::default() };
        assert!(granted("", "mk", true, Some(&role)).is_err());
        let role = TokenRole {
            allowed_policies: names("a"),
            disallowed_policies_glob: names("a*"),
            no_default_policy: true,
            ..TokenRole::default()
        };
        assert!(granted("", "root", true, Some(&role)).is_err());
        // A role that says nothing about policies changes nothing.
        assert!(granted("other", "mk", false, Some(&TokenRole::default())).is_err());
    }

    proptest! {
        #[test]
        fn without_sudo_and_role_nothing_is_gained(asked in "[a-d ]{0,8}", parent in "[a-d ]{0,8}", no_default: bool) {
            let (asked, parent) = (names(&asked), names(&parent));
            let wish = Wish {
                asked: Some(&asked).filter(|asked| !asked.is_empty()).map(Vec::as_slice),
                no_default,
                parent: &parent,
                foreign: false,
                sudo: false,
                role: None,
            };
            if let Ok(policies) = wish.granted() {
                prop_assert!(policies.iter().all(|name| parent.contains(name)));
            }
        }
    }
}
