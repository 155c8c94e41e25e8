//! How well probabilities rank examples: areas under curves, of a tag or of one class against the rest.

use std::ops::Range;

use super::Clustered;
use crate::vocab::{TagScores, Targets};

/// The area of one class and the influence of each example on it.
struct Area {
    value: f64,
    influences: Vec<f64>,
}

/// Returns the area under the ROC curve, `[0, 1]`, averaged over the classes, each against the rest, or
/// over the tags; split by track. Example `i`, a row of `[n_examples, n_outputs]`, is of track `tracks[i]`.
/// Classes and tags that all or no test examples have don't count. `None` if none is left, or for numbers.
///
/// # Panics
/// If the lengths don't fit each other or fewer than two tracks are scored.
///
/// # Source
/// scikit-learn 1.9, `roc_auc_score` with `average="macro"`, of classes with `multi_class="ovr"`; the
/// influences: DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver
/// operating characteristic curves", Biometrics 44, 1988; summed by track: Obuchowski, "Nonparametric
/// analysis of clustered ROC curve data", Biometrics 53, 1997, with the factor I / (I - 1) of the
/// rarer kind's tracks.
#[must_use]
pub fn roc_auc(
    targets: &Targets,
    probabilities: &[f32],
    n_outputs: usize,
    tracks: &[usize],
    n_tracks: usize,
) -> Option<Clustered> {
    let columns = 0..n_outputs;
    macro_area(targets, probabilities, (columns, n_outputs), (tracks, n_tracks), area_under_roc)
}

/// Returns the average precision, `[0, 1]`, averaged over the classes, each against the rest, or over the
/// tags; split by track. Arguments and result as for [`roc_auc`].
///
/// # Panics
/// As [`roc_auc`].
///
/// # Source
/// scikit-learn 1.9, `average_precision_score` of tags or of one-hot labels with `average="macro"`. The
/// influences are its derivatives by the examples' weights: the infinitesimal jackknife, Jaeckel 1972.
#[must_use]
pub fn average_precision(
    targets: &Targets,
    probabilities: &[f32],
    n_outputs: usize,
    tracks: &[usize],
    n_tracks: usize,
) -> Option<Clustered> {
    let columns = 0..n_outputs;
    let shape = (columns, n_outputs);
    macro_area(targets, probabilities, shape, (tracks, n_tracks), precision_at_positives)
}

/// Returns the area under the ROC curve and the average precision of one class or tag, as [`roc_auc`] and
/// [`average_precision`] average them.
///
/// # Panics
/// As [`roc_auc`].
#[must_use]
pub fn areas_of(
    output: usize,
    targets: &Targets,
    probabilities: &[f32],
    n_outputs: usize,
    tracks: &[usize],
    n_tracks: usize,
) -> Option<[Clustered; 2]> {
    let tracks = (tracks, n_tracks);
    let columns = || (output..output + 1, n_outputs);
    Some([
        macro_area(targets, probabilities, columns(), tracks, area_under_roc)?,
        macro_area(targets, probabilities, columns(), tracks, precision_at_positives)?,
    ])
}

/// Computes the scores of every tag, in the order of the tags.
pub(super) fn of_tags(targets: &Targets, probabilities: &[f32], n_tags: usize) -> Vec<TagScores> {
    let score = |tag: usize| {
        let (has_tag, of_tag) = column(targets, probabilities, tag, n_tags);
        let n_positive = has_tag.iter().filter(|it| **it).count();
        let value = |area: fn(&[bool], &[f32]) -> Area| {
            (n_positive > 0 && n_positive < has_tag.len()).then(|| area(&has_tag, &of_tag).value)
        };
        TagScores {
            n_positive,
            roc_auc: value(area_under_roc),
            average_precision: value(precision_at_positives),
        }
    };
    (0..n_tags).map(score).collect()
}

/// Which examples are of a class or have a tag, and its probabilities.
fn column(
    targets: &Targets,
    probabilities: &[f32],
    output: usize,
    n_outputs: usize,
) -> (Vec<bool>, Vec<f32>) {
    let is_of = match targets {
        Targets::Classes(actual) => actual.iter().map(|it| *it == output).collect(),
        Targets::Tags(actual) => actual.iter().skip(output).step_by(n_outputs).copied().collect(),
        Targets::Numbers(actual) => vec![false; actual.len()],
    };
    (is_of, probabilities.iter().skip(output).step_by(n_outputs).copied().collect())
}

