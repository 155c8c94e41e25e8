//! Samples per second of the report's nets, and the fraction of the peak performance that each of
//! their kernels reaches:
//! `cargo bench --bench training -- [cnn-1|cnn-2|dnn] [batch] [n_threads] [n_epochs] [n_samples]`.
#![expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]
#![expect(clippy::inline_always, reason = "the peak's loop is compiled for each level")]

use std::time::Instant;

use rayon::prelude::*;

use encore::kernels::convolution::Convolution;
use encore::kernels::dense::{Dense, PANEL};
use encore::kernels::geometry::{ConvGeometry, PoolGeometry};
use encore::kernels::isa::{Isa, Level, Tile, Work, fma};
use encore::kernels::pooling::{PooledGradient, Pooling, Slopes};
use encore::kernels::product::Activation;

mod nets;
#[path = "nets/stopwatch.rs"]
mod stopwatch;

use nets::{Data, SHAPE, fit, plan};
use stopwatch::Stopwatch;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Filters, kernel size and pool size of each block; then outputs of each dense layer.
fn shapes(net: &str) -> (&[[usize; 3]], &[usize]) {
    let blocks = &[[32, 3, 3], [64, 3, 3], [64, 2, 2]];
    match net {
        "cnn-1" => (blocks, &[64, 10]),
        "dnn" => (&[], &[512, 256, 64, 10]),
        _ => (blocks, &[128, 10]),
    }
}

/// Runs a loop of fused multiply-adds only; returns how many.
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

/// Measures the bandwidth of `a = b + s c` on arrays of 64 MiB, in GB/s, on the current pool's
/// threads.
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

/// The measurement of a kernel for one example.
struct Part {
    name: String,
    /// Number of additions and multiplications; 0 if it has none.
    flops: f64,
    seconds: f64,
}

/// Runs a kernel often enough to time it and returns the best of five times, each for as many
/// examples as `work` processes.
fn time(name: String, flops: usize, n_examples: usize, mut work: impl FnMut()) -> Part {
    work();
    let round = |_| {
        let (start, n) = (Instant::now(), 20);
        (0..n).for_each(|_| work());
        start.elapsed().as_secs_f64() / f64::from(n) / n_examples as f64
    };
    let seconds = (0..5).map(round).fold(f64::INFINITY, f64::min);
    Part { name, flops: flops as f64, seconds }
}

/// Measures every kernel of a net, with the net's shapes, on one thread.
fn parts(net: &str, batch: usize) -> Vec<Part> {
    let isa = Isa::best();
    let (blocks, dense) = shapes(net);
    let [mut height, mut width, mut c_in] = [SHAPE[0], SHAPE[1], 1];
    let mut parts = vec![];
    let values = |n: usize| -> Vec<f32> { (0..n).map(|i| ((i * i) % 97) as f32 - 48.0).collect() };
    for (index, &[c_out, side, pool]) in blocks.iter().enumerate() {
        let name = |pass: &str| format!("conv_{} {pass}", index + 1);
        let kernel_sides = [side; 2];
        let g = ConvGeometry::valid([height, width, c_in], c_out, kernel_sides);
        let (conv, flops) =
            (Convolution::new(g), 2 * g.out_height() * g.out_width() * g.kernel_len());
        let (x, kernel, bias) = (values(g.input_len()), values(g.kernel_len()), values(c_out));
        let mut output = vec![0.0; g.output_len()];
        parts.push(time(name("forward"), flops, 1, || {
            conv.forward(isa, &x, (&kernel, &bias), Activation::Relu, &mut output);
        }));
        let (d, mut d_kernel) = (values(g.output_len()), vec![0.0; kernel.len()]);
        parts.push(time(name("kernel gradient"), flops, 1, || {
            conv.kernel_gradient(isa, &x, &d, &mut d_kernel);
        }));
        if index > 0 {
            let (framed, mut d_x) = (values(conv.framed_len()), vec![0.0; x.len()]);
            parts.push(time(name("input gradient"), flops, 1, || {
                conv.input_gradient(isa, &framed, &kernel, false, &mut d_x);
            }));
        }
        (height, width, c_in) = (g.out_height(), g.out_width(), c_out);
        let p =
            PoolGeometry { n: 1, height, width, channels: c_out, size: [pool; 2], stride: [2, 2] };
        let pooling = Pooling::new(p);
        let (ones, n) = (vec![1.0; c_out], p.output_len());
        let (mut pooled, mut argmax) = (vec![0.0; n], vec![0; n]);
        parts.push(time(name("pool forward"), 0, 1, || {
            pooling.forward(isa, &output, &ones, &mut pooled, &mut argmax);
        }));
        let slopes = Slopes { a: ones.clone(), b: ones.clone(), c: ones };
        let (mut d_x, mut d_bias) = (vec![0.0; output.len()], vec![0.0; c_out]);
        parts.push(time(name("pool backward"), 0, 1, || {
            let gradient = PooledGradient { d_pooled: &pooled, argmax: &argmax };
            let relu = (Activation::Relu, &output[..]);
            pooling.backward_through(isa, gradient, &slopes, relu, &mut d_x, &mut d_bias);
        }));
        (height, width) = (p.out_height(), p.out_width());
    }
    let mut n_in = height * width * c_in;
    for (index, &n_out) in dense.iter().enumerate() {
        let name = |pass: &str| format!("dense_{} {pass}", index + 1);
        let (layer, flops) = (Dense::new(batch, n_in, n_out), 2 * n_in * n_out);
        let (x, weights, bias) = (values(batch * n_in), values(n_in * n_out), values(n_out));
        let mut output = vec![0.0; batch * n_out];
        parts.push(time(name("forward"), flops, batch, || {
            layer.forward(isa, &x, &weights, &bias, Activation::Relu, &mut output);
        }));
        let (d, mut d_weights) = (values(batch * n_out), vec![0.0; weights.len()]);
        parts.push(time(name("kernel gradient"), flops, batch, || {
            for (panel, d_weights) in d_weights.chunks_mut(PANEL * n_out).enumerate() {
                layer.weight_gradient(isa, panel, &x, &d, d_weights);
            }
        }));
        if index > 0 || !blocks.is_empty() {
            let mut d_x = vec![0.0; x.len()];
            parts.push(time(name("input gradient"), flops, batch, || {
                layer.input_gradient(isa, &d, &weights, &mut d_x);
            }));
        }
        n_in = n_out;
    }
    parts
}

