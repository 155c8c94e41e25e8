//! Track predictions from the votes of segments.

use crate::vocab::{Outputs, Targets, Task};

/// The probabilities of tracks, pooled from those of their segments.
#[derive(Debug, Clone, PartialEq)]
pub struct Votes {
    /// The numbers of the tracks that have examples, ascending.
    pub tracks: Vec<usize>,
    /// Row-major `[n_tracks, n_classes]`; each row sums to 1.
    pub probabilities: Vec<f32>,
}

/// Pools the segments of a recording: the mean log-probability over the rows of `[n, n_classes]`,
/// as probabilities that sum to 1. Probabilities below 1e-15 count as 1e-15.
///
/// # Panics
/// If there is no row.
///
/// # Source
/// The logarithmic opinion pool: Genest and Zidek, "Combining probability distributions",
/// Statistical Science 1, 1986.
#[must_use]
pub fn pool(probabilities: &[f32], n_classes: usize) -> Vec<f64> {
    assert!(probabilities.len() >= n_classes && n_classes > 0, "a vote needs a segment");
    let mut sums = vec![0.0; n_classes];
    for row in probabilities.chunks_exact(n_classes) {
        for (sum, &p) in sums.iter_mut().zip(row) {
            *sum += libm::log(f64::from(p).max(1e-15));
        }
    }
    let n = (probabilities.len() / n_classes) as f64;
    // The largest sum is subtracted first, so that the probabilities do not all underflow to 0.
    let most = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares: Vec<f64> = sums.iter().map(|sum| libm::exp((sum - most) / n)).collect();
    let total: f64 = shares.iter().sum();
    shares.iter().map(|share| share / total).collect()
}

/// Applies [`pool`] to every track: example `i`, a row of `[n_examples, n_classes]`, belongs to
/// `tracks[i]`.
///
/// # Panics
/// If the lengths do not match.
#[must_use]
pub fn track_votes(tracks: &[usize], probabilities: &[f32], n_classes: usize) -> Votes {
    assert_eq!(tracks.len() * n_classes, probabilities.len(), "a probability per class");
    let mut order: Vec<usize> = (0..tracks.len()).collect();
    order.sort_by_key(|&example| tracks[example]);
    let mut votes = Votes { tracks: vec![], probabilities: vec![] };
    for examples in order.chunk_by(|a, b| tracks[*a] == tracks[*b]) {
        let row = |&example: &usize| &probabilities[example * n_classes..][..n_classes];
        let rows: Vec<f32> = examples.iter().flat_map(row).copied().collect();
        votes.tracks.push(tracks[examples[0]]);
        votes.probabilities.extend(pool(&rows, n_classes).iter().map(|&p| p as f32));
    }
    votes
}

/// What is true of tracks and what a model puts out for them.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackOutputs {
    /// The numbers of the tracks that have examples, ascending.
    pub tracks: Vec<usize>,
    /// What is true of them: the class or the tags of their first examples, or the mean of their examples'
    /// numbers.
    pub targets: Targets,
    /// Row-major `[n_tracks, n_outputs]`: votes for classes as by [`track_votes`], else the mean of the
    /// examples' probabilities or numbers.
    pub outputs: Vec<f32>,
}

/// Pools the examples of every track: example `i`, a row of `[n_examples, n_outputs]`, belongs to `tracks[i]`.
///
/// # Panics
/// If the lengths do not match.
#[must_use]
pub fn pool_tracks(
    targets: &Targets,
    outputs: &[f32],
    n_outputs: usize,
    tracks: &[usize],
) -> TrackOutputs {
    assert_eq!(tracks.len() * n_outputs, outputs.len(), "an output per class, tag or number");
    let mut order: Vec<usize> = (0..tracks.len()).collect();
    order.sort_by_key(|&example| tracks[example]);
    let (mut of_tracks, mut first, mut means) = (vec![], vec![], vec![]);
    let mut outputs_of_tracks = vec![];
    for examples in order.chunk_by(|a, b| tracks[*a] == tracks[*b]) {
        of_tracks.push(tracks[examples[0]]);
        first.push(examples[0]);
        let row = |&example: &usize| &outputs[example * n_outputs..][..n_outputs];
        let rows: Vec<f32> = examples.iter().flat_map(row).copied().collect();
        outputs_of_tracks.extend(pooled(&rows, Outputs { task: targets.task(), n: n_outputs }));
        if let Targets::Numbers(actual) = targets {
            let actual: Vec<f32> = examples.iter().map(|&example| actual[example]).collect();
            means.extend(mean_rows(&actual, 1));
        }
    }
    let targets = match targets {
        Targets::Numbers(_) => Targets::Numbers(means),
        targets => targets.of_rows(&first, n_outputs),
    };
    TrackOutputs { tracks: of_tracks, targets, outputs: outputs_of_tracks }
}

