//! CPU and wall time of `encore compare` for two experiments with many seeds:
//! `cargo bench --bench compare -- [N_SEEDS]...`, by default 30, 100 and 300.
//!
//! One run of `spotify-logistic` on the embedded songs is made in this process. The runs of every seed are
//! copies of its record, written by the real writer, with some predictions changed at random.
#![expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use encore::record::Store;

mod copies;
#[path = "nets/cpu_time.rs"]
mod cpu_time;

use cpu_time::cpu_seconds;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let counts: Vec<u64> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let counts = if counts.is_empty() { vec![30, 100, 300] } else { counts };
    let folder = tempfile::tempdir()?;
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let base = copies::first_run(project, &Store::new(folder.path().join("first/runs")))?;
    let record = &base.run.record;
    println!("{} test rows, {} classes", record.scored().n(), record.data.classes.len());
    let names = ["first".to_owned(), "second".to_owned()];
    for n_seeds in counts {
        let store = Store::new(folder.path().join(format!("of-{n_seeds}/runs")));
        for (name, share) in names.iter().zip([0.02, 0.03]) {
            (1..=n_seeds).try_for_each(|seed| base.copy(&store, name, seed, share))?;
        }
        let (runs, _) = store.finished()?;
        let (wall, cpu) = (Instant::now(), cpu_seconds());
        let text = encore::report::compare(&runs, &names)?;
        let (wall, cpu) = (wall.elapsed().as_secs_f64(), cpu_seconds() - cpu);
        assert!(text.contains(&format!("{n_seeds} seed pairs")), "{text}");
        println!("{n_seeds} seeds each: {wall:.2} s, {cpu:.2} CPU-s");
    }
    Ok(())
}
