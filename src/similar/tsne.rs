//! t-SNE: vectors on a plane, so that neighbors stay neighbors. Exact, and the same bits for a seed.
//!
//! # Source
//! van der Maaten and Hinton, "Visualizing data using t-SNE", JMLR 9, 2008: perplexity, early exaggeration,
//! momentum and gains; the learning rate is that of scikit-learn's `"auto"`.

use rayon::prelude::*;

use super::Vectors;
use crate::vocab::{Seed, dot};

const N_ITERATIONS: usize = 1000;
/// Iterations in which attraction counts more, so that clusters form.
const N_EARLY: usize = 250;
const EARLY: f64 = 12.0;

/// How a map is made.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// How many neighbors a point has, roughly; at most a third of the others are.
    pub perplexity: f64,
    /// The seed of the first places.
    pub seed: Seed,
}

/// Places every vector on a plane, `[n]`. `step` is told the finished iterations and all, and says whether
/// to go on; nothing if it does not.
#[must_use]
pub fn tsne(
    vectors: &Vectors,
    layout: Layout,
    step: impl Fn(usize, usize) -> bool,
) -> Option<Vec<[f64; 2]>> {
    let n = vectors.len();
    if n < 2 {
        return Some(vec![[0.0; 2]; n]);
    }
    let affinities = affinities(vectors, layout.perplexity);
    let mut rng = layout.seed.rng("t-sne", &[]);
    let mut places: Vec<[f64; 2]> =
        (0..n).map(|_| [1e-4 * rng.normal(), 1e-4 * rng.normal()]).collect();
    let (mut moves, mut gains) = (vec![[0.0; 2]; n], vec![[1.0_f64; 2]; n]);
    let rate = (n as f64 / EARLY / 4.0).max(50.0);
    for iteration in 0..N_ITERATIONS {
        let is_early = iteration < N_EARLY;
        let exaggeration = if is_early { EARLY } else { 1.0 };
        let momentum = if is_early { 0.5 } else { 0.8 };
        let slopes = gradient(&places, &affinities, exaggeration);
        for i in 0..n {
            for axis in 0..2 {
                let (slope, last) = (slopes[i][axis], moves[i][axis]);
                let gain = &mut gains[i][axis];
                *gain = if (slope > 0.0) == (last > 0.0) {
                    (*gain * 0.8).max(0.01)
                } else {
                    *gain + 0.2
                };
                moves[i][axis] = momentum * last - rate * *gain * slope;
                places[i][axis] += moves[i][axis];
            }
        }
        if !step(iteration + 1, N_ITERATIONS) {
            return None;
        }
    }
    Some(places)
}

/// The gradient of the divergence. Every sum has a fixed order, whatever the number of threads.
fn gradient(places: &[[f64; 2]], affinities: &[f32], exaggeration: f64) -> Vec<[f64; 2]> {
    let n = places.len();
    let closeness =
        |a: [f64; 2], b: [f64; 2]| 1.0 / (1.0 + (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2));
    let sums: Vec<f64> = places
        .par_iter()
        .map(|&a| places.iter().map(|&b| closeness(a, b)).sum::<f64>() - 1.0)
        .collect();
    let total = sums.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let rows = places.par_iter().zip(affinities.par_chunks_exact(n));
    rows.map(|(&a, row)| {
        let mut slope = [0.0; 2];
        for (&b, affinity) in places.iter().zip(row) {
            let close = closeness(a, b);
            let pull = (exaggeration * f64::from(*affinity) - close / total) * close;
            slope[0] += pull * (a[0] - b[0]);
            slope[1] += pull * (a[1] - b[1]);
        }
        slope.map(|sum| 4.0 * sum)
    })
    .collect()
}

/// How much every two vectors are neighbors, `[n, n]`, with the sum 1.
fn affinities(vectors: &Vectors, perplexity: f64) -> Vec<f32> {
    let n = vectors.len();
    let perplexity = perplexity.min((n.saturating_sub(1) as f64 / 3.0).max(1.0));
    let rows: Vec<Vec<f64>> = (0..n)
        .into_par_iter()
        .map(|i| {
            let distance =
                |j| f64::from(2.0 - 2.0 * dot(vectors.unit(i), vectors.unit(j))).max(0.0);
            conditional(&(0..n).map(distance).collect::<Vec<f64>>(), i, libm::log(perplexity))
        })
        .collect();
    let mut both = vec![0.0; n * n];
    both.par_chunks_exact_mut(n.max(1)).enumerate().for_each(|(i, row)| {
        for (j, to) in row.iter_mut().enumerate() {
            *to = ((rows[i][j] + rows[j][i]) / (2.0 * n as f64)) as f32;
        }
    });
    both
}

