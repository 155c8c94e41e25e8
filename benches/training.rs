//! Samples per second of the report's nets, and a roofline of their parts:
//! `cargo bench --bench training -- [cnn-1|cnn-2|dnn] [batch] [n_threads] [n_epochs]`.
#![expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]
#![expect(clippy::inline_always, reason = "the peak's loop is compiled for each level")]

use std::time::Instant;

use rayon::prelude::*;

use encore::kernels::dropout::{Rate, key_of};
use encore::kernels::isa::{Isa, Level, Tile, Work, fma};
use encore::kernels::loss::Targets;
use encore::kernels::net::{Batch, BatchNorm, ConvBlock, DenseLayer, Layer, Net, Plan, Pool};
use encore::kernels::optimizer::Optimizer;
use encore::kernels::product::Activation;

/// Frames, coefficients, channels.
const INPUT: [usize; 3] = [130, 13, 1];

fn conv(filters: usize, kernel: usize, pool: usize, norm: bool, dropout: f32) -> Layer {
    Layer::Conv(ConvBlock {
        filters,
        kernel: [kernel; 2],
        batch_norm: norm.then(BatchNorm::default),
        pool: Some(Pool { size: [pool; 2], stride: [2, 2] }),
        dropout: Rate::new(dropout).expect("a share"),
    })
}

fn dense(units: usize, activation: Activation, l2: f32, dropout: f32) -> Layer {
    let dropout = Rate::new(dropout).expect("a share");
    Layer::Dense(DenseLayer { units, activation, l2, dropout })
}

fn layers(name: &str) -> Vec<Layer> {
    use Activation::{Linear, Relu};
    match name {
        "cnn-1" => vec![
            conv(32, 3, 3, false, 0.0),
            conv(64, 3, 3, false, 0.0),
            conv(64, 2, 2, false, 0.0),
            dense(64, Relu, 0.0, 0.0),
            dense(10, Linear, 0.0, 0.0),
        ],
        "dnn" => vec![
            dense(512, Relu, 1e-3, 0.3),
            dense(256, Relu, 1e-3, 0.3),
            dense(64, Relu, 1e-3, 0.3),
            dense(10, Linear, 0.0, 0.0),
        ],
        _ => vec![
            conv(32, 3, 3, true, 0.2),
            conv(64, 3, 3, true, 0.1),
            conv(64, 2, 2, true, 0.1),
            dense(128, Relu, 0.0, 0.5),
            dense(10, Linear, 0.0, 0.0),
        ],
    }
}

/// A loop of nothing but fused multiply-adds; gives back how many.
struct Peak(u64);

impl Work for Peak {
    type Output = u64;

    #[inline(always)]
    fn run<L: Level>(self) -> u64 {
        match L::TILE {
            Tile::Wide => chains::<L, 10>(self.0),
            Tile::Narrow => chains::<L, 6>(self.0),
        }
    }
}

#[inline(always)]
fn chains<L: Level, const N: usize>(rounds: u64) -> u64 {
    let (factor, term) = (std::hint::black_box(0.999), std::hint::black_box(0.001));
    let mut sums = [[1.0_f32; 16]; N];
    for _ in 0..rounds {
        for sum in &mut sums {
            for value in sum.iter_mut() {
                *value = fma::<L>(*value, factor, term);
            }
        }
    }
    std::hint::black_box(&sums);
    rounds * 16 * N as u64
}

/// Bytes a second of `a = b + s c` on arrays of 64 MiB, in GB/s, on the current pool's threads.
///
/// # Source
/// McCalpin's STREAM, the triad; the best of five passes.
fn triad() -> f64 {
    const LEN: usize = 1 << 24;
    let mut a = vec![0.0_f32; LEN];
    let (b, c) = (vec![1.0_f32; LEN], vec![2.0_f32; LEN]);
    let piece = LEN / rayon::current_num_threads();
    let pass = |_| {
        let start = Instant::now();
        let pieces = a.par_chunks_mut(piece).zip(b.par_chunks(piece)).zip(c.par_chunks(piece));
        pieces.for_each(|((a, b), c)| {
            a.iter_mut().zip(b).zip(c).for_each(|((a, b), c)| *a = b + 0.5 * c);
        });
        std::hint::black_box(&a);
        12e-9 * LEN as f64 / start.elapsed().as_secs_f64()
    };
    (0..5).map(pass).fold(0.0, f64::max)
}

/// What a part of a step does at least, for one example.
#[derive(Clone, Copy, Default)]
struct Cost {
    /// Additions and multiplications of its products.
    flops: f64,
    /// Bytes of the tensors that it reads or writes, each once; weights are shared by the batch.
    bytes: f64,
}