fn main() {
    // `cargo bench` adds its own option.
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number =
        |i: usize, or: usize| arguments.get(i).map_or(or, |a| a.parse().expect("a number"));
    let net = arguments.first().map_or("cnn-2", String::as_str);
    let (batch, n_threads, n_epochs, n) =
        (number(1, 64), number(2, 1), number(3, 4), number(4, 1024));

    // The best of several rounds, because other work on the machine only slows them down.
    let isa = Isa::best();
    let peak_of = |_| {
        let start = Instant::now();
        2e-9 * isa.run(Peak(2_000_000)) as f64 / start.elapsed().as_secs_f64()
    };
    let peak = (0..10).map(peak_of).fold(0.0, f64::max);

    let mut stopwatch = Stopwatch::default();
    // The first epoch warms up.
    fit(&plan(net, Some(batch), n_epochs + 1), &Data::random(n), n_threads, &mut stopwatch);
    let Stopwatch { wall, cpu_s, loss } = stopwatch;
    let mut rates: Vec<f64> =
        wall.windows(2).map(|pair| n as f64 / (pair[1] - pair[0]).as_secs_f64()).collect();
    rates.sort_by(f64::total_cmp);
    let (median, largest) = (rates[rates.len() / 2], rates[rates.len() - 1]);
    let per_cpu = (n_epochs * n) as f64 / (cpu_s[n_epochs] - cpu_s[0]);
    println!(
        "RESULT ours {net} b{batch} t{n_threads} {isa:?} median {median:.0} max {largest:.0} samples/s, {per_cpu:.0} a CPU-second, loss {loss:.4}, peak {peak:.0} GFLOP/s"
    );
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("threads");
    let bandwidth = pool(n_threads).install(triad);
    println!(
        "  triad {bandwidth:.1} GB/s on {n_threads} threads; the kernels, one thread, one sample:"
    );
    println!("  {:24} {:>8} {:>9} {:>8} {:>7}", "kernel", "us", "MFLOP", "GFLOP/s", "of peak");
    for Part { name, flops, seconds } in pool(1).install(|| parts(net, batch)) {
        let (us, mflop, gflop_s) = (1e6 * seconds, 1e-6 * flops, 1e-9 * flops / seconds);
        let share = 100.0 * gflop_s / peak;
        println!("  {name:24} {us:8.1} {mflop:9.3} {gflop_s:8.1} {share:6.0}%");
    }
}
