//! `NarrowLog`: a vault whose only audit device has room for a request, and none for its response.

use std::path::Path;

use arca::vault::{DeclaredAudit, Settings};

use crate::support::{Answer, Collector, Setup, TestVault, eventually};

/// A vault whose audit device keeps lines for a collector that is away, and takes no more than a megabyte of them.
pub(super) struct NarrowLog {
    pub(super) vault: TestVault,
    collector: Collector,
}

const SPACE: u64 = 1 << 20;

impl NarrowLog {
    pub(super) fn start(spool: &Path) -> Self {
        let mut collector = Collector::http(&[]);
        collector.stop();
        let options = [
            ("url", format!("http://{}/", collector.address)),
            ("spool_path", spool.display().to_string()),
            ("spool_max_bytes", SPACE.to_string()),
            ("spool_full", "block".to_owned()),
        ];
        let device = DeclaredAudit {
            kind: "http".to_owned(),
            path: "siem/".to_owned(),
            description: String::new(),
            options: options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        };
        let settings =
            Settings { audit: vec![device], unauthed_rekey: true, unauthed_generate_root: true, ..Settings::default() };
        let vault = Setup { settings, audited: false, ..Setup::default() }.start();
        Self { vault, collector }
    }

    /// What `act` gives, and how many bytes of the log it takes.
    pub(super) fn measured(&self, act: impl Fn() -> Answer) -> (u64, Answer) {
        let before = self.used();
        let answer = act();
        (self.used() - before, answer)
    }

    /// Fills the log until what is left is enough for the first of two lines that take `size` bytes together, and not
    /// for both. The second of them has all that is in the first.
    pub(super) fn leave_room_for_request_only(&self, size: u64) {
        let root = self.vault.root();
        let wanted = size * 6 / 10;
        // Each character of a path is in two lines.
        let fill = |padding: u64| {
            let path = format!("cubbyhole/{}", "x".repeat(usize::try_from(padding).unwrap()));
            self.measured(|| root.get(&path).is(404)).0
        };
        let base = fill(100) - 200;
        let most = base + 2 * 3900;
        loop {
            let missing = (SPACE - self.used()).saturating_sub(wanted);
            let share = missing / missing.div_ceil(most).max(1);
            if share < base + 2 {
                break;
            }
            fill((share - base) / 2);
        }
        let left = SPACE - self.used();
        assert!(left > size / 2 && left < size, "{left} bytes are left, {size} are needed");
    }

    fn used(&self) -> u64 {
        let states = self.vault.unsealed().core.audit.sink_states();
        states.iter().find(|(path, _)| path == "siem/").expect("the device").1.spool_bytes
    }

    /// How many tokens there are, without asking by a request.
    pub(super) fn accessors(&self) -> u64 {
        let unsealed = self.vault.unsealed();
        self.vault.run(async { unsealed.tokens.count().await.unwrap() })
    }

    /// Lets the collector take everything: the vault, which is unsealed, serves again, and ends well.
    pub(super) fn finish(mut self) {
        self.collector.resume();
        let root = self.vault.root();
        eventually("it serves again", || (root.get("sys/mounts").status == 200).then_some(()));
        self.vault.finish();
    }
}
