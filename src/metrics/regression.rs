//! Errors of predicted numbers, and the share of their variance that is explained.

use super::Clustered;

/// Returns the absolute error of every example.
///
/// # Panics
/// If the lengths differ.
#[must_use]
pub fn absolute_errors(actual: &[f32], predicted: &[f32]) -> Vec<f64> {
    errors(actual, predicted).map(f64::abs).collect()
}

/// Returns the squared error of every example.
///
/// # Panics
/// If the lengths differ.
#[must_use]
pub fn squared_errors(actual: &[f32], predicted: &[f32]) -> Vec<f64> {
    errors(actual, predicted).map(|error| error * error).collect()
}

/// Returns the coefficient of determination, at most 1: 1 minus the sum of squared errors over the sum of
/// squared distances from the mean of the actual numbers. Where these are all equal it is 1 if every
/// prediction is right, else 0; 0 if nothing was scored.
///
/// # Panics
/// If the lengths differ.
///
/// # Source
/// scikit-learn 1.9, `r2_score`.
#[must_use]
pub fn r2(actual: &[f32], predicted: &[f32]) -> f64 {
    let errors = squared_errors(actual, predicted).iter().sum::<f64>();
    if actual.is_empty() { 0.0 } else { of_sums(errors, distances(actual).iter().sum()) }
}

/// Returns [`r2`] split by track: example `i` is of track `tracks[i]`, below `n_tracks`.
///
/// # Panics
/// If the lengths differ or fewer than two tracks are scored.
///
/// # Source
/// The influences are those of a ratio of two sums over tracks, as in [`Clustered::mean`]: the delta method.
/// The mean of the actual numbers moves with the tracks too, but the sum of squared distances is least there,
/// so that its derivative by the mean is 0.
#[must_use]
pub fn r2_by_track(
    actual: &[f32],
    predicted: &[f32],
    tracks: &[usize],
    n_tracks: usize,
) -> Clustered {
    let (errors, distances) = (squared_errors(actual, predicted), distances(actual));
    assert_eq!(errors.len(), tracks.len(), "one track per example");
    let mut sums: Vec<Option<(f64, f64)>> = vec![None; n_tracks];
    for ((error, distance), &track) in errors.iter().zip(&distances).zip(tracks) {
        let (errors, distances) = sums[track].get_or_insert((0.0, 0.0));
        *errors += error;
        *distances += distance;
    }
    let value = of_sums(errors.iter().sum(), distances.iter().sum());
    if distances.iter().all(|distance| *distance == 0.0) {
        return Clustered { value, influences: sums.iter().map(|it| it.map(|_| 0.0)).collect() };
    }
    let unexplained = Clustered::of_sums(&sums);
    let influences = unexplained.influences.iter().map(|it| it.map(|influence| -influence));
    Clustered { value, influences: influences.collect() }
}

fn errors<'a>(actual: &'a [f32], predicted: &'a [f32]) -> impl Iterator<Item = f64> + 'a {
    assert_eq!(actual.len(), predicted.len(), "one prediction per example");
    actual.iter().zip(predicted).map(|(actual, said)| f64::from(*actual) - f64::from(*said))
}

/// Squared distances from the mean.
fn distances(actual: &[f32]) -> Vec<f64> {
    // Equal numbers have no distance at all, whatever the rounding of their mean.
    let first = actual.first().copied().map_or(0.0, f64::from);
    let shifted = || actual.iter().map(|number| f64::from(*number) - first);
    let mean = shifted().sum::<f64>() / actual.len().max(1) as f64;
    shifted().map(|number| (number - mean) * (number - mean)).collect()
}

fn of_sums(errors: f64, distances: f64) -> f64 {
    match (errors, distances) {
        (_, distances) if distances > 0.0 => 1.0 - errors / distances,
        (0.0, _) => 1.0,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::close;
    use super::*;

    const ACTUAL: [f32; 4] = [1.0, 2.0, 3.0, 6.0];

    #[test]
    fn r2_is_0_for_the_mean_1_for_the_truth_and_below_0_for_less() {
        close(r2(&ACTUAL, &[3.0; 4]), 0.0, 1e-15);
        close(r2(&ACTUAL, &ACTUAL), 1.0, 0.0);
        // The distances from 3 are 2, 1, 0 and 3; the errors are 4, 3, 2 and 1.
        close(r2(&ACTUAL, &[5.0; 4]), 1.0 - 30.0 / 14.0, 1e-15);
        close(r2(&ACTUAL, &[1.0, 3.0, 3.0, 5.0]), 1.0 - 2.0 / 14.0, 1e-15);
        assert_eq!(absolute_errors(&ACTUAL, &[1.0, 3.0, 3.0, 5.0]), [0.0, 1.0, 0.0, 1.0]);
    }

    #[test]
    fn equal_numbers_are_scored_as_by_scikit_learn() {
        assert_eq!((r2(&[0.1; 3], &[0.1; 3]), r2(&[0.1; 3], &[0.1, 0.1, 0.2])), (1.0, 0.0));
        assert_eq!(r2(&[], &[]), 0.0);
        let by_track = r2_by_track(&[0.1; 3], &[0.1, 0.1, 0.2], &[0, 2, 2], 3);
        assert_eq!((by_track.value, by_track.variance(), by_track.n_tracks()), (0.0, 0.0, 2));
    }

    #[test]
    fn influences_are_the_derivatives_by_a_track_s_weight() {
        const WEIGHT: usize = 400;
        let (predicted, tracks) = ([1.5, 1.0, 3.5, 4.0], [0, 0, 1, 2]);
        let plain = r2_by_track(&ACTUAL, &predicted, &tracks, 3);
        close(plain.influences.iter().flatten().sum::<f64>(), 0.0, 1e-12);
        for track in 0..3 {
            let copies = |i: usize| WEIGHT + usize::from(tracks[i] == track);
            let all: Vec<usize> = (0..4).flat_map(|i| vec![i; copies(i)]).collect();
            let pick = |of: &[f32; 4]| all.iter().map(|i| of[*i]).collect::<Vec<f32>>();
            let slope = (r2(&pick(&ACTUAL), &pick(&predicted)) - plain.value) * WEIGHT as f64;
            let factor = (3.0_f64 / 2.0).sqrt();
            close(slope * factor, plain.influences[track].unwrap(), 3e-3);
        }
    }
}
