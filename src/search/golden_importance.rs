//! Importance of parameters, compared with Optuna's on the same trials (`tests/golden/make_importance.py`).

use serde::Deserialize;
use serde_json::Value;

use super::space::tests::{any, parameter, when};
use super::{Domain, Parameter, Point, Setting, Space, Tried, importance, surface};
use crate::vocab::Seed;

#[derive(Deserialize)]
struct Golden {
    studies: Vec<Study>,
}

#[derive(Deserialize)]
struct Study {
    name: String,
    space: Vec<Vec<Value>>,
    trials: Vec<Vec<Value>>,
    importance: Vec<f64>,
}

fn read_parameter(line: &[Value]) -> Parameter {
    let key = line[0].as_str().unwrap();
    let end = |i: usize| line[i].as_f64().unwrap();
    match line[1].as_str().unwrap() {
        "any" => any(key, &line[2..]),
        "int" => parameter(key, Domain::Int { low: end(2) as i64, high: end(3) as i64 }),
        "log" => parameter(key, Domain::Log { low: end(2), high: end(3) }),
        _ => parameter(key, Domain::Linear { low: end(2), high: end(3) }),
    }
}

fn read(study: &Study) -> (Space, Vec<Tried>) {
    let space = Space::new(study.space.iter().map(|line| read_parameter(line)).collect()).unwrap();
    let setting = |(parameter, value): (&Parameter, &Value)| match &parameter.domain {
        Domain::Any(values) => {
            Setting::Choice(values.iter().position(|other| other == value).unwrap())
        }
        Domain::Int { .. } => Setting::Int(value.as_i64().unwrap()),
        _ => Setting::Real(value.as_f64().unwrap()),
    };
    let trial = |trial: &Vec<Value>| Tried {
        point: Point(space.parameters().iter().zip(trial).map(setting).map(Some).collect()),
        loss: trial[trial.len() - 1].as_f64(),
    };
    let tried = study.trials.iter().map(trial).collect();
    (space, tried)
}

#[test]
fn importance_is_within_5_percent_of_optuna_s() {
    let golden: Golden =
        serde_json::from_str(include_str!("../../tests/golden/importance.json")).unwrap();
    assert!(golden.studies.len() >= 4);
    let mut faults = vec![];
    for study in &golden.studies {
        let (space, tried) = read(study);
        for seed in 1..=3 {
            let ours = importance(&space, &tried, Seed(seed));
            let ours: Vec<f64> = ours.into_iter().map(Option::unwrap).collect();
            assert!((ours.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let pairs = ours.iter().zip(&study.importance);
            let apart = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            if apart > 0.05 {
                let theirs = &study.importance;
                faults.push(format!("{} seed {seed}: {ours:?}, optuna {theirs:?}", study.name));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

fn tried(settings: &[Option<Setting>], loss: Option<f64>) -> Tried {
    Tried { point: Point(settings.to_vec()), loss }
}

#[test]
fn what_cannot_be_told_is_not_told() {
    let unit = || Domain::Linear { low: 0.0, high: 1.0 };
    let space = Space::new(vec![
        any("kind", &["a".into(), "b".into()]),
        when(parameter("only b", unit()), "kind", &["b".into()]),
        parameter("x", unit()),
        any("one", &[7.into()]),
    ]);
    let space = space.unwrap();
    let mut rng = Seed(1).rng("test", &[]);
    let mut trials = vec![];
    for number in 0..80 {
        let (kind, x) = (number % 2, rng.uniform());
        let only_b = (kind == 1).then(|| Setting::Real(rng.uniform()));
        let settings =
            [Some(Setting::Choice(kind)), only_b, Some(Setting::Real(x)), Some(Setting::Choice(0))];
        trials.push(tried(&settings, (number % 10 > 0).then_some(5.0 * x + kind as f64)));
    }
    let [Some(kind), None, Some(x), Some(one)] = importance(&space, &trials, Seed(1))[..] else {
        panic!("{:?}", importance(&space, &trials, Seed(1)))
    };
    assert!(x > 0.7 && kind > 0.02 && one == 0.0, "{kind} {x} {one}");
    assert_eq!(importance(&space, &trials, Seed(2)), importance(&space, &trials, Seed(2)));
    let none = [None; 4];
    trials.iter_mut().for_each(|it| it.loss = it.loss.map(|_| 1.0));
    assert_eq!(importance(&space, &trials, Seed(1)), none);
    trials.iter_mut().for_each(|it| it.loss = None);
    assert_eq!(importance(&space, &trials, Seed(1)), none);
    assert_eq!(importance(&space, &[], Seed(1)), none);
    assert_eq!(surface(&space, &trials, Seed(1), [0, 2], [&[0.5], &[0.5]]), None);
}

#[test]
fn a_surface_follows_two_parameters() {
    let unit = || Domain::Linear { low: 0.0, high: 2.0 };
    let space = Space::new(vec![parameter("x", unit()), parameter("y", unit())]).unwrap();
    let mut rng = Seed(1).rng("test", &[]);
    let trial = |_| {
        let (x, y) = (rng.range(0.0, 2.0), rng.range(0.0, 2.0));
        tried(&[Some(Setting::Real(x)), Some(Setting::Real(y))], Some(x + 10.0 * y))
    };
    let trials: Vec<Tried> = (0..200).map(trial).collect();
    let places = [0.25, 0.75];
    let cells = surface(&space, &trials, Seed(1), [0, 1], [&places, &places]).unwrap();
    for (cell, wanted) in cells.iter().zip([5.5, 6.5, 15.5, 16.5]) {
        assert!((cell - wanted).abs() < 1.0, "{cells:?}");
    }
}
