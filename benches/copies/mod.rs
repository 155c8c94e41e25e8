//! Many runs for benchmarks: copies of one finished run, written by the real writer.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use encore::dataset::Catalogue;
use encore::experiment::{
    DataChoice, Event, Library, Observer, Options, Plan, SideBySide, Workspace, run_all,
};
use encore::metrics;
use encore::record::{ClaimOutcome, Epoch, Member, Prediction, Predictions, Run, RunWriter, Store};
use encore::vocab::{Scores, Seed, SplitName};

struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event) {}
}

/// A finished run whose files are in memory.
pub(crate) struct Base {
    pub(crate) run: Run,
    pub(crate) predictions: Vec<Prediction>,
    /// Epochs that the copies are given.
    pub(crate) n_epochs: usize,
    spec: String,
}

/// One run of `spotify-logistic` of a project on the embedded songs, in this process.
pub(crate) fn first_run(project: &Path, store: &Store) -> Result<Base, Box<dyn Error>> {
    let library = Library::open(&project.join("experiments"))?;
    let catalogue = Catalogue::open(&project.join("datasets"))?;
    let options =
        Options { data: DataChoice::Embedded, seeds: Some(vec![1]), ..Options::default() };
    let plan = Plan::read("spotify-logistic", &library, &catalogue, &options)?;
    let stop = AtomicBool::new(false);
    let workspace =
        Workspace { catalogue: &catalogue, store, project, stop: &stop, observer: &Silent };
    let here = SideBySide {
        program: None,
        n_jobs: Some(1),
        checkpoint_every: Duration::from_mins(1),
        forbid_leaks: false,
    };
    let mut outcomes = run_all(&[plan], workspace, here);
    let run = outcomes.pop().ok_or("one plan gives one outcome")?.result?;
    let Predictions::Classes(predictions) = run.predictions()? else {
        return Err("the songs have classes".into());
    };
    Ok(Base { predictions, n_epochs: 0, spec: run.spec()?, run })
}

impl Base {
    /// Writes the run as another seed of another experiment, with a share of its predictions replaced
    /// at random. Its split is that of the seed: the test examples and three times as many others.
    pub(crate) fn copy(
        &self,
        store: &Store,
        name: &str,
        seed: u64,
        share: f64,
    ) -> Result<(), Box<dyn Error>> {
        let id = format!("{}.{seed}", name.replace('/', "."));
        let ClaimOutcome::Ours(claim) = store.claim(&id)? else {
            return Err("nobody else writes into this store".into());
        };
        let (mut writer, _, _) = RunWriter::begin(claim)?;
        let mut record = self.run.record.clone();
        let mut predictions = self.predictions.clone();
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
        if let Some(Scores::Classes(test)) = &mut record.test {
            test.accuracy = metrics::accuracy(&confusion);
            test.confusion = confusion;
        }
        (record.experiment, record.seed) = (name.to_owned(), seed);
        let test = predictions
            .iter()
            .map(|row| Member { example: row.example.clone(), set: SplitName::Test });
        let mut members: Vec<Member> = test.collect();
        for row in 0..3 * members.len() {
            let mut example = members[row % members.len()].example.clone();
            example.track = format!("{}-{seed}-{row}", example.track);
            members.push(Member { example, set: SplitName::Train });
        }
        let mut epoch = |epoch: usize| {
            let loss = 1.0 / epoch as f64 + 0.01 * rng.uniform();
            Epoch {
                epoch,
                train_loss: loss,
                train_accuracy: 1.0 - 0.5 * loss,
                valid_loss: 1.1 * loss,
                valid_accuracy: 1.0 - 0.6 * loss,
                learning_rate: 1e-4,
                seconds: rng.uniform(),
            }
        };
        let epochs: Vec<Epoch> = (1..=self.n_epochs).map(&mut epoch).collect();
        record.model.n_epochs = (self.n_epochs > 0).then_some(self.n_epochs);
        writer.spec(&self.spec)?;
        writer.members(&members)?;
        writer.predictions(&Predictions::Classes(predictions), &record.data.classes)?;
        writer.finish(record, &epochs)?;
        Ok(())
    }
}
