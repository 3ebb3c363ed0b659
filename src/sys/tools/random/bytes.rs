//! Draws the bytes of an answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::api::{LooseInt, LooseText};
use crate::engine::{Cx, Data};
use crate::error::{Error, Result};
use crate::secret::{self, SecretText};

use super::super::encoding::Encoding;

/// How many bytes, in which form.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Drawing {
    /// How many; 32 where nothing is said. A number in the path counts instead.
    pub(super) bytes: Option<LooseInt>,
    /// `base64` or `hex`.
    pub(super) format: LooseText,
}

/// Random bytes.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Random {
    /// They are not kept.
    #[serde(serialize_with = "secret::on_wire")]
    random_bytes: SecretText,
}

/// The most that one request gets.
const MOST: usize = 131_072;
/// Where nothing is said.
const USUAL: i64 = 32;

impl Drawing {
    /// Draws the bytes.
    pub(super) fn answer(self, cx: &mut Cx<'_>) -> Result<Data<Random>> {
        let encoding = Encoding::parse(&self.format.0, Encoding::Base64)?;
        let number = self.bytes.map_or(USUAL, |bytes| bytes.0);
        if number < 1 {
            return Err(Error::invalid("'bytes' cannot be less than 1"));
        }
        let number = usize::try_from(number).ok().filter(|number| *number <= MOST);
        let number = number.ok_or_else(|| Error::invalid(format!("'bytes' should be less than {MOST}")))?;
        let mut drawn = Zeroizing::new(vec![0; number]);
        cx.entropy().fill(&mut drawn)?;
        Ok(Data::new(Random { random_bytes: SecretText::new(encoding.encode(&drawn)) }))
    }
}

/// Whether `name` is a source of randomness. All of them are the operating system's; a caller who asks for the seal's
/// is told so.
pub(super) fn source(name: &str, cx: &mut Cx<'_>) -> Result<()> {
    match name {
        "platform" | "all" => Ok(()),
        "seal" => {
            cx.warn("no seal/entropy augmentation available, using platform entropy source");
            Ok(())
        }
        _ => Err(Error::invalid("unsupported entropy source: it must be \"platform\", \"seal\" or \"all\"")),
    }
}

/// The number in a path.
pub(super) fn number(text: &str) -> Result<LooseInt> {
    text.parse().map(LooseInt).map_err(|_| Error::invalid("error parsing url-set byte count: it must be a number"))
}
