//! Samples per second of the report's nets: `cargo bench --bench training -- [cnn-1|cnn-2|dnn] [batch] [n_threads] [n_epochs]`.
#![expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]
#![expect(clippy::inline_always, reason = "the peak's loop is compiled for each level")]

use std::time::Instant;

use encore::kernels::dropout::{Rate, key_of};
use encore::kernels::isa::{Isa, Level, Tile, Work, fma};
use encore::kernels::loss::Targets;
use encore::kernels::net::{Batch, BatchNorm, ConvBlock, DenseLayer, Layer, Net, Plan, Pool};
use encore::kernels::optimizer::Optimizer;
use encore::kernels::product::Activation;

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
    let start = Instant::now();
    let peak = 2e-9 * isa.run(Peak(4_000_000)) as f64 / start.elapsed().as_secs_f64();

    let layers = layers(name);
    let plan = Plan::new(&layers, [130, 13, 1], batch).expect("the report's nets fit");
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
    let steps = ((n_epochs + 1) * (n / batch)) as f64;
    let samples = steps * batch as f64;
    let n_blocks = layers.iter().filter(|layer| matches!(layer, Layer::Conv(_))).count();
    for (i, (part, spent)) in net.spent().iter().enumerate() {
        let of_part = match i {
            i if i < n_blocks => products[i],
            i if i < 2 * n_blocks => products[i - n_blocks] * if i == n_blocks { 1 } else { 2 },
            i if i == 2 * n_blocks => products[n_blocks..].iter().sum(),
            i if i == 2 * n_blocks + 1 => {
                2 * products[n_blocks..].iter().sum::<usize>()
                    - if n_blocks == 0 { products[0] } else { 0 }
            }
            _ => 0,
        };
        let seconds = spent.as_secs_f64();
        let rate = 2e-9 * of_part as f64 * samples / seconds;
        println!(
            "  {part:24} {:8.1} us/sample {rate:7.1} GFLOP/s {:4.0} %",
            1e6 * seconds / samples,
            100.0 * rate / peak / n_threads as f64
        );
    }
}
