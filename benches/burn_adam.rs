//! What it would cost to keep the nets' weights in burn modules and let burn's Adam move them, with
//! our kernels as nodes of its autodiff: `cargo bench --bench burn_adam`.
//!
//! Only what such a net can't do without is timed, and no arithmetic of the net: gradients of the
//! kernels become tensors, `Adam::step` moves the module, and the weights come back as slices. It
//! stands beside a whole training step of ours, in turn with it, on one thread and batches of 64.
#![expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]

use std::time::Instant;

use burn::module::{Module, Param};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor, TensorData};

use encore::kernels::dropout::Rate;
use encore::kernels::loss::Targets;
use encore::kernels::net::{Batch, BatchNorm, ConvBlock, DenseLayer, Layer, Net, Plan, Pool};
use encore::kernels::optimizer::Optimizer;
use encore::kernels::product::Activation;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: usize = 64;
const N_STEPS: usize = 40;
const N_ROUNDS: usize = 5;

/// A net's weights as burn keeps them.
#[derive(Module, Debug)]
struct Weights {
    arrays: Vec<Param<Tensor<1>>>,
}

fn main() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    pool.install(|| {
        println!("| net | parameters | our whole step, ms | burn's part alone, ms | |");
        println!("|---|---:|---:|---:|---:|");
        for (name, layers) in [("dnn", dnn()), ("cnn-2", cnn_2())] {
            compare(name, &layers);
        }
    });
}

fn compare(name: &str, layers: &[Layer]) {
    let plan = Plan::new(layers, [130, 13, 1], BATCH).expect("the report's nets fit");
    let moved = plan.tensors().iter().filter(|tensor| tensor.trainable);
    let moved: Vec<String> = moved.map(|tensor| tensor.name.clone()).collect();
    let mut net = Net::new(plan, Optimizer::adam(1e-4), 1);
    let features: Vec<f32> = (0..BATCH * 130 * 13).map(|i| ((i * i) % 97) as f32 - 48.0).collect();
    let rows: Vec<usize> = (0..BATCH).collect();
    let labels: Vec<usize> = rows.iter().map(|row| row % 10).collect();
    let batch = Batch { features: &features, rows: &rows, reversed: &[] };
    let targets = Targets { labels: &labels, rows: &[] };

    let device = Device::flex();
    let recorded = Device::flex().autodiff();
    let tensor = |values: &[f32], device: &Device| {
        let shape = [values.len()];
        Tensor::<1>::from_data(TensorData::new(values.to_vec(), shape), device)
    };
    let arrays = moved.iter().map(|name| {
        let values = net.parameter(name).expect("the net has its own tensors");
        Param::from_tensor(tensor(values, &recorded))
    });
    let mut module = Weights { arrays: arrays.collect() };
    let n_parameters = module.num_params();
    let mut adam = AdamConfig::new().init();

    let (mut ours, mut burns) = (vec![], vec![]);
    // The first round warms up.
    for round in 0..=N_ROUNDS {
        let start = Instant::now();
        for step in 0..N_STEPS {
            std::hint::black_box(net.train_step(&batch, &targets, step as u64));
        }
        let middle = Instant::now();
        for _ in 0..N_STEPS {
            let mut gradients = GradientsParams::new();
            for (name, parameter) in moved.iter().zip(&module.arrays) {
                let gradient = net.gradient(name).expect("the net has its own tensors");
                gradients.register(parameter.id, tensor(gradient, &device));
            }
            module = adam.step(1e-4, module, gradients);
            for parameter in &module.arrays {
                std::hint::black_box(parameter.val().into_data());
            }
        }
        if round > 0 {
            let per_step = |seconds: f64| 1e3 * seconds / N_STEPS as f64;
            ours.push(per_step((middle - start).as_secs_f64()));
            burns.push(per_step(middle.elapsed().as_secs_f64()));
        }
    }
    let [ours, burns] = [ours, burns].map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[N_ROUNDS / 2]
    });
    println!("| {name} | {n_parameters} | {ours:.2} | {burns:.2} | {:.2} |", burns / ours);
}

fn dnn() -> Vec<Layer> {
    let hidden = [512, 256, 64].map(|units| dense(units, Activation::Relu, 0.3));
    hidden.into_iter().chain([dense(10, Activation::Linear, 0.0)]).collect()
}

fn cnn_2() -> Vec<Layer> {
    let blocks = [(32, 3, 0.2), (64, 3, 0.1), (64, 2, 0.1)].map(|(filters, size, dropout)| {
        let pool = Some(Pool { size: [size; 2], stride: [2, 2] });
        let (kernel, batch_norm) = ([size; 2], Some(BatchNorm::default()));
        Layer::Conv(ConvBlock { filters, kernel, batch_norm, pool, dropout: rate(dropout) })
    });
    let head = [dense(128, Activation::Relu, 0.5), dense(10, Activation::Linear, 0.0)];
    blocks.into_iter().chain(head).collect()
}

fn dense(units: usize, activation: Activation, dropout: f32) -> Layer {
    Layer::Dense(DenseLayer { units, activation, l2: 0.0, dropout: rate(dropout) })
}

fn rate(share: f32) -> Rate {
    Rate::new(share).expect("a share")
}
