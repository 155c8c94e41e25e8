//! The tree-structured Parzen estimator: points that are likely among the good ones and unlikely among the others.

use super::parzen::Parzen;
use super::random::random;
use super::space::{Domain, Point, Setting, Space, Tried};
use crate::vocab::Rng;

/// So many points are drawn at random first.
pub(super) const N_STARTUP: usize = 10;
/// Candidates of one draw, of which the best is taken.
const N_CANDIDATES: usize = 24;
/// A point that was tried before is drawn again so often, first by the densities and then at random. A trial that repeats
/// another one teaches nothing: without this rule, 18 of 100 trials did in a space of 384 points.
const N_ATTEMPTS: usize = 4;
const N_RANDOM: usize = 16;

/// Draws the next point. `pending` are points that have no result yet.
///
/// Parameters with the same conditions are drawn together, so that what depends on each other is seen; those
/// with conditions are drawn after the ones that decide about them, from the points in which they were active.
///
/// # Source
/// Bergstra, Bardenet, Bengio, Kégl, "Algorithms for hyper-parameter optimization", 2011, and as of several
/// parameters together Falkner, Klein, Hutter, "BOHB", 2018. Numbers as in Optuna 5.0: the best tenth is good, but
/// at most 25 points; failed and pending points are not.
pub(super) fn suggest(space: &Space, tried: &[Tried], pending: &[Point], rng: &mut Rng) -> Point {
    let (good, others) = split(tried);
    let others: Vec<&Point> = others.into_iter().chain(pending).collect();
    let is_known = |point: &Point| good.contains(&point) || others.contains(&point);
    for _ in 0..N_ATTEMPTS {
        let point = draw(space, &good, &others, rng);
        if !is_known(&point) {
            return point;
        }
    }
    let mut drawn = (0..N_RANDOM).map(|_| random(space, rng));
    // A space may have no other points left.
    drawn.find(|point| !is_known(point)).unwrap_or_else(|| draw(space, &good, &others, rng))
}

/// The good points and the others, the oldest first.
fn split(tried: &[Tried]) -> (Vec<&Point>, Vec<&Point>) {
    let loss = |number: usize| tried[number].loss.filter(|loss| loss.is_finite());
    let mut succeeded: Vec<(f64, usize)> =
        (0..tried.len()).filter_map(|number| Some((loss(number)?, number))).collect();
    succeeded.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    succeeded.truncate(tried.len().div_ceil(10).min(25));
    let is_good = |number: usize| succeeded.iter().any(|(_, good)| *good == number);
    let (good, others): (Vec<usize>, Vec<usize>) = (0..tried.len()).partition(|it| is_good(*it));
    let points = |numbers: Vec<usize>| numbers.into_iter().map(|it| &tried[it].point).collect();
    (points(good), points(others))
}

fn draw(space: &Space, good: &[&Point], others: &[&Point], rng: &mut Rng) -> Point {
    let n = space.parameters().len();
    let mut settings: Vec<Option<Setting>> = vec![None; n];
    let mut is_done = vec![false; n];
    for &first in space.order() {
        if is_done[first] {
            continue;
        }
        let conditions = space.conditions(first);
        let group: Vec<usize> = (0..n).filter(|it| space.conditions(*it) == conditions).collect();
        group.iter().for_each(|number| is_done[*number] = true);
        if !space.is_active(first, |other| settings[other]) {
            continue;
        }
        let domains: Vec<&Domain> =
            group.iter().map(|number| &space.parameters()[*number].domain).collect();
        let fit = |points: &[&Point]| {
            let of_group = |point: &&Point| group.iter().map(|number| point.0[*number]).collect();
            Parzen::fit(&domains, &points.iter().filter_map(of_group).collect::<Vec<_>>())
        };
        let (good, others) = (fit(good), fit(others));
        let mut best: Option<(f64, Vec<Setting>)> = None;
        for _ in 0..N_CANDIDATES {
            let candidate = good.draw(rng);
            let score = good.log_density(&candidate) - others.log_density(&candidate);
            if best.as_ref().is_none_or(|(most, _)| score > *most) {
                best = Some((score, candidate));
            }
        }
        let best = best.map(|(_, candidate)| candidate).unwrap_or_default();
        for (number, setting) in group.into_iter().zip(best) {
            settings[number] = Some(setting);
        }
    }
    Point(settings)
}
