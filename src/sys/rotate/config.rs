//! `/v1/sys/rotate/config` and `rotate/keyring/config`: when the keyring is rotated by itself.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{LooseBool, LooseInt, Ttl};
use crate::barrier::RotationConfig;
use crate::engine::{Cx, Data, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

use super::super::NoPath;

/// `GET rotate/config`, the older path. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadConfig {}

/// `GET rotate/keyring/config`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadKeyringConfig {}

/// `POST rotate/config`, the older path.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct WriteConfig(Change);

/// `POST rotate/keyring/config`.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct WriteKeyringConfig(Change);

/// What is to change; what is left out stays as it is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Change {
    /// Whether the keyring is rotated by itself.
    enabled: Option<LooseBool>,
    /// After so many encryptions.
    max_operations: Option<LooseInt>,
    /// After so long, at least a day; 0 is never.
    interval: Option<Ttl>,
}

/// When the keyring is rotated by itself.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Shown {
    enabled: bool,
    max_operations: u64,
    interval: Interval,
}

/// A length as it is shown: 0, or text like `24h0m0s`.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
enum Interval {
    Never(u8),
    Every(String),
}

const DAY: u64 = 24 * 3600;

impl Endpoint for ReadConfig {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<Shown>;
    const ROUTE: Route = Route::read("rotate/config").summary("When the keyring is rotated by itself");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Data<Shown>> {
        read(unsealed)
    }
}

impl Endpoint for ReadKeyringConfig {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<Shown>;
    const ROUTE: Route = Route::read("rotate/keyring/config").summary("When the keyring is rotated by itself");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Data<Shown>> {
        read(unsealed)
    }
}

impl Endpoint for WriteConfig {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("rotate/config").summary("Change when the keyring is rotated by itself");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Done> {
        self.0.write(unsealed).await
    }
}

impl Endpoint for WriteKeyringConfig {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("rotate/keyring/config").summary("Change when the keyring is rotated by itself");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Done> {
        self.0.write(unsealed).await
    }
}

impl Change {
    async fn write(self, unsealed: &Unsealed) -> Result<Done> {
        let config = self.applied(unsealed.core.barrier.rotation_config()?)?;
        unsealed.core.configure_rotation(config).await?;
        Ok(Done)
    }

    fn applied(self, present: RotationConfig) -> Result<RotationConfig> {
        let bounds = RotationConfig::OPERATIONS;
        let out_of_range =
            || Error::invalid(format!("max_operations must be in the range [{},{}]", bounds.start(), bounds.end()));
        let max_operations = match self.max_operations {
            None => present.max_operations,
            Some(LooseInt(asked)) => {
                let asked = u64::try_from(asked).map_err(|_| out_of_range())?;
                if !bounds.contains(&asked) {
                    return Err(out_of_range());
                }
                asked
            }
        };
        let interval_seconds = self.interval.map_or(present.interval_seconds, Ttl::seconds);
        if interval_seconds != 0 && interval_seconds < DAY {
            return Err(Error::invalid("interval must be greater or equal to 24h0m0s, or 0 for never"));
        }
        let enabled = self.enabled.map_or(present.enabled, |flag| flag.0);
        Ok(RotationConfig { enabled, max_operations, interval_seconds })
    }
}

fn read(unsealed: &Unsealed) -> Result<Data<Shown>> {
    unsealed.core.barrier.rotation_config().map(|config| Data::new(shown(config)))
}

fn shown(config: RotationConfig) -> Shown {
    let RotationConfig { enabled, max_operations, interval_seconds } = config;
    let interval = match interval_seconds {
        0 => Interval::Never(0),
        seconds => Interval::Every(format!("{}h{}m{}s", seconds / 3600, seconds / 60 % 60, seconds % 60)),
    };
    Shown { enabled, max_operations, interval }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(body: &str) -> Result<RotationConfig> {
        serde_json::from_str::<Change>(body).unwrap().applied(RotationConfig::default())
    }

    #[test]
    fn what_is_left_out_stays() {
        assert_eq!(applied("{}").unwrap(), RotationConfig::default());
        let config = applied(r#"{"interval":"168h","enabled":"false","max_operations":"1000000"}"#).unwrap();
        assert_eq!(config, RotationConfig { enabled: false, max_operations: 1_000_000, interval_seconds: 604_800 });
        assert_eq!(shown(config).interval, Interval::Every("168h0m0s".to_owned()));
        assert_eq!(serde_json::to_value(shown(RotationConfig::default())).unwrap()["interval"], 0);
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        for body in [r#"{"max_operations":10}"#, r#"{"max_operations":-1}"#, r#"{"max_operations":3865470567}"#] {
            assert!(applied(body).is_err(), "{body}");
        }
        assert!(applied(r#"{"interval":"1h"}"#).is_err());
    }
}
