//! Kills seven commands with SIGKILL at random moments, again and again until they finish, and compares their
//! results with those of undisturbed runs: `cargo bench --bench kills -- [N_KILLS [COMMAND...]]`, by default 1,000
//! kills of all commands. Findings are printed at
//! once; with any, it ends with exit code 1.
//!
//! Half of the kills come after a random time; a quarter of these hit the command alone, and the processes that it
//! has started notice. The other half, on Linux, come just before a random change of a file, or half-way through a
//! write. `TMPDIR=/dev/shm` saves the disk the work.
#![cfg_attr(unix, expect(clippy::print_stdout, reason = "a benchmark tells what it measured"))]
#![cfg_attr(unix, expect(clippy::unwrap_used, reason = "a benchmark that can't go on should stop"))]
#![cfg_attr(unix, expect(unreachable_pub, reason = "the modules are those of the tests"))]

#[cfg(unix)]
#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/common/mod.rs"]
mod common;
#[cfg(unix)]
#[path = "../../tests/killed/mod.rs"]
mod killed;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    let words: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let n_kills = words.iter().find_map(|word| word.parse().ok()).unwrap_or(1000_usize);
    let is_wanted = |command: &str| {
        words.iter().all(|word| word.parse::<usize>().is_ok())
            || words.iter().any(|word| word == command)
    };
    let mut scenarios = killed::scenarios::all();
    scenarios.retain(|scenario| is_wanted(scenario.command));
    let (n, mut n_findings) = (scenarios.len(), 0);
    println!(
        "| command | kills | by time | of these the parent alone | by change | finished | findings | s |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|"
    );
    for (i, scenario) in scenarios.iter().enumerate() {
        let begin = std::time::Instant::now();
        // The first ones take what does not divide.
        let share = n_kills / n + usize::from(i < n_kills % n);
        let tally = killed::beat(scenario, share, 1);
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {:.0} |",
            scenario.command,
            tally.n_kills(),
            tally.n_by_time,
            tally.n_parent_only,
            tally.n_by_change,
            tally.n_finished,
            tally.findings.len(),
            begin.elapsed().as_secs_f64()
        );
        n_findings += tally.findings.len();
    }
    u8::from(n_findings > 0).into()
}

#[cfg(not(unix))]
fn main() {}
