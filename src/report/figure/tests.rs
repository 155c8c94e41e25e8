//! What holds of every figure: its texts are large enough, none is clipped or lies on another.

use super::canvas::{Figure, Mark, Text};
use super::*;
use crate::record::{Degraded, Run, Store};
use crate::report::{fake, fake_data, fake_studies, fake_tasks, group};

fn texts(figure: &Figure) -> Vec<&Text> {
    let marks = figure.marks.iter();
    marks.filter_map(|mark| if let Mark::Text(text) = mark { Some(text) } else { None }).collect()
}

#[test]
fn no_label_is_clipped_or_lies_on_another() {
    let folder = tempfile::tempdir().unwrap();
    let runs = fake::report_like(folder.path());
    let options = fake::options();
    let rows = group::rows(&runs, &options).unwrap();
    let groups: Vec<&Group> = rows.iter().filter_map(Row::group).collect();
    let mut figures = vec![accuracies::figure(Task::Classes, &groups)];
    for group in &groups {
        let epochs: Vec<_> = group.runs.iter().map(|run| run.epochs().unwrap()).collect();
        if !epochs[0].is_empty() {
            figures.push(curves::figure(group, &epochs));
        }
        figures.push(matrix::figure(group));
    }
    assert_eq!(figures.len(), 1 + 9 + 7);
    figures
        .extend(fake_data::summaries().iter().flat_map(summary_figures).map(|(_, figure)| figure));
    figures.push(sound::sheet(&fake_data::segment(), "disco: a track of fake"));
    assert_eq!(figures.len(), 17 + 5 + 3 + 3 + 1);
    figures.iter().for_each(assert_legible);
}

#[test]
fn figures_of_robustness_are_legible_with_four_curves_and_nine_panels() {
    let folder = tempfile::tempdir().unwrap();
    let runs = fake::report_like(folder.path());
    let store = Store::new(folder.path().join("runs")).degraded(1);
    let of_dnns =
        |run: &&Run| ["dnn", "cnn-1", "cnn-2", "cnn-3"].contains(&run.record.experiment.as_str());
    let mut degradations = vec!["none".to_owned()];
    for (name, values) in [
        ("white_noise snr_db", "40 30 20 10 0"),
        ("mp3 bitrate_kbps", "320 128 64 32 16"),
        ("low_pass cutoff_hz", "8000 4000 2000 1000"),
        ("down_up rate_hz", "16000 11025 8000 4000"),
        ("clip_share share", "0.01 0.05 0.1 0.3"),
        ("a_degradation_with_quite_a_long_name_of_its_own rt60_s", "0.2 0.5 1 2"),
        ("gain gain_db", "-40 -20 -10 10"),
        ("pitch semitones", "-4 -2 -1 1 2 4"),
        ("speed factor", "0.8 0.9 1.1 1.25"),
    ] {
        degradations.extend(values.split(' ').map(|value| format!("{name}={value}")));
    }
    for run in runs.iter().filter(of_dnns).filter(|run| run.record.seed < 3) {
        let predictions = run.predictions().unwrap();
        for degradation in &degradations {
            let (degradation, predictions) = (degradation.clone(), predictions.clone());
            let degraded = Degraded { degradation, skipped: vec![], n_too_short: 0, predictions };
            store.write(run, &degraded).unwrap();
        }
    }
    let runs: Vec<Run> = runs.iter().filter(|run| run.record.seed < 3).cloned().collect();
    let options = Options { degraded: Some(store), ..fake::options() };
    let rows = group::rows(&runs, &options).unwrap();
    let sections = crate::report::robust::sections(&rows, &options).unwrap();
    assert_eq!(sections.iter().map(|it| it.measured.names.len()).collect::<Vec<_>>(), [4, 1]);
    for Section { measured } in &sections {
        assert_eq!(measured.curves.len(), 9);
        assert_legible(&robust::figure(measured));
        assert_legible(&robust::panels(measured));
    }
}

#[test]
fn figures_of_learning_curves_and_ablations_are_legible() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = fake_studies::curve(folder.path());
    let curves = crate::report::learning::curves(&runs).unwrap();
    assert_legible(&learning_curve::figure(&curves[0]));
    assert_legible(&learning_curve::panel(&curves[0]));
    // Without a law.
    let two = crate::report::learning::curves(&runs[..4]).unwrap();
    assert_legible(&learning_curve::figure(&two[0]));
    let changes = fake_studies::ablation(folder.path());
    let ablations = crate::report::ablation::ablations(&changes).unwrap();
    assert_legible(&ablation::figure(&ablations[0]));
    assert_legible(&ablation::panel(&ablations[0]));
    // Both pages have them, and no row for any of their runs but those of the specs themselves.
    runs.extend(changes);
    let written = crate::report::write(&runs, &fake::options(), &folder.path().join("p")).unwrap();
    assert!(written.figures.iter().any(|path| path.ends_with("figures/learning-curve.svg")));
    assert!(written.figures.iter().any(|path| path.ends_with("figures/ablation.png")));
    assert_eq!(written.table.results.len(), 2);
}