/// The parts in the order of [`Net::spent`].
fn costs(layers: &[Layer], products: &[usize], batch: usize) -> Vec<Cost> {
    let (mut forward, mut backward) = (vec![], vec![]);
    let (mut dense_forward, mut dense_backward) = (Cost::default(), Cost::default());
    let ([mut height, mut width, mut channels], mut n_in, mut n_conv_values) =
        (INPUT, INPUT.iter().product(), 0);
    let shared = |n_values: usize| 4.0 * n_values as f64 / batch as f64;
    for (index, (layer, &n_products)) in layers.iter().zip(products).enumerate() {
        let (flops, is_first) = (2.0 * n_products as f64, index == 0);
        match layer {
            Layer::Conv(block) => {
                let [kh, kw] = block.kernel;
                let kernel = kh * kw * channels * block.filters;
                let activations = (height + 1 - kh) * (width + 1 - kw) * block.filters;
                let [sh, sw] = block.pool.map_or([1, 1], |pool| pool.stride);
                height = (height + 1 - kh).div_ceil(sh);
                width = (width + 1 - kw).div_ceil(sw);
                channels = block.filters;
                let pooled = height * width * channels;
                // The first block's activations never leave the cache: they are computed again.
                let kept = if is_first { 0 } else { activations };
                let d_x = if is_first { 0 } else { n_in };
                // Pooled values, their normalisation, and one byte of argmax.
                let bytes = (4 * (n_in + kept) + 9 * pooled) as f64 + shared(kernel);
                forward.push(Cost { flops, bytes });
                let bytes = (4 * (n_in + kept + d_x) + 5 * pooled) as f64 + 2.0 * shared(kernel);
                let passes = if is_first { 1.0 } else { 2.0 };
                backward.push(Cost { flops: passes * flops, bytes });
                n_conv_values += kernel + block.filters;
                n_in = pooled;
            }
            Layer::Dense(dense) => {
                let kernel = n_in * dense.units;
                let rows = 4.0 * (n_in + dense.units) as f64;
                dense_forward.flops += flops;
                dense_forward.bytes += rows + shared(kernel);
                let passes = if is_first { 1.0 } else { 2.0 };
                dense_backward.flops += passes * flops;
                // Read and written: values and both moments; written: gradients.
                let d_x = if is_first { 0.0 } else { 4.0 * n_in as f64 };
                dense_backward.bytes += rows + d_x + 7.0 * shared(kernel);
                n_in = dense.units;
            }
        }
    }
    let updates = Cost { flops: 0.0, bytes: 7.0 * shared(n_conv_values) };
    forward.into_iter().chain(backward).chain([dense_forward, dense_backward, updates]).collect()
}

/// This process's CPU time, in seconds; NaN where the system does not tell.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|ticks| ticks.parse::<f64>().ok());
    ticks(11).zip(ticks(12)).map_or(f64::NAN, |(user, system)| (user + system) / 100.0)
}

fn main() {
    // `cargo bench` adds an option of its own.
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number =
        |i: usize, or: usize| arguments.get(i).map_or(or, |a| a.parse().expect("a number"));
    let name = arguments.first().map_or("cnn-2", String::as_str);
    let (batch, n_threads, n_epochs) = (number(1, 64), number(2, 1), number(3, 4));
    let n = number(4, 1024);
    let level = arguments.get(5).map_or(usize::MAX, |a| a.parse().expect("a level"));

    let isa = Isa::available().get(level).copied().unwrap_or(Isa::best());
    // The best of a few: whatever else the machine does takes from one.
    let peak_of = |_| {
        let start = Instant::now();
        2e-9 * isa.run(Peak(2_000_000)) as f64 / start.elapsed().as_secs_f64()
    };
    let peak = (0..10).map(peak_of).fold(0.0, f64::max);

    let layers = layers(name);
    let plan = Plan::new(&layers, INPUT, batch).expect("the report's nets fit");
    let products = plan.n_products();
    let mut net = Net::new(plan, Optimizer::adam(1e-4), 1);
    net.set_isa(isa);
    let features: Vec<f32> =
        (0..n * 1690).map(|i| (key_of(7, i) >> 40) as f32 / 16_777_216.0 - 0.5).collect();
    let labels: Vec<usize> = (0..n).map(|i| key_of(8, i) as usize % 10).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads");
    let mut rates = Vec::new();
    let busy = cpu_seconds();
    let mut loss = 0.0;
    pool.install(|| {
        for epoch in 0..=n_epochs {
            let start = Instant::now();
            for step in 0..n / batch {
                let rows: Vec<usize> =
                    (0..batch).map(|i| ((step * batch + i) * 7 + epoch) % n).collect();
                let labels: Vec<usize> = rows.iter().map(|&row| labels[row]).collect();
                let batch = Batch { features: &features, rows: &rows, reversed: &[] };
                let targets = Targets::one_hot(&labels);
                loss = net.train_step(&batch, &targets, key_of(epoch as u64, step)).loss;
            }
            rates.push((n / batch * batch) as f64 / start.elapsed().as_secs_f64());
        }
    });
    let per_cpu = ((n_epochs + 1) * (n / batch * batch)) as f64 / (cpu_seconds() - busy);
    rates.remove(0);
    rates.sort_by(f64::total_cmp);
    let median = rates[rates.len() / 2];
    println!(
        "RESULT ours {name} b{batch} t{n_threads} {isa:?} median {median:.0} max {:.0} samples/s, {per_cpu:.0} a CPU-second, loss {loss:.4}, peak {peak:.0} GFLOP/s",
        rates[rates.len() - 1]
    );
    let bandwidth = pool.install(triad);
    let (samples, n_threads) = (((n_epochs + 1) * (n / batch * batch)) as f64, n_threads as f64);
    println!("  peak {:.0} GFLOP/s, triad {bandwidth:.1} GB/s; a sample:", peak * n_threads);
    println!(
        "  {:24} {:>8} {:>9} {:>9} {:>7} {:>8} {:>8} {:>7}",
        "part", "us", "MFLOP", "kB", "FLOP/B", "GB/s", "GFLOP/s", "of peak"
    );
    for ((part, spent), cost) in net.spent().iter().zip(costs(&layers, &products, batch)) {
        let seconds = spent.as_secs_f64() / samples;
        let (us, mflop, kb) = (1e6 * seconds, 1e-6 * cost.flops, 1e-3 * cost.bytes);
        let intensity = cost.flops / cost.bytes.max(1.0);
        let (gb_s, gflop_s) = (1e-9 * cost.bytes / seconds, 1e-9 * cost.flops / seconds);
        let share = 100.0 * gflop_s / peak / n_threads;
        println!(
            "  {part:24} {us:8.1} {mflop:9.3} {kb:9.1} {intensity:7.1} {gb_s:8.1} {gflop_s:8.1} {share:6.0}%"
        );
    }
}
