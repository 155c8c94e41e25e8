//! Windows and test-time augmentation: what a net sees of an example outside of training.

use super::super::super::augment::Draws;
use super::super::super::{Crop, FreshExamples};
use super::*;

const WINDOW: [usize; 2] = [7, 6];

/// Returns a net that sees windows of seven frames of twelve, three of each example: from 0, 4 and 5.
fn windowed(training: Training) -> NetModel {
    let crop = Some(Crop { frames: 7, hop: 4 });
    NetModel { standardize: false, ..small(Training { crop, ..training }) }
}

/// Saves a fitted net and loads it as another.
fn loaded_as(fitted: &Fitted, model: &NetModel, shape: &[usize]) -> Box<dyn FittedModel> {
    let folder = tempfile::tempdir().unwrap();
    fitted.model.save(folder.path()).unwrap();
    model.load(folder.path(), shape, Outputs { task: Task::Classes, n: 3 }).unwrap()
}

/// Predicts inputs of one shape, `[n, product of shape]`.
fn predicted(model: &dyn FittedModel, inputs: &[f32], shape: &[usize]) -> Vec<f32> {
    let rows: Vec<usize> = (0..inputs.len() / shape.iter().product::<usize>()).collect();
    let targets = Targets::Classes(vec![]);
    let examples = Examples { shape, matrix: inputs, targets: &targets, rows: &rows, n_outputs: 3 };
    model.predict(&examples).unwrap()
}

