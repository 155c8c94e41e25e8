//! The next point of a study.

use serde::{Deserialize, Serialize};

use super::random::random;
use super::space::{Point, Space, Tried};
use super::tpe;
use crate::vocab::Seed;

/// How points are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// All points of a grid in order.
    Grid,
    /// Independent points.
    Random,
    /// Points that resemble the best ones so far.
    Tpe,
}

/// Returns point `number` of a study, from 0. It depends on the arguments only. `tried` are the results of all
/// earlier batches, in the order of their numbers, so that the batch of the point starts at `tried.len()`.
///
/// The points of a batch are drawn one after the other: TPE counts those of the same batch that come before this one as
/// tried and not good (the "constant liar"), and so tries something else.
///
/// # Panics
/// If a grid has no such point, or if a parameter of real numbers of a grid has no `steps`.
#[must_use]
pub fn suggest(space: &Space, method: Method, seed: Seed, tried: &[Tried], number: u64) -> Point {
    let n_earlier = (number as usize).saturating_sub(tried.len());
    let pending = match method {
        Method::Tpe => suggest_batch(space, method, seed, tried, n_earlier),
        // These depend on no other point.
        Method::Grid | Method::Random => vec![],
    };
    one(space, method, seed, (tried, &pending), number)
}

/// Returns the first `n` points of the batch that starts at `tried.len()`: each is the one that [`suggest`] returns, but
/// none is drawn again for those after it.
///
/// # Panics
/// As [`suggest`].
#[must_use]
pub fn suggest_batch(
    space: &Space,
    method: Method,
    seed: Seed,
    tried: &[Tried],
    n: usize,
) -> Vec<Point> {
    let mut points = vec![];
    for number in tried.len()..tried.len() + n {
        points.push(one(space, method, seed, (tried, &points), number as u64));
    }
    points
}

/// A point, after those that were tried and those of its batch that come before it.
fn one(
    space: &Space,
    method: Method,
    seed: Seed,
    (tried, pending): (&[Tried], &[Point]),
    number: u64,
) -> Point {
    let rng = &mut seed.rng("search", &[number]);
    match method {
        Method::Grid => space.grid_point(number),
        Method::Tpe if tried.len() >= tpe::N_STARTUP => tpe::suggest(space, tried, pending, rng),
        Method::Random | Method::Tpe => random(space, rng),
    }
}

#[cfg(test)]
mod tests {
    use super::super::space::tests::{any, parameter, when};
    use super::super::space::{Domain, Setting};
    use super::*;
    use serde_json::json;

    fn space() -> Space {
        Space::new(vec![
            parameter("log", Domain::Log { low: 1e-5, high: 1e-1 }),
            parameter("int", Domain::Int { low: -2, high: 2 }),
            any("kind", &[json!("a"), json!("b")]),
            when(
                parameter("only b", Domain::Linear { low: 2.0, high: 3.0 }),
                "kind",
                &[json!("b")],
            ),
        ])
        .unwrap()
    }

    /// Small learning rates are best.
    fn loss(point: &Point) -> Option<f64> {
        let Some(Setting::Real(rate)) = point.0[0] else { panic!("{point:?}") };
        (point.0[1] != Some(Setting::Int(2))).then(|| libm::fabs(libm::log10(rate) + 4.0))
    }

    fn study(method: Method, seed: u64, n: u64, batch: usize) -> Vec<Tried> {
        let space = space();
        let mut tried: Vec<Tried> = vec![];
        while (tried.len() as u64) < n {
            let numbers = tried.len() as u64..tried.len() as u64 + batch as u64;
            let points = numbers.map(|number| suggest(&space, method, Seed(seed), &tried, number));
            let points: Vec<Point> = points.collect();
            tried.extend(points.into_iter().map(|point| Tried { loss: loss(&point), point }));
        }
        tried
    }

