//! Whether a request is allowed.

use std::sync::Arc;

use arca::api::{ApiPath, Operation as Asks};
use arca::policy::{Access, Acl, Asked, Decision, Existence, Policy, PolicyName, Source, TemplateFacts};
use arca::time::{Clock, SystemClock};
use serde_json::Map;

use super::{Failure, Operation};

/// Decides about a read by a compiled list of so many policies, of three rules each.
pub(super) fn decide(name: &'static str, policies: usize) -> Result<Operation, Failure> {
    let sources = (0..policies).map(source).collect::<Result<Vec<_>, _>>()?;
    let acl = Acl::compile(&sources, &TemplateFacts::default(), SystemClock.now());
    let path = ApiPath::parse(&format!("secret/data/team{}/database/password", policies / 2))?;
    let fields = Map::new();
    let work = Box::new(move || {
        let asked = Asked {
            access: Access::Policy,
            existence: Existence::Unknown,
            wrap_ttl: None,
            limit: None,
            parameters: &fields,
        };
        match acl.rule(Asks::Read, &path).decide(&asked)? {
            Decision::Granted(grant) => Ok(grant.granting.len()),
            Decision::Denied(_) => Err("the read was denied".into()),
        }
    });
    Ok(Operation { name, work })
}

fn source(number: usize) -> Result<Source, Failure> {
    let text = format!(
        "path \"secret/data/team{number}/*\" {{ capabilities = [\"read\"] }}\n\
         path \"secret/data/+/shared{number}\" {{ capabilities = [\"read\", \"list\"] }}\n\
         path \"secret/metadata/team{number}\" {{ capabilities = [\"list\"] }}\n"
    );
    let policy = Policy::parse(PolicyName::parse(&format!("team{number}"))?, &text)?;
    Ok(Source { namespace_id: "root".into(), policy: Arc::new(policy), expires: None })
}
