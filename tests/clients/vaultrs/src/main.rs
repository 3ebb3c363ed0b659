//! The Rust client vaultrs against a running server, by its own calls and with what it makes of the answers.
//!
//! How the server is named is said at the head of `../suite.py`; it takes a new server, or one that was initialised
//! before (`ARCA_TOKEN`). `cargo run -- WORD …` runs the tests whose names contain a word.

mod auth;
mod database;
mod identity;
mod jwt;
mod kv;
mod operation;
mod raw;
mod signer;
mod site;
mod system;
mod token;

use std::future::Future;
use std::process::ExitCode;
use std::rc::Rc;

use site::Site;
use tokio::task::LocalSet;

/// Counts what came of the tests.
#[derive(Default)]
struct Tally {
    words: Vec<String>,
    passed: u32,
    failed: u32,
    left_out: u32,
}

impl Tally {
    /// Runs one test; a panic in it is its failure, and an error is why it cannot be run here.
    async fn test<F>(&mut self, name: &str, test: F)
    where
        F: Future<Output = Result<(), &'static str>> + 'static,
    {
        if !self.words.is_empty() && !self.words.iter().any(|word| name.contains(word.as_str())) {
            return;
        }
        match tokio::task::spawn_local(test).await {
            Ok(Ok(())) => self.passed += 1,
            Ok(Err(reason)) => {
                self.left_out += 1;
                println!("LEFT OUT  {name}: {reason}");
            }
            Err(panic) => {
                self.failed += 1;
                println!("FAILED    {name}: {panic}");
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    LocalSet::new().run_until(run()).await
}

async fn run() -> ExitCode {
    let mut tally = Tally { words: std::env::args().skip(1).collect(), ..Tally::default() };
    let site = Rc::new(Site::prepare().await);
    macro_rules! run {
        ($($module:ident::$test:ident),* $(,)?) => {
            $(tally.test(stringify!($module::$test), $module::$test(site.clone())).await;)*
        };
    }
    run!(
        system::the_state_of_the_server,
        system::mounts,
        system::a_mount_moves,
        system::auth_mounts,
        system::policies,
        system::wrapped_answers,
        system::random_bytes,
        kv::version_1,
        kv::cubbyhole,
        kv::version_2,
        kv::metadata_and_configuration,
        kv::names_with_blanks,
        token::create_look_up_renew_and_revoke,
        token::roles,
        auth::userpass,
        auth::approle,
        auth::cert,
        identity::entities,
        identity::groups,
        identity::disabled_entities_are_stopped,
        identity::members_and_templated_policies,
        jwt::logins,
        jwt::groups_of_the_provider,
        operation::health_tells_of_audit_devices,
        operation::audit_devices,
        operation::mounts_are_tuned,
        operation::hashes,
        operation::password_policies,
        operation::quotas,
        operation::namespaces,
        operation::batch_tokens,
        operation::wrapped_secrets_of_roles,
        database::roles_and_credentials,
        database::static_roles,
        system::sealing,
    );
    let Tally { passed, failed, left_out, .. } = tally;
    println!("{passed} passed, {failed} failed, {left_out} left out");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
