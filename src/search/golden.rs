//! Best losses on test functions, compared with those of Optuna (`tests/golden/make_search.py`).

use std::f64::consts::{E, PI};

use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

use super::space::tests::{any, parameter, when};
use super::{Domain, Method, Point, Setting, Space, Tried, suggest};
use crate::vocab::Seed;

#[derive(Deserialize)]
struct Golden {
    n_trials: usize,
    best: BTreeMap<String, Best>,
}

#[derive(Deserialize)]
struct Best {
    tpe: Vec<f64>,
    random: Vec<f64>,
}

/// A test function, its least value, and its space.
struct Function {
    name: &'static str,
    least: f64,
    space: Space,
    loss: fn(&[Option<Setting>]) -> f64,
}

fn real(setting: Option<Setting>) -> f64 {
    match setting {
        Some(Setting::Real(value)) => value,
        other => panic!("{other:?}"),
    }
}

fn reals(settings: &[Option<Setting>]) -> Vec<f64> {
    settings.iter().copied().map(real).collect()
}

fn sphere(settings: &[Option<Setting>]) -> f64 {
    reals(settings).iter().map(|x| (x - 1.0).powi(2)).sum()
}

fn rosenbrock(settings: &[Option<Setting>]) -> f64 {
    let x = reals(settings);
    (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2)
}

fn branin(settings: &[Option<Setting>]) -> f64 {
    let x = reals(settings);
    let a = x[1] - 5.1 / (4.0 * PI * PI) * x[0] * x[0] + 5.0 / PI * x[0] - 6.0;
    a * a + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * libm::cos(x[0]) + 10.0
}