fn macro_area(
    targets: &Targets,
    probabilities: &[f32],
    (columns, n_outputs): (Range<usize>, usize),
    (tracks, n_tracks): (&[usize], usize),
    area: impl Fn(&[bool], &[f32]) -> Area,
) -> Option<Clustered> {
    assert_eq!(tracks.len() * n_outputs, probabilities.len(), "a probability per output");
    let (mut value, mut n, mut influences) = (0.0, 0.0, vec![0.0; tracks.len()]);
    for output in columns {
        let (is_of, of_output) = column(targets, probabilities, output, n_outputs);
        assert_eq!(is_of.len(), tracks.len(), "one track per example");
        let n_positive = is_of.iter().filter(|it| **it).count();
        if n_positive > 0 && n_positive < is_of.len() {
            let area = area(&is_of, &of_output);
            let factor = few_tracks(&is_of, tracks, n_tracks);
            for (sum, influence) in influences.iter_mut().zip(&area.influences) {
                *sum += influence * factor;
            }
            value += area.value;
            n += 1.0;
        }
    }
    if n == 0.0 {
        return None;
    }
    let mut by_track: Vec<Option<f64>> = vec![None; n_tracks];
    for (influence, &track) in influences.iter().zip(tracks) {
        *by_track[track].get_or_insert(0.0) += influence / n;
    }
    Some(Clustered { value: value / n, influences: by_track })
}

/// Returns the square root of I / (I - 1), where I counts the tracks with examples of the class or those
/// with others, whichever are fewer. A single track counts as two, because it shows no variance.
fn few_tracks(is_class: &[bool], tracks: &[usize], n_tracks: usize) -> f64 {
    let n_with = |kind: bool| {
        let mut has = vec![false; n_tracks];
        let of_kind = is_class.iter().zip(tracks).filter(|(is_class, _)| **is_class == kind);
        of_kind.for_each(|(_, track)| has[*track] = true);
        has.into_iter().filter(|has| *has).count()
    };
    let n = n_with(true).min(n_with(false)).max(2) as f64;
    (n / (n - 1.0)).sqrt()
}

/// Returns the examples by descending probability.
fn ranked(probabilities: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]));
    order
}

fn area_under_roc(is_class: &[bool], probabilities: &[f32]) -> Area {
    let n_positive = is_class.iter().filter(|it| **it).count() as f64;
    let n_negative = is_class.len() as f64 - n_positive;
    let order = ranked(probabilities);
    // For each example, the share of the other kind that it is ranked correctly against; half for ties.
    let mut shares = vec![0.0; is_class.len()];
    let (mut positives, mut negatives, mut value) = (0.0, 0.0, 0.0);
    for ties in order.chunk_by(|a, b| probabilities[*a] == probabilities[*b]) {
        let among = ties.iter().filter(|example| is_class[**example]).count() as f64;
        let against = ties.len() as f64 - among;
        for &example in ties {
            shares[example] = if is_class[example] {
                (n_negative - negatives - against / 2.0) / n_negative
            } else {
                (positives + among / 2.0) / n_positive
            };
        }
        value += among * (n_negative - negatives - against / 2.0) / n_negative / n_positive;
        positives += among;
        negatives += against;
    }
    // A sum of rounded terms may end a little above 1.
    let value = f64::min(value, 1.0);
    let influence = |(share, is_class): (&f64, &bool)| {
        (share - value) / if *is_class { n_positive } else { n_negative }
    };
    Area { value, influences: shares.iter().zip(is_class).map(influence).collect() }
}

/// Computes the mean over the positives of the precision among all examples at least as likely.
fn precision_at_positives(is_class: &[bool], probabilities: &[f32]) -> Area {
    let n_positive = is_class.iter().filter(|it| **it).count() as f64;
    let order = ranked(probabilities);
    let groups: Vec<&[usize]> =
        order.chunk_by(|a, b| probabilities[*a] == probabilities[*b]).collect();
    // For each group, its positives, the examples up to it and the precision among them.
    let (mut seen, mut found) = (0.0, 0.0);
    let mut ranks = vec![];
    for ties in &groups {
        let among = ties.iter().filter(|example| is_class[**example]).count() as f64;
        seen += ties.len() as f64;
        found += among;
        ranks.push((among, seen, found / seen));
    }
    let value = ranks.iter().map(|(among, _, precision)| among * precision).sum::<f64>();
    let value = f64::min(value / n_positive, 1.0);
    // One more example at a rank changes the precision of its own and all lower ranks.
    let (mut raised, mut lowered) = (0.0, 0.0);
    let mut influences = vec![0.0; is_class.len()];
    for (ties, (among, seen, precision)) in groups.iter().zip(&ranks).rev() {
        raised += among / seen;
        lowered += among * precision / seen;
        for &example in *ties {
            let own = if is_class[example] { precision - value + raised } else { 0.0 };
            influences[example] = (own - lowered) / n_positive;
        }
    }
    Area { value, influences }
}

#[cfg(test)]
mod tests {
    use super::super::golden::close;
    use super::*;

    const ACTUAL: [usize; 6] = [0, 1, 0, 1, 0, 1];
    /// The probability of class 1; the second and the third are equal.
    const ONE: [f32; 6] = [0.1, 0.4, 0.4, 0.8, 0.6, 0.9];

    fn actual() -> Targets {
        Targets::Classes(ACTUAL.to_vec())
    }

    fn two_classes() -> Vec<f32> {
        ONE.iter().flat_map(|p| [1.0 - p, *p]).collect()
    }