/// Returns the normalized mean of the log-probabilities of some rows.
fn vote(rows: &[f32]) -> Vec<f64> {
    let n = (rows.len() / 3) as f64;
    let mean = |k: usize| rows.chunks(3).map(|row| f64::from(row[k]).ln()).sum::<f64>() / n;
    let weights: Vec<f64> = (0..3).map(|k| mean(k).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

fn assert_close(got: &[f32], wanted: &[f64]) {
    assert_eq!(got.len(), wanted.len());
    let off = got.iter().zip(wanted).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
    assert!(off < 1e-5, "off by {off}: {got:?} {wanted:?}");
}

#[test]
fn the_windows_of_an_example_vote_by_their_log_probabilities() {
    let noise = Noise::new();
    let job = noise.job(1);
    let mut watch = Stopper::default();
    let fitted = windowed(Training { epochs: 3, ..plain() }).fit(&job, &mut watch).unwrap();
    let whole = NetModel { standardize: false, ..small(plain()) };
    let of_windows = loaded_as(&fitted, &whole, &WINDOW);
    let got = fitted.model.predict(&job.valid).unwrap();
    let mut log_loss = 0.0;
    for index in 0..job.valid.len() {
        let example = job.valid.example(index);
        let windows: Vec<f32> =
            [0, 4, 5].iter().flat_map(|start| &example[start * 6..][..42]).copied().collect();
        let wanted = vote(&predicted(of_windows.as_ref(), &windows, &WINDOW));
        assert_close(&got[index * 3..][..3], &wanted);
        log_loss -= wanted[job.valid.label(index)].ln() / job.valid.len() as f64;
    }
    // The validation of an epoch votes as well; `small` has a penalty besides.
    let last = watch.epochs.last().unwrap().valid_loss;
    assert!(last > log_loss && last < log_loss + 0.1, "{last} {log_loss}");
    let again = loaded_as(&fitted, &windowed(plain()), &[12, 6]);
    assert_eq!(again.predict(&job.valid).unwrap(), got, "a loaded net votes as well");
    let logits = fitted.model.logits(&job.valid).unwrap().unwrap();
    assert_close(&got[..3], &{
        let exp: Vec<f64> = logits[..3].iter().map(|x| f64::from(*x).exp()).collect();
        let sum: f64 = exp.iter().sum();
        exp.iter().map(|x| x / sum).collect::<Vec<_>>()
    });
}

#[test]
fn augmented_copies_vote_beside_the_example_and_are_the_same_in_any_set() {
    let noise = Noise::new();
    let job = noise.job(1);
    let augment = augment::tests::list(r#"["roll", { noise = { sd = 1 } }, "cutmix"]"#);
    let training = Training { epochs: 2, test_time_draws: 2, augment, ..plain() };
    let fitted = small(training.clone()).fit(&job, &mut Silent).unwrap();
    let unchanged =
        loaded_as(&fitted, &small(Training { test_time_draws: 0, ..training.clone() }), &[12, 6]);
    let got = fitted.model.predict(&job.valid).unwrap();
    for index in 0..job.valid.len() {
        let example = job.valid.example(index);
        let mut views = example.to_vec();
        for draw in [1, 2] {
            let mut copy = example.to_vec();
            Draws::of_epoch(&training.augment, Seed(0), draw).change(0, &mut copy, &[12, 6]);
            assert_ne!(copy, example);
            views.extend(copy);
        }
        let rows = predicted(unchanged.as_ref(), &views, &[12, 6]);
        assert_close(&got[index * 3..][..3], &vote(&rows));
        let alone = Examples { rows: &job.valid.rows[index..=index], ..job.valid };
        assert_eq!(fitted.model.predict(&alone).unwrap(), got[index * 3..][..3]);
    }
    assert_ne!(unchanged.predict(&job.valid).unwrap(), got);
    assert_eq!(loaded_as(&fitted, &small(training), &[12, 6]).predict(&job.valid).unwrap(), got);
}

#[test]
fn a_training_on_windows_resumes_to_the_same_bits_after_any_step() {
    let (noise, model) = (Noise::new(), windowed(Training { test_time_draws: 2, ..everything() }));
    let mut through = Stopper::default();
    let wanted = model.fit(&noise.job(1), &mut through).unwrap();
    for stop_after in 1..=through.n_steps {
        let mut first = Stopper { stop_after: Some(stop_after), ..Stopper::default() };
        assert!(model.fit(&noise.job(1), &mut first).is_err());
        let mut second = Stopper { epochs: first.epochs, ..Stopper::default() };
        let job = FitInput { resume: first.snapshot.as_deref(), ..noise.job(1) };
        let got = model.fit(&job, &mut second).unwrap();
        assert_eq!(saved(&got), saved(&wanted), "stopped after step {stop_after}");
        assert_eq!(second.epochs, through.epochs, "stopped after step {stop_after}");
        let predict = |fitted: &Fitted| fitted.model.predict(&noise.job(1).valid).unwrap();
        assert_eq!(predict(&got), predict(&wanted));
    }
}

#[test]
fn every_augmentation_resumes_to_the_same_bits_by_itself() {
    let noise = Noise::new();
    let all = augment::tests::list(ALL);
    for item in &all {
        let augment = vec![item.clone()];
        let model = small(Training { epochs: 2, augment, ..plain() });
        let wanted = model.fit(&noise.job(1), &mut Silent).unwrap();
        let without =
            small(Training { epochs: 2, ..plain() }).fit(&noise.job(1), &mut Silent).unwrap();
        let name = item.entry().name;
        assert_ne!(saved(&wanted), saved(&without), "{name} has an effect");
        let mut first = Stopper { stop_after: Some(6), ..Stopper::default() };
        assert!(model.fit(&noise.job(1), &mut first).is_err());
        let job = FitInput { resume: first.snapshot.as_deref(), ..noise.job(1) };
        let got = model.fit(&job, &mut Silent).unwrap();
        assert_eq!(saved(&got), saved(&wanted), "{name}");
    }
}

/// Examples that are a little larger in every epoch; those of some index can't be computed.
struct Growing<'a> {
    train: Examples<'a>,
    by: f32,
    lost: Option<usize>,
}

impl FreshExamples for Growing<'_> {
    fn compute(&self, epoch: usize, index: usize, out: &mut [f32]) -> Result<(), ModelError> {
        if epoch == 2 && self.lost == Some(index) {
            return Err(ModelError::Examples("the recording is gone".to_owned()));
        }
        out.copy_from_slice(self.train.example(index));
        out.iter_mut().for_each(|x| *x += self.by * epoch as f32);
        Ok(())
    }
}

#[test]
fn examples_of_each_epoch_are_computed_ahead_and_give_the_same_bits_on_any_number_of_threads() {
    let noise = Noise::new();
    let model = windowed(everything());
    let trained = |by: f32, lost: Option<usize>, resume: Option<&[u8]>, watch: &mut Stopper| {
        let job = noise.job(1);
        let fresh = Growing { train: job.train, by, lost };
        model.fit(&FitInput { resume, fresh: Some(&fresh), ..job }, watch)
    };
    let without = model.fit(&noise.job(1), &mut Silent).unwrap();
    let same = trained(0.0, None, None, &mut Stopper::default()).unwrap();
    assert_eq!(saved(&same), saved(&without), "the same examples train the same net");
    let wanted = saved(&trained(0.1, None, None, &mut Stopper::default()).unwrap());
    assert_ne!(wanted, saved(&without));
    for n_threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        let got = pool.install(|| trained(0.1, None, None, &mut Stopper::default()).unwrap());
        assert_eq!(saved(&got), wanted, "with {n_threads} threads");
    }
    for stop_after in [1, 6, 11] {
        let mut first = Stopper { stop_after: Some(stop_after), ..Stopper::default() };
        assert!(trained(0.1, None, None, &mut first).is_err());
        let got = trained(0.1, None, first.snapshot.as_deref(), &mut Stopper::default()).unwrap();
        assert_eq!(saved(&got), wanted, "stopped after step {stop_after}");
    }
    let Err(error) = trained(0.1, Some(7), None, &mut Stopper::default()) else {
        panic!("an example is lost")
    };
    assert_eq!(error.to_string(), "the recording is gone");
}

#[test]
fn windows_that_do_not_fit_are_refused() {
    let noise = Noise::new();
    let said = |model: NetModel| {
        let Err(error) = model.fit(&noise.job(1), &mut Silent) else {
            panic!("it can't be fitted")
        };
        error.to_string()
    };
    let crop = Some(Crop { frames: 13, hop: 4 });
    let longer = NetModel { standardize: false, ..small(Training { crop, ..plain() }) };
    assert_eq!(said(longer), "a window has 13 frames, an example of shape [12, 6] fewer");
    let scaled = NetModel { standardize: true, ..windowed(plain()) };
    assert!(said(scaled).contains("standardize columns and see windows"));
}