const ALPHA: [f64; 4] = [1.0, 1.2, 3.0, 3.2];
const A: [[f64; 6]; 4] = [
    [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
    [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
    [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
    [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
];
const P: [[f64; 6]; 4] = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
];

fn hartmann6(settings: &[Option<Setting>]) -> f64 {
    let x = reals(settings);
    let inner = |i: usize| (0..6).map(|j| A[i][j] * (x[j] - P[i][j]).powi(2)).sum::<f64>();
    -(0..4).map(|i| ALPHA[i] * libm::exp(-inner(i))).sum::<f64>()
}

fn ackley(settings: &[Option<Setting>]) -> f64 {
    let x = reals(settings);
    let mean = |f: fn(f64) -> f64| x.iter().map(|x| f(*x)).sum::<f64>() / x.len() as f64;
    let square = mean(|x| x * x);
    let wave = mean(|x| libm::cos(2.0 * PI * x));
    -20.0 * libm::exp(-0.2 * libm::sqrt(square)) - libm::exp(wave) + 20.0 + E
}

fn mixed(settings: &[Option<Setting>]) -> f64 {
    let [rate, Some(Setting::Int(units)), Some(Setting::Choice(kind)), momentum] = settings[..]
    else {
        panic!("{settings:?}")
    };
    let rate = libm::log10(real(rate)) + 3.4;
    let loss = rate * rate + ((units as f64 - 90.0) / 40.0).powi(2);
    loss + match kind {
        0 => 0.1,
        1 => 4.0 * (real(momentum) - 0.8).powi(2),
        _ => 0.5,
    }
}

fn functions() -> Vec<Function> {
    let cube = |ranges: &[(f64, f64)]| {
        let axis = |(i, (low, high)): (usize, &(f64, f64))| {
            parameter(&format!("x{i}"), Domain::Linear { low: *low, high: *high })
        };
        Space::new(ranges.iter().enumerate().map(axis).collect()).unwrap()
    };
    let kinds = [json!("adam"), json!("sgd"), json!("rmsprop")];
    let momentum = parameter("momentum", Domain::Linear { low: 0.0, high: 1.0 });
    let of_training = Space::new(vec![
        parameter("rate", Domain::Log { low: 1e-5, high: 1e-1 }),
        parameter("units", Domain::Int { low: 16, high: 128 }),
        any("kind", &kinds),
        when(momentum, "kind", &[json!("sgd")]),
    ]);
    let function = |name, least, space, loss| Function { name, least, space, loss };
    vec![
        function("sphere", 0.0, cube(&[(-5.0, 5.0); 3]), sphere),
        function("rosenbrock", 0.0, cube(&[(-2.048, 2.048); 2]), rosenbrock),
        function("branin", 0.397_887_357_729_738, cube(&[(-5.0, 10.0), (0.0, 15.0)]), branin),
        function("hartmann6", -3.322_368_011_415_51, cube(&[(0.0, 1.0); 6]), hartmann6),
        function("ackley", 0.0, cube(&[(-32.768, 32.768); 3]), ackley),
        function("mixed", 0.0, of_training.unwrap(), mixed),
    ]
}

impl Function {
    /// The least loss of a study in batches of 4, and how many of its points were there before.
    fn best(&self, method: Method, seed: u64, n_trials: usize) -> (f64, usize) {
        let mut tried: Vec<Tried> = vec![];
        while tried.len() < n_trials {
            let numbers = tried.len() as u64..(tried.len() as u64 + 4).min(n_trials as u64);
            let point = |number| suggest(&self.space, method, Seed(seed), &tried, number);
            let points: Vec<Point> = numbers.map(point).collect();
            let losses = points.into_iter().map(|point| {
                let loss = (self.loss)(&point.0);
                Tried { point, loss: Some(loss) }
            });
            let batch: Vec<Tried> = losses.collect();
            tried.extend(batch);
        }
        let is_again = |i: &usize| tried[..*i].iter().any(|other| other.point == tried[*i].point);
        let n_again = (0..tried.len()).filter(is_again).count();
        (tried.iter().filter_map(|it| it.loss).fold(f64::INFINITY, f64::min), n_again)
    }
}

/// Mean and standard error of the decimal logarithm of how far the best losses are above the least one.
fn regret(best: &[f64], least: f64) -> (f64, f64) {
    let logs: Vec<f64> = best.iter().map(|best| libm::log10(best - least + 1e-12)).collect();
    let n = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / n;
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// Our TPE in batches of 4 finds what Optuna's finds one by one, up to two standard errors of the difference, and
/// beats random search. Our random search is as good as Optuna's.
#[test]
fn tpe_is_as_good_as_optuna_s() {
    let golden: Golden =
        serde_json::from_str(include_str!("../../tests/golden/search.json")).unwrap();
    let (mut table, mut faults) = (String::new(), vec![]);
    let functions = functions();
    assert_eq!(functions.len(), golden.best.len());
    let (mut n_better, mut sum) = (0, 0.0);
    for function in &functions {
        let theirs = &golden.best[function.name];
        let study = |method| {
            let seeds = 0..40;
            let best: Vec<_> = seeds.map(|it| function.best(method, it, golden.n_trials)).collect();
            let n_again: usize = best.iter().map(|(_, n)| n).sum();
            (best.into_iter().map(|(best, _)| best).collect::<Vec<f64>>(), n_again)
        };
        let (tpe, n_again) = study(Method::Tpe);
        let (random, _) = study(Method::Random);
        let all = [&tpe, &theirs.tpe, &random, &theirs.random];
        let [ours, optuna, random, optuna_random] = all.map(|it| regret(it, function.least));
        table += &format!(
            "{:10} ours {:6.2} +- {:.2}, optuna {:6.2} +- {:.2}, random {:6.2} +- {:.2}, optuna random {:6.2} +- {:.2}, again {n_again}\n",
            function.name,
            ours.0,
            ours.1,
            optuna.0,
            optuna.1,
            random.0,
            random.1,
            optuna_random.0,
            optuna_random.1
        );
        let z = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0) / a.1.hypot(b.1);
        sum += z(ours, optuna);
        n_better += usize::from(ours.0 < random.0);
        if z(ours, optuna) > 2.0 || z(random, optuna_random).abs() > 3.0 {
            faults.push(function.name);
        }
    }
    table += &format!("sum of z: {sum}");
    assert!(faults.is_empty() && n_better == 6, "{faults:?}\n{table}");
}