/// What the rows `[n, n_outputs]` of one track come to: of classes a vote as by [`pool`], of tags and numbers the mean.
///
/// # Panics
/// If there is no row of classes.
#[must_use]
pub fn pooled(rows: &[f32], outputs: Outputs) -> Vec<f32> {
    match outputs.task {
        Task::Classes => pool(rows, outputs.n).into_iter().map(|p| p as f32).collect(),
        Task::Tags | Task::Number => mean_rows(rows, outputs.n),
    }
}

/// The mean of every column of rows `[n, n_columns]`.
#[must_use]
pub fn mean_rows(rows: &[f32], n_columns: usize) -> Vec<f32> {
    let n = (rows.len() / n_columns) as f64;
    let sum = |column: usize| rows.iter().skip(column).step_by(n_columns).map(|&x| f64::from(x));
    (0..n_columns).map(|column| (sum(column).sum::<f64>() / n) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::super::golden::close;
    use super::*;

    #[test]
    fn tags_and_numbers_of_a_track_are_means_and_classes_are_votes() {
        let tracks = [7, 2, 7];
        let classes = Targets::Classes(vec![1, 0, 1]);
        let outputs = [0.8, 0.2, 0.3, 0.7, 0.2, 0.45];
        let votes = pool_tracks(&classes, &outputs, 2, &tracks);
        assert_eq!((votes.tracks, votes.targets.classes()), (vec![2, 7], &[0, 1][..]));
        assert_eq!(votes.outputs, track_votes(&tracks, &outputs, 2).probabilities);
        let tags = Targets::Tags(vec![true, false, false, false, true, false]);
        let of_tags = pool_tracks(&tags, &outputs, 2, &tracks);
        assert_eq!(of_tags.targets, Targets::Tags(vec![false, false, true, false]));
        assert_eq!(of_tags.outputs, [0.3, 0.7, 0.5, 0.325]);
        let numbers =
            pool_tracks(&Targets::Numbers(vec![1.0, 5.0, 2.0]), &[3.0, 4.0, 6.0], 1, &tracks);
        assert_eq!(numbers.targets, Targets::Numbers(vec![5.0, 1.5]));
        assert_eq!(numbers.outputs, [4.0, 4.5]);
    }

    #[test]
    fn segments_vote_by_the_mean_of_their_log_probabilities() {
        // The geometric means 0.4 and 0.3, scaled to sum to 1.
        let shares = pool(&[0.8, 0.2, 0.2, 0.45], 2);
        close(shares[0], 0.4 / 0.7, 1e-7);
        close(shares[1], 0.3 / 0.7, 1e-7);
    }

    #[test]
    fn tracks_are_pooled_apart_whatever_the_order_of_their_segments() {
        let votes = track_votes(&[7, 2, 7], &[0.8, 0.2, 0.3, 0.7, 0.2, 0.45], 2);
        assert_eq!(votes.tracks, [2, 7]);
        for (got, wanted) in votes.probabilities.iter().zip([0.3, 0.7, 0.4 / 0.7, 0.3 / 0.7]) {
            close(f64::from(*got), wanted, 1e-6);
        }
    }

    #[test]
    fn a_certain_mistake_is_no_veto_beyond_the_clip() {
        let shares = pool(&[0.0, 1.0, 0.0, 1.0], 2);
        close(shares[0], 1e-15, 1e-20);
    }
}