    #[test]
    fn areas_are_those_counted_by_hand() {
        let tracks = [0, 1, 2, 3, 4, 5];
        // Of the 9 pairs one is wrong (0.4 below 0.6) and one tied (0.4 and 0.4).
        let auc = roc_auc(&actual(), &two_classes(), 2, &tracks, 6).unwrap();
        close(auc.value, 7.5 / 9.0, 1e-9);
        // Class 1: precisions 1, 1 and 3 of 5. Class 0: 1 for the first, 2 of 3 for the tie, 3 of 4.
        let ap = average_precision(&actual(), &two_classes(), 2, &tracks, 6).unwrap();
        let ones = (1.0 + 1.0 + 0.6) / 3.0;
        let zeros = (1.0 + 2.0 / 3.0 + 0.75) / 3.0;
        close(ap.value, f64::midpoint(ones, zeros), 1e-9);
    }

    #[test]
    fn an_area_is_never_above_one() {
        // Every positive is above every negative, for all numbers of both.
        for n_positive in 1..60 {
            for n_negative in 1..60 {
                let is_class: Vec<bool> =
                    (0..n_positive + n_negative).map(|i| i < n_positive).collect();
                let probabilities: Vec<f32> =
                    (0..is_class.len()).map(|i| 1.0 - i as f32 / 200.0).collect();
                for area in [area_under_roc, precision_at_positives] {
                    let value = area(&is_class, &probabilities).value;
                    assert!(
                        (1.0 - 1e-12..=1.0).contains(&value),
                        "{n_positive} {n_negative}: {value}"
                    );
                }
            }
        }
    }

    #[test]
    fn influences_are_the_derivatives_by_an_example_s_weight() {
        // Every example counts 200 times, one of them 201 times.
        const WEIGHT: usize = 200;
        for area in [area_under_roc, precision_at_positives] {
            let plain = area(&ACTUAL.map(|it| it == 1), &ONE);
            close(plain.influences.iter().sum::<f64>(), 0.0, 1e-9);
            for example in 0..6 {
                let copies = |i: usize| WEIGHT + usize::from(i == example);
                let all: Vec<usize> = (0..6).flat_map(|i| vec![i; copies(i)]).collect();
                let is_class: Vec<bool> = all.iter().map(|i| ACTUAL[*i] == 1).collect();
                let probabilities: Vec<f32> = all.iter().map(|i| ONE[*i]).collect();
                let slope = (area(&is_class, &probabilities).value - plain.value) * WEIGHT as f64;
                close(slope, plain.influences[example], 2e-3);
            }
        }
    }

    #[test]
    fn classes_without_examples_do_not_count_and_one_class_has_no_curve() {
        let three: Vec<f32> = ONE.iter().flat_map(|p| [0.9 - p, *p, 0.1]).collect();
        let tracks = [0, 0, 1, 1, 2, 2];
        let two = roc_auc(&actual(), &two_classes(), 2, &tracks, 3).unwrap();
        let with_third = roc_auc(&actual(), &three, 3, &tracks, 3).unwrap();
        close(two.value, with_third.value, 1e-9);
        close(two.variance(), with_third.variance(), 1e-9);
        assert_eq!(two.n_tracks(), 3);
        assert_eq!(roc_auc(&Targets::Classes(vec![1; 6]), &two_classes(), 2, &tracks, 3), None);
    }

    #[test]
    fn tags_are_averaged_like_classes_and_those_that_all_or_none_have_do_not_count() {
        // Two tags that are the two classes, one that all examples have and one that none has.
        let tags = ACTUAL.iter().flat_map(|it| [*it == 0, *it == 1, true, false]).collect();
        let probabilities: Vec<f32> =
            ONE.iter().flat_map(|p| [1.0 - p, *p, 0.25 * p, 1.0]).collect();
        let (tags, tracks) = (Targets::Tags(tags), [0, 0, 1, 1, 2, 2]);
        for score in [roc_auc, average_precision] {
            let of_tags = score(&tags, &probabilities, 4, &tracks, 3);
            assert_eq!(of_tags, score(&actual(), &two_classes(), 2, &tracks, 3));
        }
        let each = of_tags(&tags, &probabilities, 4);
        let auc = roc_auc(&tags, &probabilities, 4, &tracks, 3).unwrap().value;
        let [one, two] = [0, 1].map(|tag| each[tag].roc_auc.unwrap());
        close(f64::midpoint(one, two), auc, 1e-15);
        let [of_one, _] = areas_of(0, &tags, &probabilities, 4, &tracks, 3).unwrap();
        close(of_one.value, one, 0.0);
        assert_eq!(areas_of(2, &tags, &probabilities, 4, &tracks, 3), None);
        let left_out = TagScores { n_positive: 6, roc_auc: None, average_precision: None };
        assert_eq!((each[2], each[3].n_positive), (left_out, 0));
        let numbers = Targets::Numbers(vec![0.5; 6]);
        assert_eq!(roc_auc(&numbers, &[0.5; 6], 1, &tracks, 3), None);
    }
}
