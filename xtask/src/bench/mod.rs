//! `cargo xtask bench`: Arca beside its peer under the same load, with mTLS, a durable store and a file audit device.

mod contender;
mod load;
mod measure;
mod plot;
mod process;
mod scale;
mod site;
mod table;
mod targets;
mod workload;

use std::path::PathBuf;

use crate::debian::{self, Need};
use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::say;
use crate::workspace;

use site::Site;
use table::Results;

/// Options of the measurement.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A minute that shows that everything works, and whose figures mean nothing
    #[arg(long)]
    quick: bool,
    /// Only the workloads whose name begins so, or `growth`; may be repeated
    #[arg(long)]
    only: Vec<String>,
    /// How often each workload is run against each server, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long each run takes, in seconds
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// How many secrets and leases the largest store has; 0 leaves out what grows
    #[arg(long, default_value_t = 100_000)]
    scale: u64,
    /// How many of them the peer has at most: it takes long to write them
    #[arg(long, default_value_t = 10_000)]
    peer_scale: u64,
    /// Without the peer
    #[arg(long)]
    alone: bool,
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

impl Args {
    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|begin| name.starts_with(begin.as_str()))
    }
}

/// How much is done.
#[derive(Clone, Copy, Debug)]
struct Extent {
    rounds: usize,
    seconds: f64,
    keys: u64,
}

/// A minute that shows that everything works.
pub(crate) fn quick() -> Result<(), Failure> {
    let (only, output) = (Vec::new(), Output::default());
    run(&Args { quick: true, only, rounds: 1, seconds: 0.0, scale: 0, peer_scale: 0, alone: false, output })
}

/// Measures, and prints what came out.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    debian::provide(&[Need::Compiler, Need::CompilerPlus, Need::Postgres, Need::Python])?;
    let extent = if args.quick {
        Extent { rounds: 1, seconds: 0.4, keys: 200 }
    } else {
        Extent { rounds: args.rounds.max(1), seconds: args.seconds, keys: 10_000 }
    };
    let mut results = Results::default();
    let folder = Folder::new("arca-bench")?;
    {
        let mut site = Site::start(&folder, extent.keys, args.alone)?;
        results.idle = site.idle_memory()?;
        for workload in workload::all(extent.keys, site.database()) {
            if args.wants(&workload.name) {
                results.workloads.push(measure::run(&mut site, &workload, extent)?);
            }
        }
    }
    if !args.quick && args.scale > 0 && args.wants("growth") {
        results.sizes = scale::run(&folder, args.scale, if args.alone { 0 } else { args.peer_scale })?;
    }
    let text = results.markdown();
    say::part("Results");
    say::line(&text);
    if let Some(path) = &args.output.markdown {
        folder::write(path, text)?;
    }
    if let Some(path) = &args.output.json {
        folder::write(path, results.json())?;
    }
    if let Some(path) = &args.output.plot {
        folder::write(path, plot::svg(&results.sizes)?)?;
    }
    Ok(())
}

/// Builds the server, the command line and the load.
fn build() -> Result<(workspace::Binaries, PathBuf), Failure> {
    let binaries = workspace::build(workspace::Profile::Release)?;
    let advice = "The load is a program of this workspace, in xtask/load.";
    workspace::cargo("build --locked --release --package xtask-load").advise(advice).show()?;
    Ok((binaries, workspace::target().join("release/arca-load")))
}