#[test]
fn figures_of_tags_and_numbers_are_legible_too() {
    let folder = tempfile::tempdir().unwrap();
    let runs = fake_tasks::mixed(folder.path());
    let options = fake::options();
    let rows = group::rows(&runs, &options).unwrap();
    for task in [Task::Tags, Task::Number] {
        let of_task = |group: &&Group| group.task() == task;
        let groups: Vec<&Group> = rows.iter().filter_map(Row::group).filter(of_task).collect();
        assert_eq!(groups.len(), 2);
        assert_legible(&accuracies::figure(task, &groups));
        for group in groups {
            let epochs: Vec<_> = group.runs.iter().map(|run| run.epochs().unwrap()).collect();
            assert_legible(&curves::figure(group, &epochs));
            assert_eq!(curves::panels("x", None, &epochs).len(), 1, "the loss alone");
            assert_eq!(group.more.points.len(), if task == Task::Number { 720 } else { 0 });
            if task == Task::Number {
                assert_legible(&scatter::figure(group));
                assert_legible(&scatter::panel(group));
            }
        }
    }
}

/// With 19 classes and 19 columns, names that are far too long, and numbers of all sizes.
#[test]
fn crowded_figures_are_legible_too() {
    let classes = (0..19).map(|i| format!("a genre with quite a long name {i}")).collect();
    let labels: Vec<usize> = (0..190).map(|i| i % 19).collect();
    let scale = |j: i32| 10.0_f64.powi(j - 7) * if j % 2 == 0 { 1.0 } else { -1.0 };
    let column = |j: i32| (0..190).map(|i| scale(j) * f64::from(i * i % 97) / 3.0).collect();
    let columns: Vec<(String, Vec<f64>)> =
        (0..19).map(|j| (format!("mean of the feature {j}"), column(j))).collect();
    let notes = (0..20).map(|i| format!("track {i}: {}", "damaged ".repeat(20))).collect();
    let data = fake_data::columns_of("a-dataset", "row", classes, &labels, &columns, notes);
    summary_figures(&DatasetSummary::Columns(data))
        .iter()
        .for_each(|(_, figure)| assert_legible(figure));
}

#[test]
fn figures_of_500_columns_and_114_classes_are_small_and_say_what_they_leave_out() {
    let folder = tempfile::tempdir().unwrap();
    let summary = DatasetSummary::Columns(fake_data::vast());
    let figures = summary_figures(&summary);
    let limits = [
        ("counts", (720, 1_200), "classes; the 40 largest, without 740 rows of the others"),
        (
            "histograms",
            (720, 2_200),
            "the 12 of 500 columns that differ most between classes, the 20 largest of 114 classes",
        ),
        ("correlations", (720, 900), "the 40 of 500 columns that differ most between classes"),
    ];
    assert_eq!(figures.len(), limits.len());
    for ((end, figure), (wanted, (width, height), words)) in figures.iter().zip(limits) {
        assert_eq!(*end, wanted);
        assert!(figure.width <= width && figure.height <= height, "{end}: {}", figure.height);
        let said = texts(figure).iter().any(|text| text.words.contains(words));
        assert!(said, "{end} does not say: {words}");
        assert_legible(figure);
        let svg = render::svg(figure, Path::new("x.svg")).unwrap();
        assert!(svg.len() < 1_000_000, "{end}: {} bytes", svg.len());
        assert!(svg.contains("摇滚乐") && !svg.contains('\u{1b}'));
        render::save(figure, folder.path(), end).unwrap();
        let n_bytes = std::fs::metadata(folder.path().join(format!("{end}.png"))).unwrap().len();
        assert!(n_bytes < 1_500_000, "{end}: {n_bytes} bytes");
    }
    let n_bytes: usize =
        summary_data(&summary).unwrap().iter().map(|(_, address)| address.len()).sum();
    assert!(n_bytes < 2_000_000, "{n_bytes} bytes on the page");
    assert!(png_notice().is_some());
}

/// No text is clipped, none lies on another, and none is smaller than 12 px on a page of 720 px
/// in the figures that are no wider than that.
pub(super) fn assert_legible(figure: &Figure) {
    let texts = texts(figure);
    for (i, text) in texts.iter().enumerate() {
        let (left, top, right, bottom) = text.bounds();
        let (width, height) = (f64::from(figure.width), f64::from(figure.height));
        let inside = left >= 2.0 && top >= 2.0 && right <= width - 2.0 && bottom <= height - 2.0;
        assert!(inside, "{}: `{}` is clipped", figure.title, text.words);
        let is_large = text.size >= 12.0 || figure.width > 720;
        assert!(is_large, "{}: `{}` is too small", figure.title, text.words);
        for other in &texts[..i] {
            let theirs = other.bounds();
            let apart =
                right <= theirs.0 || theirs.2 <= left || bottom <= theirs.1 || theirs.3 <= top;
            let pair = (&text.words, &other.words);
            assert!(apart, "{}: {pair:?} overlap", figure.title);
        }
    }
}
