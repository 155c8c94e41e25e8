//! Runs an experiment of this project in this process, and reads its record.
//!
//!     cargo run --release --example run -- spotify-logistic

#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::error::Error;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use encore::dataset::Catalogue;
use encore::experiment::{
    DataChoice, Event, Library, Observer, Options, Plan, SideBySide, Workspace, run_all,
};
use encore::record::{Predictions, Store};

/// Prints every finished epoch.
struct Printer;

impl Observer for Printer {
    fn event(&self, event: &Event) {
        if let Event::Epoch { epoch, max_epochs, .. } = event {
            println!("epoch {} of {max_epochs}: loss {:.3}", epoch.epoch, epoch.train_loss);
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let name = std::env::args().nth(1).unwrap_or("spotify-logistic".to_owned());
    let library = Library::open(&project.join("experiments"))?;
    let catalogue = Catalogue::open(&project.join("datasets"))?;
    // The embedded data and one seed, whatever the spec says.
    let options =
        Options { data: DataChoice::Embedded, seeds: Some(vec![1]), ..Options::default() };
    let plan = Plan::read(&name, &library, &catalogue, &options)?;
    let store = Store::new(std::env::temp_dir().join("encore-example-run/runs"));
    let stop = AtomicBool::new(false);
    let workspace = Workspace {
        catalogue: &catalogue,
        store: &store,
        project,
        stop: &stop,
        observer: &Printer,
    };
    let here = SideBySide {
        program: None,
        n_jobs: Some(1),
        checkpoint_every: Duration::from_secs(10),
        forbid_leaks: false,
    };
    for outcome in run_all(&[plan], workspace, here) {
        let run = outcome.result?;
        println!("{}: test accuracy {:.3}", run.id, run.record.scored().main());
        let Predictions::Classes(predictions) = run.predictions()? else { continue };
        let n_right = predictions.iter().filter(|row| row.actual == row.predicted).count();
        println!("{n_right} of {} test examples right", predictions.len());
        println!("the record: {}", run.folder.join("record.json").display());
    }
    Ok(())
}
