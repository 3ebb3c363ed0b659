//! The steps that a sequence is made of, and the policies of those who take them.

/// How many mounts there are.
pub const MOUNTS: u8 = 2;

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Everything.
    Root,
    /// To read and list in one mount.
    Reader(u8),
    /// To write, read, delete and list in one mount.
    Writer(u8),
    /// To make tokens like itself, and nothing with secrets.
    Maker,
}

/// One thing that is done. The numbers are of tokens, mounts and paths, each taken modulo how many there are.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Writes a new secret.
    Write(u8, u8),
    /// Reads one.
    Read(u8, u8),
    /// Deletes one.
    Delete(u8, u8),
    /// Lists a mount.
    List(u8, u8),
    /// Writes to the token's own cubbyhole.
    Keep(u8, u8),
    /// Reads from it.
    Recall(u8, u8),
    /// Makes a token with a policy, and with an end.
    Create(u8, u8),
    /// Revokes a token.
    Revoke(u8, u8),
    /// A token revokes itself.
    RevokeSelf(u8),
    /// Revokes the lease of a token.
    RevokeLease(u8),
    /// Renews a token by so much.
    Renew(u8, u8),
    /// Mounts, or unmounts what is mounted.
    Mount(u8),
    /// Reads a secret wrapped.
    Wrap(u8, u8),
    /// Unwraps.
    Unwrap(u8),
    /// Seals, or unseals.
    Turn(u8),
    /// The process is killed and started again.
    Crash,
    /// Seconds pass.
    Pass(u8),
}

impl Policy {
    /// How it is called.
    pub fn name(self) -> String {
        match self {
            Self::Root => "root".to_owned(),
            Self::Reader(mount) => format!("reader{mount}"),
            Self::Writer(mount) => format!("writer{mount}"),
            Self::Maker => "maker".to_owned(),
        }
    }
}

impl Step {
    /// The step that three bytes stand for. What is done most is most likely.
    pub fn of([kind, one, two]: [u8; 3]) -> Self {
        match kind % 32 {
            0..=4 => Self::Write(one, two),
            5..=9 => Self::Read(one, two),
            10 => Self::Delete(one, two),
            11 => Self::List(one, two),
            12 => Self::Keep(one, two),
            13 => Self::Recall(one, two),
            14..=17 => Self::Create(one, two),
            18 => Self::Revoke(one, two),
            19 => Self::RevokeSelf(one),
            20 => Self::RevokeLease(one),
            21 => Self::Renew(one, two),
            22 | 23 => Self::Mount(one),
            24 | 25 => Self::Wrap(one, two),
            26 | 27 => Self::Unwrap(one),
            28 => Self::Turn(one),
            29 => Self::Crash,
            _ => Self::Pass(one),
        }
    }
}

/// The policies by their names, with their rules.
pub fn policies() -> Vec<(String, String)> {
    let mut found = vec![(
        Policy::Maker.name(),
        "path \"auth/token/create\" { capabilities = [\"create\", \"update\"] }".to_owned(),
    )];
    for mount in 0..MOUNTS {
        let rule = |words: &str| format!("path \"m{mount}/*\" {{ capabilities = [{words}] }}");
        found.push((Policy::Reader(mount).name(), rule("\"read\", \"list\"")));
        found.push((Policy::Writer(mount).name(), rule("\"create\", \"update\", \"read\", \"delete\", \"list\"")));
    }
    found
}
