//! `cargo xtask bench`: Arca beside its peer under the same load, with mTLS, a durable store and a file audit device.

mod contender;
mod estimate;
mod ground;
mod growth;
mod instructions;
mod load;
mod measure;
mod process;
mod results;
mod site;
mod stress;
mod workload;

use std::path::PathBuf;

use crate::debian::{self, Need};
use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::say;
use crate::workspace::Profile;

use contender::Kind;
use ground::Ground;
use growth::Reach;
use results::Results;
use site::Site;
use workload::Workload;

/// Options of the measurement.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A minute that shows that everything works, and whose figures mean nothing
    #[arg(long)]
    quick: bool,
    /// Only the workloads whose name begins so, or `saturation`, `revocation`, `growth`; may be repeated
    #[arg(long)]
    only: Vec<String>,
    /// How often each workload is run against each server, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long each run takes, in seconds
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How many secrets and leases the largest store has; tokens and policies are 100,000 at most, mounts 10,000. 0 leaves
    /// out what grows
    #[arg(long, default_value_t = 1_000_000)]
    scale: u64,
    /// How many of them the peer has at most, leases that are revoked included: it takes long to write them
    #[arg(long, default_value_t = 10_000)]
    peer_most: u64,
    /// How many leases are revoked by their prefix; 0 leaves this out
    #[arg(long, default_value_t = 100_000)]
    revoke: u64,
    /// Without the peer
    #[arg(long)]
    alone: bool,
    /// Programs that are built quickly, for work on the measurement itself; the figures mean nothing
    #[arg(long)]
    debug: bool,
    #[command(flatten)]
    instructions: instructions::Count,
    #[command(flatten)]
    output: Output,
}

/// Where the figures go besides the terminal.
#[derive(Default, clap::Args)]
struct Output {
    /// Where all the figures go, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Where the tables go, as Markdown
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// Where the curves of growth go, as SVG
    #[arg(long)]
    plot: Option<PathBuf>,
}

/// How much is done.
#[derive(Clone, Debug)]
struct Plan {
    extent: Extent,
    workloads: Vec<Workload>,
    saturation: bool,
    /// How many leases are revoked by their prefix, of whom.
    revoked: Vec<(Kind, u64)>,
    growth: Reach,
    alone: bool,
}

/// How often and how long a run is made.
#[derive(Clone, Copy, Debug)]
struct Extent {
    rounds: usize,
    seconds: f64,
    keys: u64,
}

/// A minute that shows that everything works, with programs that the tests have built already.
pub(crate) fn quick() -> Result<(), Failure> {
    measure(&quick_plan(), Profile::Debug, &Output::default())
}

/// Measures, and prints what came out.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.instructions.asked() {
        return instructions::run(&args.instructions);
    }
    let mut plan = if args.quick { quick_plan() } else { args.plan() };
    plan.keep(|name| args.only.is_empty() || args.only.iter().any(|begin| name.starts_with(begin.as_str())));
    if args.alone {
        plan.leave_out_peer();
    }
    measure(&plan, if args.debug { Profile::Debug } else { Profile::Release }, &args.output)
}

impl Args {
    fn plan(&self) -> Plan {
        let extent = Extent { rounds: self.rounds.max(1), seconds: self.seconds, keys: 10_000 };
        let steps = vec![1_000, 10_000, 100_000, 1_000_000];
        let growth = Reach { steps, most: self.scale, peer_most: self.peer_most, seconds: 2.0 };
        let revoked = vec![(Kind::Peer, self.revoke.min(self.peer_most)), (Kind::Arca, self.revoke)];
        Plan { extent, workloads: workload::all(extent.keys), saturation: true, revoked, growth, alone: false }
    }
}

fn quick_plan() -> Plan {
    let extent = Extent { rounds: 1, seconds: 0.25, keys: 200 };
    // The peer takes a second or two for each start; that it can be grown, the revocation shows.
    let growth = Reach { steps: vec![100], most: 100, peer_most: 0, seconds: 0.25 };
    let revoked = vec![(Kind::Peer, 50), (Kind::Arca, 50)];
    Plan { extent, workloads: workload::all(extent.keys), saturation: true, revoked, growth, alone: false }
}

impl Plan {
    /// Leaves out what is not wanted.
    fn keep(&mut self, wanted: impl Fn(&str) -> bool) {
        self.workloads.retain(|workload| wanted(&workload.name));
        self.saturation &= wanted("saturation");
        if !wanted("revocation") {
            self.revoked.clear();
        }
        if !wanted("growth") {
            self.growth.steps.clear();
        }
    }

    fn leave_out_peer(&mut self) {
        self.alone = true;
        self.revoked.retain(|(kind, _)| *kind != Kind::Peer);
        self.growth.peer_most = 0;
    }
}

fn measure(plan: &Plan, profile: Profile, output: &Output) -> Result<(), Failure> {
    debian::provide(&[Need::Compiler, Need::CompilerPlus, Need::Postgres, Need::Python])?;
    let folder = Folder::new("arca-bench")?;
    let ground = Ground::lay(&folder, profile, plan.alone)?;
    say::part(&format!("This takes about {} minutes on two cores", estimate::minutes(plan)));
    let mut results = Results::default();
    if plan.saturation || !plan.workloads.is_empty() {
        let mut site = Site::start(&ground, plan.extent.keys, plan.alone)?;
        results.idle.clone_from(&site.idle);
        for workload in &plan.workloads {
            results.workloads.push(measure::run(&mut site, workload, plan.extent)?);
        }
        if plan.saturation {
            results.overloaded = stress::overload(&site, plan.extent)?;
        }
        site.remove()?;
    }
    results.revoked = stress::revocation(&ground, &plan.revoked)?;
    results.sizes = growth::run(&ground, &plan.growth)?;
    publish(&results, output)
}

fn publish(results: &Results, output: &Output) -> Result<(), Failure> {
    let text = results.markdown();
    say::part("Results");
    say::line(&text);
    if let Some(path) = &output.markdown {
        folder::write(path, text)?;
    }
    if let Some(path) = &output.json {
        folder::write(path, results.json())?;
    }
    if let Some(path) = &output.plot {
        folder::write(path, results.plot()?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_kept() {
        let mut plan = quick_plan();
        plan.keep(|name| name.starts_with("read 4") || name.starts_with("growth"));
        assert_eq!(plan.workloads.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["read 4 KiB, 64"]);
        assert!(!plan.saturation && plan.revoked.is_empty() && !plan.growth.steps.is_empty());
    }

    #[test]
    fn alone_means_without_the_peer() {
        let mut plan = quick_plan();
        plan.leave_out_peer();
        assert!(plan.revoked.iter().all(|(kind, _)| *kind == Kind::Arca));
        assert_eq!(plan.growth.peer_most, 0);
    }
}