/// The probabilities of the neighbors of a point, whose entropy is that of the perplexity: the width of the
/// Gaussian is found by bisection.
fn conditional(distances: &[f64], own: usize, entropy: f64) -> Vec<f64> {
    let nearest = distances.iter().enumerate().filter(|(j, _)| *j != own).map(|(_, d)| *d);
    let nearest = nearest.fold(f64::INFINITY, f64::min);
    let (mut beta, mut low, mut high) = (1.0, 0.0, f64::INFINITY);
    let mut row = vec![0.0; distances.len()];
    for _ in 0..100 {
        let (mut sum, mut weighted) = (0.0, 0.0);
        for (j, (to, distance)) in row.iter_mut().zip(distances).enumerate() {
            // Less the nearest, so that the largest is 1.
            let far = distance - nearest;
            *to = if j == own { 0.0 } else { libm::exp(-beta * far) };
            sum += *to;
            weighted += far * *to;
        }
        let found = libm::log(sum) + beta * weighted / sum;
        row.iter_mut().for_each(|to| *to /= sum);
        if (found - entropy).abs() < 1e-5 {
            break;
        }
        if found > entropy {
            low = beta;
            beta = if high.is_infinite() { beta * 2.0 } else { f64::midpoint(beta, high) };
        } else {
            high = beta;
            beta = f64::midpoint(beta, low);
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three clusters of 20 in ten dimensions.
    fn clusters() -> Vectors {
        let mut rng = Seed(5).rng("test", &[]);
        let center = |cluster: usize, axis: usize| if axis % 3 == cluster { 4.0 } else { 0.0 };
        let row = |i: usize| (0..10).map(move |axis| (i / 20, axis));
        let places: Vec<(usize, usize)> = (0..60).flat_map(row).collect();
        let rows: Vec<f32> =
            places.into_iter().map(|(i, axis)| (center(i, axis) + rng.normal()) as f32).collect();
        Vectors::new(&rows, &[10])
    }

    #[test]
    fn clusters_stay_together_and_the_map_is_the_same_again() {
        let vectors = clusters();
        let layout = Layout { perplexity: 10.0, seed: Seed(1) };
        let places = tsne(&vectors, layout, |_, _| true).unwrap();
        for (i, a) in places.iter().enumerate() {
            let apart = |b: &[f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
            let mut others: Vec<usize> = (0..60).filter(|j| *j != i).collect();
            others.sort_by(|a, b| apart(&places[*a]).total_cmp(&apart(&places[*b])));
            let n_same = others[..5].iter().filter(|j| **j / 20 == i / 20).count();
            assert!(n_same >= 4, "{i}: {:?}", &others[..5]);
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let again = pool.install(|| tsne(&vectors, layout, |_, _| true).unwrap());
        assert_eq!(places, again);
        let other = Layout { seed: Seed(2), ..layout };
        assert_ne!(places, tsne(&vectors, other, |_, _| true).unwrap());
        assert!(tsne(&vectors, layout, |done, _| done < 3).is_none());
    }

    #[test]
    fn every_row_has_the_perplexity() {
        let distances: Vec<f64> = (0..40).map(f64::from).collect();
        let row = conditional(&distances, 0, libm::log(7.0));
        let entropy: f64 = row.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
        assert!((entropy.exp() - 7.0).abs() < 1e-3 && row[0] == 0.0, "{}", entropy.exp());
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn equal_and_few_points_have_finite_places() {
        for n in [1, 2, 5] {
            let vectors = Vectors::new(&vec![1.0; n * 3], &[3]);
            let layout = Layout { perplexity: 30.0, seed: Seed(1) };
            let places = tsne(&vectors, layout, |_, _| true).unwrap();
            assert!(places.iter().flatten().all(|x| x.is_finite()), "{places:?}");
        }
    }
}
