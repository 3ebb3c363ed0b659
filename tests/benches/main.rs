//! What the parts of a request cost, one by one: `cargo bench` times them, `cargo xtask bench --instructions` counts their
//! instructions.
//!
//! Without a word about what to do, as `cargo test --benches` starts it, it does everything once.

mod operations;

use std::alloc::System;
use std::error::Error;
use std::hint::black_box;
use std::io::{Write, stdout};
use std::time::Duration;

use criterion::Criterion;
use zeroizing_alloc::ZeroAlloc;

use operations::Operation;

/// The server's, which wipes what it is given back: that is part of what an operation costs.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// Anything that went wrong.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--names"] => names(),
        ["--times", times, name] => repeat(name, times.parse()?),
        _ => time(),
    }
}

/// The names of the operations, one a line.
fn names() -> Result<(), Failure> {
    for operation in operations::all()? {
        writeln!(stdout(), "{}", operation.name)?;
    }
    Ok(())
}

/// Does one operation so many times, and nothing else, for a program that looks on.
fn repeat(name: &str, times: u32) -> Result<(), Failure> {
    let mut operation = operations::one(name)?;
    for _ in 0..times {
        black_box((operation.work)()?);
    }
    Ok(())
}

/// Times each operation, as the command line says.
fn time() -> Result<(), Failure> {
    let criterion = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    let mut criterion = criterion.without_plots().configure_from_args();
    for Operation { name, mut work } in operations::all()? {
        // A failure is quick, and would pass for a fast operation.
        work()?;
        let mut failure = None;
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| black_box(work()).map_err(|error| failure = Some(error)));
        });
        if let Some(error) = failure {
            return Err(format!("{name}: {error}").into());
        }
    }
    criterion.final_summary();
    Ok(())
}
