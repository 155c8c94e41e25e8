//! CPU and wall time of `encore compare` for two experiments with many seeds:
//! `cargo bench --bench compare -- [N_SEEDS]...`, by default 30, 100 and 300.
//!
//! One run of `spotify-logistic` on the embedded songs is made in this process. The runs of every seed are
//! copies of its record, written by the real writer, with some predictions changed at random.
#![expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]

use std::error::Error;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use encore::dataset::Catalogue;
use encore::experiment::{
    DataChoice, Event, Library, Observer, Options, Plan, SideBySide, Workspace, run_all,
};
use encore::metrics;
use encore::record::{ClaimOutcome, Run, RunWriter, Store};
use encore::vocab::Seed;

#[path = "nets/cpu_time.rs"]
mod cpu_time;

use cpu_time::cpu_seconds;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event) {}
}

fn main() -> Result<(), Box<dyn Error>> {
    let counts: Vec<u64> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let counts = if counts.is_empty() { vec![30, 100, 300] } else { counts };
    let folder = tempfile::tempdir()?;
    let base = first_run(folder.path())?;
    println!("{} test rows, {} classes", base.record.test.n, base.record.data.classes.len());
    let names = ["first".to_owned(), "second".to_owned()];
    for n_seeds in counts {
        let store = Store::new(folder.path().join(format!("of-{n_seeds}/runs")));
        for (name, share) in names.iter().zip([0.02, 0.03]) {
            (1..=n_seeds).try_for_each(|seed| copy(&base, &store, name, seed, share))?;
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

/// One finished run of the embedded songs.
fn first_run(folder: &Path) -> Result<Run, Box<dyn Error>> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = Library::open(&project.join("experiments"))?;
    let catalogue = Catalogue::open(&project.join("datasets"))?;
    let options =
        Options { data: DataChoice::Embedded, seeds: Some(vec![1]), ..Options::default() };
    let plan = Plan::read("spotify-logistic", &library, &catalogue, &options)?;
    let (store, stop) = (Store::new(folder.join("first/runs")), AtomicBool::new(false));
    let workspace =
        Workspace { catalogue: &catalogue, store: &store, project, stop: &stop, observer: &Silent };
    let here = SideBySide {
        program: None,
        n_jobs: Some(1),
        checkpoint_every: Duration::from_mins(1),
        forbid_leaks: false,
    };
    let mut outcomes = run_all(&[plan], workspace, here);
    Ok(outcomes.pop().ok_or("one plan gives one outcome")?.result?)
}

/// The run as another seed of another experiment, with a share of its predictions replaced at random.
fn copy(
    base: &Run,
    store: &Store,
    name: &str,
    seed: u64,
    share: f64,
) -> Result<(), Box<dyn Error>> {
    let ClaimOutcome::Ours(claim) = store.claim(&format!("{name}.{seed}"))? else {
        return Err("nobody else writes into this store".into());
    };
    let (mut writer, _, _) = RunWriter::begin(claim)?;
    let mut record = base.record.clone();
    let mut predictions = base.predictions()?;
    let n_classes = record.data.classes.len();
    let mut rng = Seed(seed).rng(name, &[]);
    for row in &mut predictions {
        if rng.uniform() < share {
            let other = rng.below(n_classes);
            row.probabilities.swap(row.predicted, other);
            row.predicted = other;
        }
    }
    let actual: Vec<usize> = predictions.iter().map(|row| row.actual).collect();
    let predicted: Vec<usize> = predictions.iter().map(|row| row.predicted).collect();
    let confusion = metrics::confusion(&actual, &predicted, n_classes);
    record.test.accuracy = metrics::accuracy(&confusion);
    record.test.confusion = confusion;
    (record.experiment, record.seed) = (name.to_owned(), seed);
    writer.spec("")?;
    writer.members(&[])?;
    writer.predictions(&predictions, &record.data.classes)?;
    writer.finish(record, &[])?;
    Ok(())
}
