//! Training of the report's nets as in `encore run`, for a comparison with other frameworks.
//!
//! `cargo bench --bench versus -- train NET FOLDER BATCH_SIZE N_THREADS N_EPOCHS` trains on
//! FOLDER's `X.npy` and `y.npy` and prints the line that `benches/versus/run.py` reads.
//! `cargo bench --bench versus -- side-by-side` measures whether several runs are faster two at a time, on
//! one thread each, or one after the other on two threads.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{env, fs};

mod nets;
#[path = "nets/stopwatch.rs"]
mod stopwatch;

use encore::experiment::Plan;
use nets::{Data, fit, plan};
use stopwatch::Stopwatch;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "train NET FOLDER BATCH_SIZE N_THREADS N_EPOCHS, or side-by-side [N_ROUNDS]";

fn main() {
    // `cargo bench` adds its own option.
    let arguments: Vec<String> =
        env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("{text} is no number"));
    match arguments[..] {
        ["train", net, folder, batch_size, n_threads, n_epochs] => {
            let idle_mib = memory_mib("VmRSS");
            let (batch_size, n_epochs) = (number(batch_size), number(n_epochs));
            let plan = plan(net, Some(batch_size), n_epochs + 1);
            let data = read(Path::new(folder), &plan.spec.shape);
            train(&plan, &data, number(n_threads), n_epochs, idle_mib);
        }
        ["side-by-side"] => side_by_side(5),
        ["side-by-side", n_rounds] => side_by_side(number(n_rounds)),
        _ => println!("wants: {USAGE}"),
    }
}

/// Trains once and prints the line that the driver reads.
fn train(plan: &Plan, data: &Data, n_threads: usize, n_epochs: usize, idle_mib: f64) {
    let mut stopwatch = Stopwatch::default();
    fit(plan, data, n_threads, &mut stopwatch);
    let Stopwatch { wall, cpu_s, loss } = stopwatch;
    let epochs_s: Vec<f64> =
        wall.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    let result = serde_json::json!({
        "version": format!("encore {}", env!("CARGO_PKG_VERSION")),
        "epochs_s": epochs_s,
        "cpu_s": cpu_s[n_epochs] - cpu_s[0],
        "n_samples": data.labels.len(),
        "loss": loss,
        "idle_mib": idle_mib,
        "peak_mib": memory_mib("VmHWM"),
    });
    println!("RESULT {result}");
}

/// Returns the total samples per second of two runs in both ways, alternating; medians of rounds.
fn side_by_side(n_rounds: usize) {
    const N_SAMPLES: usize = 2048;
    const N_EPOCHS: usize = 4;
    let data = Data::random(N_SAMPLES);
    let n_trained = (2 * N_SAMPLES * N_EPOCHS) as f64;
    println!("| net | two runs at a time, one thread each | one after the other, two threads | |");
    println!("|---|---:|---:|---:|");
    for net in ["dnn", "cnn-2"] {
        let run = |n_threads: usize| {
            fit(&plan(net, None, N_EPOCHS), &data, n_threads, &mut Stopwatch::default());
        };
        let beside = || {
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| run(1));
                }
            });
        };
        let after = || {
            run(2);
            run(2);
        };
        let rate = |work: &dyn Fn()| {
            let start = Instant::now();
            work();
            n_trained / start.elapsed().as_secs_f64()
        };
        // The first round warms up.
        let rounds: Vec<[f64; 2]> =
            (0..=n_rounds).map(|_| [rate(&beside), rate(&after)]).skip(1).collect();
        let [beside, after] = [0, 1].map(|way| median(rounds.iter().map(|round| round[way])));
        println!("| {net} | {beside:.0} | {after:.0} | {:.2} |", beside / after);
    }
}

/// Reads `X.npy` and `y.npy` of a folder.
fn read(folder: &Path, shape: &[usize]) -> Data {
    let matrix = read_npy(&folder.join("X.npy"), "<f4", f32::from_le_bytes);
    let labels = read_npy(&folder.join("y.npy"), "<i8", i64::from_le_bytes);
    let labels: Vec<usize> = labels.into_iter().map(|label| label as usize).collect();
    let n_numbers = labels.len() * shape.iter().product::<usize>();
    assert_eq!(matrix.len(), n_numbers, "X.npy is of another shape");
    Data { shape: shape.to_vec(), matrix, labels }
}

/// Returns the numbers of a `.npy` file of version 1 with this type and C order.
fn read_npy<T, const N: usize>(path: &PathBuf, descr: &str, number: fn([u8; N]) -> T) -> Vec<T> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(bytes.starts_with(b"\x93NUMPY\x01"), "{} is no .npy, version 1", path.display());
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8_lossy(&bytes[10..start]).into_owned();
    let is_as_wanted = header.contains(&format!("'{descr}'")) && header.contains("order': False");
    assert!(is_as_wanted, "{} must hold {descr} in C order, is {header}", path.display());
    bytes[start..].as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect()
}

/// Returns a memory size of this process on Linux: `VmHWM` is its peak, `VmRSS` the current value.
fn memory_mib(field: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1024.0)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    }
}