    #[test]
    fn random_points_cover_the_space_and_respect_conditions() {
        let tried = study(Method::Random, 1, 4_000, 4);
        let (mut n_low, mut n_int, mut n_b) = (0, [0; 5], 0);
        for Tried { point, .. } in &tried {
            let [Some(Setting::Real(rate)), Some(Setting::Int(int)), Some(kind), only] =
                point.0[..]
            else {
                panic!("{point:?}")
            };
            assert!((1e-5..=1e-1).contains(&rate));
            n_low += usize::from(rate < 1e-3);
            n_int[(int + 2) as usize] += 1;
            n_b += usize::from(kind == Setting::Choice(1));
            match only {
                None => assert_eq!(kind, Setting::Choice(0)),
                Some(Setting::Real(value)) => {
                    assert!(kind == Setting::Choice(1) && (2.0..=3.0).contains(&value));
                }
                other => panic!("{other:?}"),
            }
        }
        assert!((1_850..2_150).contains(&n_low), "{n_low}");
        assert!((1_850..2_150).contains(&n_b), "{n_b}");
        assert!(n_int.iter().all(|n| (700..900).contains(n)), "{n_int:?}");
    }

    #[test]
    fn a_point_depends_on_nothing_but_its_arguments() {
        let space = space();
        let tried = study(Method::Tpe, 3, 40, 4);
        for (start, number) in [(40, 43), (36, 38), (20, 20)] {
            let again = suggest(&space, Method::Tpe, Seed(3), &tried[..start], number);
            // Number 43 was not run, the others were.
            if let Some(known) = tried.get(number as usize) {
                assert_eq!(again, known.point);
            }
            assert_eq!(again, suggest(&space, Method::Tpe, Seed(3), &tried[..start], number));
            let batch = suggest_batch(&space, Method::Tpe, Seed(3), &tried[..start], 4);
            assert_eq!(again, batch[number as usize - start]);
            assert_ne!(again, suggest(&space, Method::Tpe, Seed(4), &tried[..start], number));
        }
    }

    #[test]
    fn tpe_finds_what_is_good_and_avoids_what_fails() {
        let count = |method| {
            let late = (0..10).flat_map(|seed| study(method, seed, 60, 4).split_off(20));
            let losses: Vec<_> = late.map(|it| it.loss).collect();
            let n_good = losses.iter().flatten().filter(|loss| **loss < 0.3).count();
            (n_good, losses.iter().filter(|loss| loss.is_none()).count())
        };
        // Of 400 random points, a twelfth is good and a fifth fails.
        let (random, tpe) = (count(Method::Random), count(Method::Tpe));
        assert!(tpe.0 > 2 * random.0 && tpe.1 < random.1, "random {random:?}, tpe {tpe:?}");
    }

    #[test]
    fn tpe_goes_on_where_every_trial_failed_or_has_no_number() {
        let space = space();
        for loss in [None, Some(f64::NAN), Some(f64::INFINITY), Some(1.0)] {
            let mut tried = study(Method::Random, 5, 12, 4);
            tried.iter_mut().for_each(|it| it.loss = loss);
            let point = suggest(&space, Method::Tpe, Seed(1), &tried, 14);
            assert_eq!(point.0.len(), 4);
        }
    }

    #[test]
    fn trials_of_a_small_space_are_not_repeated_until_it_is_used_up() {
        let number = |key, n| parameter(key, Domain::Int { low: 1, high: n });
        let space = Space::new(vec![number("a", 4), number("b", 5)]).unwrap();
        let mut tried: Vec<Tried> = vec![];
        for start in 0..7 {
            let points = 4 * start..4 * start + 4;
            let points = points.map(|it| suggest(&space, Method::Tpe, Seed(1), &tried, it));
            let points: Vec<Point> = points.collect();
            tried.extend(points.into_iter().map(|point| Tried { point, loss: Some(1.0) }));
        }
        // The first 12 are random.
        let is_again = |i: &usize| tried[..*i].iter().any(|other| other.point == tried[*i].point);
        let n_left = 20 - (0..12).filter(|i| !is_again(i)).count();
        let n_again = (12..12 + n_left.min(16)).filter(is_again).count();
        assert!(n_again <= 1, "{n_again} of {n_left}");
    }

    /// The points of a study are part of what its hash stands for: a change of them needs another version of studies.
    #[test]
    fn bits_of_points_stay() {
        let tried = study(Method::Tpe, 7, 24, 4);
        let text = serde_json::to_string(&[&tried[0].point, &tried[23].point]).unwrap();
        let first =
            r#"[{"real":0.012479092316109889},{"int":2},{"choice":1},{"real":2.7999686386985445}]"#;
        let late = r#"[{"real":0.001168536253438006},{"int":0},{"choice":0},null]"#;
        assert_eq!(text, format!("[{first},{late}]"));
    }
}
