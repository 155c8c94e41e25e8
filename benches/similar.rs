//! The time of one query in a collection of songs: `cargo bench --bench similar -- [N_SONGS [WIDTH]]`, by
//! default 100,000 songs of 192 numbers, the statistics of `encore similar`.
#![expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]

use std::time::{Duration, Instant};

use encore::similar::{Vectors, Wish, playlist};
use encore::vocab::Seed;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const N_QUERIES: usize = 100;

fn main() -> Result<(), rayon::ThreadPoolBuildError> {
    let numbers: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let n = numbers.first().copied().unwrap_or(100_000);
    let width = numbers.get(1).copied().unwrap_or(192);
    let mut rng = Seed(1).rng("bench", &[]);
    let rows: Vec<f32> = (0..n * width).map(|_| rng.uniform() as f32).collect();
    println!("{n} songs of {width} numbers");
    for n_threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build()?;
        pool.install(|| {
            let begin = Instant::now();
            let vectors = Vectors::new(&rows, &[width]);
            let standardized = begin.elapsed();
            let mut times: Vec<Duration> = (0..N_QUERIES)
                .map(|i| {
                    let query = &rows[i * 97 % n * width..][..width];
                    let begin = Instant::now();
                    let nearest = vectors.nearest(&vectors.unit_of(query), 10, |j| j != i);
                    assert_eq!(nearest.len(), 10.min(n - 1));
                    begin.elapsed()
                })
                .collect();
            times.sort();
            let likes = [vectors.unit(0).to_vec(), vectors.unit(1).to_vec()];
            let wish = Wish { likes: &likes, n: 30, diversity: 0.3 };
            let begin = Instant::now();
            let songs = playlist(&vectors, wish, |_| None, |i| i > 1);
            let chosen = begin.elapsed();
            println!(
                "{n_threads} threads: {:.1} ms a query (median; slowest {:.1} ms), {:.0} ms a playlist of {}, \
                 {:.0} ms to standardize all",
                1e3 * times[N_QUERIES / 2].as_secs_f64(),
                1e3 * times[N_QUERIES - 1].as_secs_f64(),
                1e3 * chosen.as_secs_f64(),
                songs.len(),
                1e3 * standardized.as_secs_f64()
            );
        });
    }
    Ok(())
}
