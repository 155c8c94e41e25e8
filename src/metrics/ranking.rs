//! How well probabilities rank examples: areas under curves, one class against the rest.

use super::Clustered;

/// The area of one class and the influence of each example on it.
struct Area {
    value: f64,
    influences: Vec<f64>,
}

/// Returns the area under the ROC curve, one class against the rest, averaged over the classes,
/// `[0, 1]`; split by track. Example `i`, a row of `[n_examples, n_classes]`, is of track `tracks[i]`. Classes
/// without a test example don't count. `None` if all examples are of one class.
///
/// # Panics
/// If the lengths don't fit each other or fewer than two tracks are scored.
///
/// # Source
/// scikit-learn 1.9, `roc_auc_score` with `multi_class="ovr"` and `average="macro"`; the influences:
/// DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver
/// operating characteristic curves", Biometrics 44, 1988; summed by track: Obuchowski, "Nonparametric
/// analysis of clustered ROC curve data", Biometrics 53, 1997, with the factor I / (I - 1) of the
/// rarer kind's tracks.
#[must_use]
pub fn roc_auc(
    actual: &[usize],
    probabilities: &[f32],
    n_classes: usize,
    tracks: &[usize],
    n_tracks: usize,
) -> Option<Clustered> {
    macro_area(actual, probabilities, n_classes, (tracks, n_tracks), area_under_roc)
}

/// Returns the average precision, one class against the rest, averaged over the classes, `[0, 1]`;
/// split by track. Arguments and result as for [`roc_auc`].
///
/// # Panics
/// As [`roc_auc`].
///
/// # Source
/// scikit-learn 1.9, `average_precision_score` of one-hot labels with `average="macro"`. The influences
/// are its derivatives by the examples' weights: the infinitesimal jackknife, Jaeckel 1972.
#[must_use]
pub fn average_precision(
    actual: &[usize],
    probabilities: &[f32],
    n_classes: usize,
    tracks: &[usize],
    n_tracks: usize,
) -> Option<Clustered> {
    macro_area(actual, probabilities, n_classes, (tracks, n_tracks), precision_at_positives)
}

fn macro_area(
    actual: &[usize],
    probabilities: &[f32],
    n_classes: usize,
    (tracks, n_tracks): (&[usize], usize),
    area: impl Fn(&[bool], &[f32]) -> Area,
) -> Option<Clustered> {
    assert_eq!(actual.len() * n_classes, probabilities.len(), "a probability per class");
    assert_eq!(actual.len(), tracks.len(), "one track per example");
    let mut areas = vec![];
    for class in 0..n_classes {
        let is_class: Vec<bool> = actual.iter().map(|it| *it == class).collect();
        let n_positive = is_class.iter().filter(|it| **it).count();
        if n_positive > 0 && n_positive < actual.len() {
            let of_class: Vec<f32> =
                probabilities.iter().skip(class).step_by(n_classes).copied().collect();
            let mut area = area(&is_class, &of_class);
            let factor = few_tracks(&is_class, tracks, n_tracks);
            area.influences.iter_mut().for_each(|influence| *influence *= factor);
            areas.push(area);
        }
    }
    if areas.is_empty() {
        return None;
    }
    let n = areas.len() as f64;
    let mut by_track: Vec<Option<f64>> = vec![None; n_tracks];
    for (example, &track) in tracks.iter().enumerate() {
        let influence = areas.iter().map(|area| area.influences[example]).sum::<f64>() / n;
        *by_track[track].get_or_insert(0.0) += influence;
    }
    let value = areas.iter().map(|area| area.value).sum::<f64>() / n;
    Some(Clustered { value, influences: by_track })
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
    let value =
        ranks.iter().map(|(among, _, precision)| among * precision).sum::<f64>() / n_positive;
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

    fn two_classes() -> Vec<f32> {
        ONE.iter().flat_map(|p| [1.0 - p, *p]).collect()
    }

    #[test]
    fn areas_are_those_counted_by_hand() {
        let tracks = [0, 1, 2, 3, 4, 5];
        // Of the 9 pairs one is wrong (0.4 below 0.6) and one tied (0.4 and 0.4).
        let auc = roc_auc(&ACTUAL, &two_classes(), 2, &tracks, 6).unwrap();
        close(auc.value, 7.5 / 9.0, 1e-9);
        // Class 1: precisions 1, 1 and 3 of 5. Class 0: 1 for the first, 2 of 3 for the tie, 3 of 4.
        let ap = average_precision(&ACTUAL, &two_classes(), 2, &tracks, 6).unwrap();
        let ones = (1.0 + 1.0 + 0.6) / 3.0;
        let zeros = (1.0 + 2.0 / 3.0 + 0.75) / 3.0;
        close(ap.value, f64::midpoint(ones, zeros), 1e-9);
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
        let two = roc_auc(&ACTUAL, &two_classes(), 2, &tracks, 3).unwrap();
        let with_third = roc_auc(&ACTUAL, &three, 3, &tracks, 3).unwrap();
        close(two.value, with_third.value, 1e-9);
        close(two.variance(), with_third.variance(), 1e-9);
        assert_eq!(two.n_tracks(), 3);
        assert_eq!(roc_auc(&[1; 6], &two_classes(), 2, &tracks, 3), None);
    }
}
