//! How long a measurement is going to take.

use super::Plan;
use super::contender::Kind;
use super::growth::Growing;
use super::workload::Workload;

/// What a vault takes to be started, initialised and removed again, in seconds.
const VAULT: f64 = 3.0;

/// What a run takes beyond its own time, in seconds: the load's start, its connections, the answers that are still due.
const RUN: f64 = 0.3;

/// The same past saturation, where many are due.
const SATURATED_RUN: f64 = 1.0;

/// The minutes that `plan` takes on two cores that do nothing else, programs being built already.
pub(super) fn minutes(plan: &Plan) -> u64 {
    let seconds = of_workloads(plan) + of_saturation(plan) + of_revocation(plan) + of_growth(plan);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of minutes")]
    let minutes = (seconds / 60.0).ceil() as u64;
    minutes.max(1)
}

#[expect(clippy::cast_precision_loss, reason = "a number of minutes")]
fn of_workloads(plan: &Plan) -> f64 {
    if plan.workloads.is_empty() && !plan.saturation {
        return 0.0;
    }
    let vaults: u32 = if plan.alone { 2 } else { 3 };
    let runs = |workload: &Workload| f64::from(vaults + u32::from(workload.floor));
    let runs: f64 = plan.workloads.iter().map(runs).sum();
    let peer_rate = Growing::Secrets.expected_rate(if plan.alone { Kind::Arca } else { Kind::Peer });
    let filling = (plan.extent.keys + plan.extent.keys.min(1_000)) as f64 / peer_rate as f64;
    f64::from(vaults) * VAULT + 2.0 * filling + runs * plan.extent.rounds as f64 * (plan.extent.seconds + RUN)
}

#[expect(clippy::cast_precision_loss, reason = "a number of minutes")]
fn of_saturation(plan: &Plan) -> f64 {
    let (vaults, workloads, runs) = (if plan.alone { 1.0 } else { 2.0 }, 2.0, 3.0);
    let once = vaults * workloads * runs * (plan.extent.seconds + SATURATED_RUN);
    if plan.saturation { once * plan.extent.rounds as f64 } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "a number of minutes")]
fn of_revocation(plan: &Plan) -> f64 {
    let one = |(kind, count): &(Kind, u64)| VAULT + 2.0 * *count as f64 / Growing::Leases.expected_rate(*kind) as f64;
    plan.revoked.iter().map(one).sum()
}

#[expect(clippy::cast_precision_loss, reason = "a number of minutes")]
fn of_growth(plan: &Plan) -> f64 {
    let mut seconds = 0.0;
    for growing in Growing::ALL {
        for kind in [Kind::Peer, Kind::Arca] {
            let sizes = plan.growth.sizes(growing, kind);
            if let Some(most) = sizes.last() {
                let each = plan.growth.seconds + VAULT;
                seconds += VAULT + *most as f64 / growing.expected_rate(kind) as f64 + sizes.len() as f64 * each;
            }
        }
    }
    seconds
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        bench: super::super::Args,
    }

    #[test]
    fn all_of_it_takes_less_than_an_hour_and_what_is_quick_two_minutes() {
        let plan = Cli::parse_from(["bench"]).bench.plan();
        assert!((15..60).contains(&minutes(&plan)), "{}", minutes(&plan));
        assert!(minutes(&super::super::quick_plan()) <= 2);
    }

    #[test]
    fn what_is_left_out_takes_no_time() {
        let mut plan = Cli::parse_from(["bench"]).bench.plan();
        plan.keep(|name| name == "nothing");
        assert_eq!(minutes(&plan), 1);
    }
}
