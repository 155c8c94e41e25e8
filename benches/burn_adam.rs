//! The cost of keeping the nets' weights in burn modules and updating them with burn's Adam, with
//! our kernels as nodes of its autodiff: `cargo bench --bench burn_adam`.
//!
//! Only the unavoidable part of such a net is timed, without the net's arithmetic: gradients of the
//! kernels become tensors, `Adam::step` updates the module, and the weights are copied back to
//! slices. It alternates with a whole training step of ours, on one thread and with batches of 64.
#![expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]

use std::time::Instant;

use burn::module::{Module, Param};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor, TensorData};

use encore::model::{Flow, TrainingObserver};
use encore::vocab::Epoch;

mod nets;

use nets::{Data, SHAPE, fit, plan};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: usize = 64;
const N_STEPS: usize = 40;
const N_ROUNDS: usize = 5;

/// A net's weights as burn stores them.
#[derive(Module, Debug)]
struct Weights {
    arrays: Vec<Param<Tensor<1>>>,
}

/// The time at which each epoch ended.
#[derive(Default)]
struct Ends(Vec<Instant>);

impl TrainingObserver for Ends {
    fn epoch(&mut self, _: &Epoch) -> Flow {
        self.0.push(Instant::now());
        Flow::Continue
    }
}

fn main() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    pool.install(|| {
        println!("| net | parameters | our whole step, ms | burn's part alone, ms | |");
        println!("|---|---:|---:|---:|---:|");
        compare("dnn", &dense(SHAPE[0] * SHAPE[1], &[512, 256, 64, 10]));
        let blocks = [[3 * 3, 32], [3 * 3 * 32, 64], [2 * 2 * 64, 64]];
        // Kernel and bias, gamma and beta.
        let blocks = blocks.map(|[taps, filters]| [taps * filters, filters, filters, filters]);
        compare("cnn-2", &[blocks.as_flattened(), &dense(960, &[128, 10])].concat());
    });
}

/// Returns the sizes of the kernels and biases of dense layers.
fn dense(mut n_in: usize, units: &[usize]) -> Vec<usize> {
    let sizes = units.iter().map(|&n_out| [std::mem::replace(&mut n_in, n_out) * n_out, n_out]);
    sizes.collect::<Vec<_>>().concat()
}

/// Measures burn's part; `sizes` are those of all arrays that Adam updates.
fn compare(name: &str, sizes: &[usize]) {
    let (device, recorded) = (Device::flex(), Device::flex().autodiff());
    let tensor = |values: &[f32], device: &Device| {
        let shape = [values.len()];
        Tensor::<1>::from_data(TensorData::new(values.to_vec(), shape), device)
    };
    // The values are arbitrary, because the time does not depend on them.
    let gradients: Vec<Vec<f32>> = sizes.iter().map(|&size| vec![1e-3; size]).collect();
    let arrays = gradients.iter().map(|values| Param::from_tensor(tensor(values, &recorded)));
    let mut module = Weights { arrays: arrays.collect() };
    let n_parameters = module.num_params();
    let mut adam = AdamConfig::new().init();

    let data = Data::random(N_STEPS * BATCH);
    let (mut ours, mut burns) = (vec![], vec![]);
    for _ in 0..N_ROUNDS {
        let per_step = |seconds: f64| 1e3 * seconds / N_STEPS as f64;
        let mut ends = Ends::default();
        // The first epoch warms up.
        fit(&plan(name, Some(BATCH), 2), &data, 1, &mut ends);
        ours.push(per_step((ends.0[1] - ends.0[0]).as_secs_f64()));
        let start = Instant::now();
        for _ in 0..N_STEPS {
            let mut registered = GradientsParams::new();
            for (values, parameter) in gradients.iter().zip(&module.arrays) {
                registered.register(parameter.id, tensor(values, &device));
            }
            module = adam.step(1e-4, module, registered);
            for parameter in &module.arrays {
                std::hint::black_box(parameter.val().into_data());
            }
        }
        burns.push(per_step(start.elapsed().as_secs_f64()));
    }
    let [ours, burns] = [ours, burns].map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[N_ROUNDS / 2]
    });
    println!("| {name} | {n_parameters} | {ours:.2} | {burns:.2} | {:.2} |", burns / ours);
}
