use serde_json::json;

use super::super::canvas::Mark;
use super::super::tests::assert_legible;
use super::*;
use crate::search::{Condition, Domain, Method, Parameter, Setting, Space, TrialPoint, suggest};
use crate::vocab::Seed;

fn parameter(key: &str, domain: Domain) -> Parameter {
    Parameter { key: key.to_owned(), domain, steps: None, when: vec![] }
}

fn space(n_parameters: usize) -> Space {
    let mut parameters = vec![
        parameter("training.optimizer.adam.learning_rate", Domain::Log { low: 1e-5, high: 1e-1 }),
        parameter(
            "features.mel.an_extremely_long_name_of_a_key_that_nobody_would_write",
            Domain::Int { low: 16, high: 128 },
        ),
        parameter("training.batch_size", Domain::Any([16, 32, 64, 128].map(|n| json!(n)).to_vec())),
        parameter("model.cnn.dropout", Domain::Linear { low: 0.0, high: 0.6 }),
        parameter(
            "training.augment",
            Domain::Any(vec![
                json!("none"),
                json!([{ "mask": { "bands": 8, "frames": 20, "probability": 0.5 } }]),
                json!("time_reversal with quite a long name"),
            ]),
        ),
        parameter("model.other.dropout", Domain::Log { low: 0.02, high: 0.04 }),
        parameter("x.y", Domain::Any((0..40).map(|i| json!(format!("choice {i}"))).collect())),
        parameter("x.constant", Domain::Any(vec![json!(1)])),
        parameter("x.rate", Domain::Linear { low: -1.0, high: 1.0 }),
        parameter("x.a", Domain::Linear { low: -1e6, high: 1e6 }),
        parameter("x.b", Domain::Linear { low: 0.0, high: 1e-6 }),
    ];
    parameters[5].when =
        vec![Condition { key: "training.batch_size".to_owned(), values: vec![json!(64)] }];
    parameters.truncate(n_parameters);
    Space::new(parameters).unwrap()
}

/// Trials that like a learning rate of 1e-3; one in ten fails, and the last ones are stopped early.
fn trials(space: &Space, n: usize) -> Vec<TrialPoint> {
    let mut rng = Seed(1).rng("test", &[]);
    let trial = |number: usize| {
        let point = suggest(space, Method::Random, Seed(2), &[], number as u64);
        let places = |i: usize| point.0.get(i).copied().flatten().map(|it| space.place(i, &it));
        let off = |i, best: f64| places(i).map_or(0.0, |place| (place - best).powi(2));
        let noise = 0.02 * rng.normal();
        let score = 0.9 - off(0, 0.5) - 0.5 * off(1, 0.8) - 0.2 * off(2, 0.1) + noise;
        let has_failed = number % 10 == 7;
        TrialPoint {
            number,
            point,
            score: (!has_failed).then_some(score),
            n_epochs: Some(if number % 3 == 2 { 10 } else { 30 }),
            max_epochs: Some(30),
        }
    };
    (0..n).map(trial).collect()
}

fn shown(name: &str, trials: &Trials, wanted: &[&str]) -> Vec<SweepFigure> {
    let figures = figures("cnn-2-tuned", trials);
    assert_eq!(figures.iter().map(|it| it.end).collect::<Vec<_>>(), wanted, "{name}");
    for figure in &figures {
        assert_legible(&figure.whole);
        assert_legible(&figure.panel);
        // Every color has a name on the page.
        assert!(super::super::inline::svg(&figure.panel).contains("</svg>"));
        if let Ok(folder) = std::env::var("ENCORE_LOOK") {
            let folder = std::path::Path::new(&folder);
            std::fs::create_dir_all(folder).unwrap();
            let file = format!("{name}-{}", figure.end);
            super::super::render::save(&figure.whole, folder, &file).unwrap();
        }
    }
    figures
}

const ALL: [&str; 5] = ["history", "parallel", "slices", "contour", "importance"];

#[test]
fn figures_of_searches_are_legible_with_few_and_many() {
    for n_parameters in [2, 6, 11] {
        let space = space(n_parameters);
        for n in [3, 60, 1_000] {
            let all = trials(&space, n);
            let best = all.iter().filter(|it| it.score.is_some() && !it.is_stopped());
            let best = best.max_by(|a, b| a.score.unwrap().total_cmp(&b.score.unwrap()));
            let trials = Trials {
                space: &space,
                metric: "valid_accuracy",
                higher_is_better: true,
                trials: &all,
                winner: best.map(|it| it.number),
            };
            let wanted = ALL.into_iter().filter(|end| n > 3 || *end != "contour");
            shown(&format!("{n_parameters}-{n}"), &trials, &wanted.collect::<Vec<_>>());
        }
    }
}

#[test]
fn searches_without_scores_show_that_every_trial_failed() {
    let space = space(3);
    let mut all = trials(&space, 12);
    let of = |all: &mut Vec<TrialPoint>, score: Option<f64>, name: &str, wanted: &[&str]| {
        all.iter_mut().for_each(|it| it.score = score);
        let trials = Trials {
            space: &space,
            metric: "valid_loss",
            higher_is_better: false,
            trials: all,
            winner: None,
        };
        shown(name, &trials, wanted)
    };
    of(&mut all, None, "failed", &ALL[..1]);
    of(&mut all, Some(f64::NAN), "nan", &ALL[..1]);
    // Equal scores say nothing about the parameters.
    of(&mut all, Some(0.5), "equal", &ALL[..3]);
    let one = &mut all[..1].to_vec();
    of(one, Some(0.5), "one", &ALL[..3]);
    of(&mut vec![], None, "none", &ALL[..1]);
}

#[test]
fn a_loss_that_diverged_does_not_flatten_the_others() {
    let space = space(2);
    let mut all = trials(&space, 40);
    all.iter_mut().for_each(|it| it.score = it.score.map(|score| 1.0 - score));
    all[4].score = Some(1e12);
    let trials = Trials {
        space: &space,
        metric: "valid_loss",
        higher_is_better: false,
        trials: &all,
        winner: None,
    };
    let figures = shown("diverged", &trials, &ALL);
    assert!(figures[0].words.ends_with("; 1 far worse, drawn at the edge"), "{}", figures[0].words);
    let heights = figures[0].panel.marks.iter().filter_map(|mark| match mark {
        Mark::Dot { centre, .. } if centre.1 > 30.0 => Some(centre.1),
        _ => None,
    });
    let (low, high) =
        heights.fold((f64::INFINITY, 0.0_f64), |(low, high), y| (low.min(y), high.max(y)));
    assert!(high - low > 150.0, "{low} {high}");
}

#[test]
fn names_are_as_short_as_they_can_be_told_apart() {
    let space = space(11);
    let trials =
        Trials { space: &space, metric: "m", higher_is_better: true, trials: &[], winner: None };
    let view = View::new(&trials);
    assert_eq!(view.names[0], "learning_rate");
    assert_eq!([&view.names[3], &view.names[5]], ["cnn.dropout", "other.dropout"]);
    let ticks = |parameter| {
        let axis = view.axis(parameter, view::Way::Across(214.0));
        axis.ticks.into_iter().map(|(_, words)| words).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ticks(0), "1e-5 1e-4 0.001 0.01 0.1");
    assert_eq!(ticks(1), "50 100");
    let settings = [Setting::Choice(0), Setting::Choice(39)];
    let [first, last] = settings.map(|setting| space.place(6, &setting));
    assert_eq!([first, last], [0.0125, 0.9875]);
}
