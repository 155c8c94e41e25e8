//! The nets of the original report, trained as `encore run` trains them, for several benchmarks.

use std::path::Path;

use encore::dataset::Catalogue;
use encore::experiment::{DataChoice, Library, Options, Plan};
use encore::model::{Device, Examples, FitInput, TrainingObserver};
use encore::vocab::{Rng, Seed, Targets};

/// Frames and coefficients of an example.
pub(crate) const SHAPE: [usize; 2] = [130, 13];
const N_CLASSES: usize = 10;

/// Training data.
pub(crate) struct Data {
    /// Frames and coefficients of an example.
    pub(crate) shape: Vec<usize>,
    /// `[n, frames, coefficients]`, row-major.
    pub(crate) matrix: Vec<f32>,
    /// `[n]`, in `0..10`.
    pub(crate) labels: Vec<usize>,
}

impl Data {
    /// Creates uniform noise in the shape of the report's MFCCs.
    pub(crate) fn random(n_samples: usize) -> Self {
        let mut rng = Rng::new(1);
        let n_numbers = n_samples * SHAPE[0] * SHAPE[1];
        let matrix = (0..n_numbers).map(|_| rng.uniform() as f32 * 100.0 - 50.0).collect();
        let labels = (0..n_samples).map(|_| (rng.uniform() * N_CLASSES as f64) as usize).collect();
        Self { shape: SHAPE.to_vec(), matrix, labels }
    }
}

/// Trains a plan in a pool with a number of threads.
pub(crate) fn fit(
    plan: &Plan,
    data: &Data,
    n_threads: usize,
    observer: &mut (dyn TrainingObserver + Send),
) {
    let rows: Vec<usize> = (0..data.labels.len()).collect();
    let targets = Targets::Classes(data.labels.clone());
    let view = |rows| Examples {
        shape: &data.shape,
        matrix: &data.matrix,
        targets: &targets,
        rows,
        n_outputs: N_CLASSES,
    };
    let (train, valid) = (view(&rows), view(&[]));
    let job = FitInput {
        train,
        valid,
        seed: Seed(1),
        device: Device::Cpu,
        resume: None,
        fresh: None,
        until: None,
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads");
    let fitted =
        pool.install(|| plan.spec.model.fit(&job, observer)).expect("the report's nets train");
    std::hint::black_box(fitted.n_parameters);
}

/// Reads a spec of `experiments/`, with a different number of epochs and optionally a different
/// batch size.
pub(crate) fn plan(net: &str, batch_size: Option<usize>, n_epochs: usize) -> Plan {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = Library::open(&project.join("experiments")).expect("the project has specs");
    let catalogue = Catalogue::open(&project.join("datasets")).expect("the manifests are right");
    let mut set = vec![format!("training.epochs={n_epochs}")];
    set.extend(batch_size.map(|size| format!("training.batch_size={size}")));
    if net.starts_with("beyond/") {
        // The other contestants have none of these either.
        let others = ["training.augment=[]", "training.mixup=0"];
        // So few epochs have no time for a long start.
        let short = ["training.schedule.cosine.warmup_epochs=1"];
        set.extend(others.into_iter().chain(short).map(str::to_owned));
    }
    let data = DataChoice::Named("gtzan".to_owned());
    let options = Options { set, data, ..Options::default() };
    Plan::read(net, &library, &catalogue, &options).unwrap_or_else(|error| panic!("{error}"))
}
