//! The page as a whole.

use std::fs;
use std::path::Path;

use super::fake::{self, Fake, gtzan};
use super::fake_data;
use super::*;
use crate::metrics::{Clustered, Estimate};
use crate::record::Predictions;

pub(super) fn options(order: &[&str]) -> Options {
    let order = order.iter().map(|name| (*name).to_owned()).collect();
    Options { title: "Does it hold?".to_owned(), order, ..Options::default() }
}

pub(super) fn page(runs: &[Run], options: &Options, folder: &Path) -> String {
    fs::read_to_string(write(runs, options, folder).unwrap().readme).unwrap()
}

/// With `ENCORE_LOOK=FOLDER` the figures stay there to be looked at.
#[test]
fn the_same_records_give_the_same_bytes() {
    let temporary = tempfile::tempdir().unwrap();
    let root = std::env::var_os("ENCORE_LOOK").map_or(temporary.path().into(), PathBuf::from);
    let runs = fake::report_like(&root.join("runs"));
    let bytes = |folder: &str| {
        let written = write(&runs, &fake::options(), &root.join(folder)).unwrap();
        let mut files = written.figures;
        assert_eq!(files.len(), 2 * (1 + 9 + 7));
        files.extend([written.readme, written.page, written.results, written.parquet, written.tex]);
        files.extend([written.epochs, written.epochs_parquet]);
        files.iter().map(|file| fs::read(file).unwrap()).collect::<Vec<_>>()
    };
    assert!(bytes("first") == bytes("second"), "two pages from the same records differ");
}

/// With `ENCORE_LOOK=FOLDER` the page stays there to be looked at.
#[test]
fn a_page_of_500_columns_and_114_classes_is_small() {
    let temporary = tempfile::tempdir().unwrap();
    let root = std::env::var_os("ENCORE_LOOK").map_or(temporary.path().into(), PathBuf::from);
    let runs: Vec<Run> =
        (1..=3).map(|seed| fake::vast_run(&root.join("vast-runs"), seed)).collect();
    let data = vec![("vast".to_owned(), DatasetSummary::Columns(super::fake_data::vast()))];
    let options = Options { data, ..options(&["vast"]) };
    let written = write(&runs, &options, &root.join("vast")).unwrap();
    let size = |path: &Path| fs::metadata(path).unwrap().len();
    assert!(size(&written.page) < 3_000_000, "{} bytes", size(&written.page));
    assert!(size(&written.readme) < 100_000, "{} bytes", size(&written.readme));
    let page = fs::read_to_string(&written.page).unwrap();
    assert!(page.contains("the 20 largest of 114 classes, the others together"));
    // The classes themselves are all there.
    assert!(page.contains("摇滚乐与民谣 108") && page.contains("94 others"));
    let mut n_figures = 0;
    for figure in written.figures.iter().filter(|path| path.extension().unwrap() == "svg") {
        let svg = fs::read_to_string(figure).unwrap();
        let number = |name: &str| -> u32 {
            let rest = svg.split_once(&format!(" {name}=\"")).unwrap().1;
            rest.split('"').next().unwrap().parse().unwrap()
        };
        let (width, height) = (number("width"), number("height"));
        assert!(width <= 1_000 && height <= 2_200, "{}: {width} x {height}", figure.display());
        assert!(svg.len() < 1_000_000, "{}: {} bytes", figure.display(), svg.len());
        let n_bytes = size(&figure.with_extension("png"));
        assert!(n_bytes < 1_500_000, "{}: {n_bytes} bytes", figure.display());
        n_figures += 1;
    }
    assert_eq!(n_figures, 1 + 2 + 3, "accuracies, curves and confusion, three of the data");
}

#[test]
fn the_summary_reads_as_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let runs = [
        fake::run(folder.path(), &gtzan("cnn-3", 1, 0.84, 0.838)),
        fake::run(folder.path(), &Fake { cut: true, n_epochs: 3, ..gtzan("cnn-3", 1, 0.4, 0.838) }),
    ];
    let text = table(&runs, &options(&["dnn", "cnn-3"])).unwrap().text;
    let wanted = "\
experiment  dataset  claim  ours [95 %]            delta  verdict         seeds    time
dnn                                                       not run
cnn-3       gtzan    0.838  0.838 [0.824, 0.852]  +0.000  inconclusive        1  15 min
cnn-3       gtzan*   0.838  0.476 [0.457, 0.495]       -  not comparable      1    24 s
- cnn-3: inconclusive, 4 more seeds would decide
- cnn-3: the split leaks, 2,992 of 2,996 test examples have their track in train or valid
- cnn-3: not comparable, shortened run (3 of 250 epochs)
- cnn-3: * on gtzan, shortened run: 3 of 250 epochs
";
    assert_eq!(text, wanted);
}

#[test]
fn the_terminal_table_fits_100_columns() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = fake::report_like(folder.path());
    let long = "a-very-long-name-of-an-experiment-that-nobody-should-give";
    runs.push(fake::run(
        folder.path(),
        &Fake { dataset: "synth-genres", ..gtzan(long, 1, 0.5, 0.6) },
    ));
    let text = table(&runs, &fake::options()).unwrap().text;
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?} columns:\n{text}");
    assert!(text.contains('…'));
}

#[test]
fn numbers_of_the_page_are_those_of_the_records() {
    let folder = tempfile::tempdir().unwrap();
    let runs: Vec<Run> = [(1, 0.82), (2, 0.84), (3, 0.85)]
        .iter()
        .map(|(seed, accuracy)| fake::run(folder.path(), &gtzan("cnn-3", *seed, *accuracy, 0.838)))
        .collect();
    let text = page(&runs, &options(&["cnn-3"]), &folder.path().join("page"));
    // 967 tracks are behind the 2,996 test examples: the interval counts tracks.
    let score = |run: &Run| {
        let Predictions::Classes(rows) = run.predictions().unwrap() else { panic!() };
        let right = rows.iter().map(|row| f64::from(u8::from(row.actual == row.predicted)));
        let track = |row: &crate::record::Prediction| row.example.track[1..].parse().unwrap();
        let tracks: Vec<usize> = rows.iter().map(track).collect();
        Clustered::mean(&right.collect::<Vec<_>>(), &tracks, 967)
    };
    let estimate = Estimate::of(&runs.iter().map(score).collect::<Vec<_>>());
    let interval = estimate.fraction_interval();
    let ours = format!("{:.3} [{:.3}, {:.3}]", interval.mean, interval.low, interval.high);
    assert_eq!(text.matches(&ours).count(), 3, "summary, leak table and answer: {ours}");
    assert!(text.contains("| 0.838 (report, table 1) |"));
    assert!(text.contains("interval: over the 967 tracks"));
    for run in &runs {
        let line = format!("|    {} | {:.3} |", run.record.seed, run.record.scored().main());
        assert!(text.contains(&line), "{line}");
        assert!(text.contains(&format!("[{}](../{})", run.id, run.id)));
    }
    let csv = fs::read_to_string(folder.path().join("page/results.csv")).unwrap();
    let first = format!("cnn-3,gtzan,1,{},", runs[0].record.scored().main());
    assert!(csv.lines().nth(1).is_some_and(|line| line.starts_with(&first)), "{csv}");
}

#[test]
fn every_epoch_of_every_run_of_the_page_is_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let of_two = Fake { n_epochs: 2, ..gtzan("cnn-3", 7, 0.84, 0.838) };
    let runs = [
        fake::run(folder.path(), &Fake { n_epochs: 3, ..gtzan("cnn-3", 8, 0.82, 0.838) }),
        fake::run(folder.path(), &of_two),
        fake::run(folder.path(), &Fake { n_epochs: 0, ..gtzan("baseline", 1, 0.1, 0.0) }),
    ];
    let written = write(&runs, &options(&["cnn-3"]), &folder.path().join("page")).unwrap();
    let texts = ["experiment", "dataset", "run"];
    let numbers = [
        "seed",
        "epoch",
        "train_loss",
        "train_accuracy",
        "valid_loss",
        "valid_accuracy",
        "learning_rate",
        "seconds",
    ];
    let read = |path: &Path| crate::table::Table::read_csv(path, &texts, &numbers).unwrap();
    let (csv, parquet) = (read(&written.epochs), read(&written.epochs_parquet));
    assert_eq!((&csv.texts, &csv.numbers), (&parquet.texts, &parquet.numbers));
    assert_eq!(csv.numbers["seed"], [7.0, 7.0, 8.0, 8.0, 8.0]);
    assert_eq!(csv.numbers["epoch"], [1.0, 2.0, 1.0, 2.0, 3.0]);
    let losses: Vec<f64> = fake::epochs(&of_two).iter().map(|epoch| epoch.valid_loss).collect();
    assert_eq!(csv.numbers["valid_loss"][..2], losses);
    assert_eq!(csv.texts["run"][4], runs[0].id);
    // A page without a curve has the files too, without a line.
    let written = write(&runs[2..], &options(&[]), &folder.path().join("page")).unwrap();
    assert_eq!(read(&written.epochs_parquet).lines.len(), 0);
    assert_eq!(fs::read_to_string(&written.epochs).unwrap().lines().count(), 1);
}

#[test]
fn the_warning_about_a_leak_is_there_exactly_if_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let leaking = fake::run(folder.path(), &gtzan("cnn-3", 1, 0.84, 0.838));
    let honest = Fake { leaks: false, claim: None, ..gtzan("honest/cnn-3", 1, 0.6, 0.0) };
    let honest = fake::run(folder.path(), &honest);
    let options = options(&["cnn-3"]);
    let at = folder.path().join("page");
    let both = page(&[leaking.clone(), honest.clone()], &options, &at);
    assert!(both.contains("**Warning: these splits leak.**"));
    assert!(both.contains("2,992 of 2,996"));
    let difference = honest.record.scored().main() - leaking.record.scored().main();
    assert!(both.contains(&format!(" {difference:+.3} |")));
    let alone = page(std::slice::from_ref(&leaking), &options, &at);
    assert!(alone.contains("Warning") && alone.contains("| not run "));
    assert!(!page(&[honest], &options, &at).contains("Warning"));
}

#[test]
fn pictures_of_the_data_have_a_section_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let runs = [fake::run(folder.path(), &gtzan("dnn", 1, 0.5, 0.578))];
    let summaries = fake_data::summaries().into_iter();
    let names = ["gtzan", "spotify songs"].map(str::to_owned);
    let options = Options { data: names.into_iter().zip(summaries).collect(), ..options(&[]) };
    let text = page(&runs, &options, &folder.path().join("page"));
    assert!(text.contains("## The data\n\n### gtzan\n\nOne segment of disco.00000"), "{text}");
    assert!(text.contains("### spotify songs\n\n400 rows in 8 classes, 6 columns.\n"), "{text}");
    assert_eq!(text.matches("](figures/data-gtzan-").count(), 5);
    assert_eq!(text.matches("](figures/data-spotify-songs-").count(), 3);
    assert!(text.find("## The data").unwrap() < text.find("## dnn").unwrap());
}

#[test]
fn experiments_without_a_run_are_listed_as_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let text = page(&[], &options(&["dnn", "cnn-1"]), folder.path());
    assert!(text.contains("Not run: 2 of 2 experiments."));
    assert_eq!(text.matches("| not run ").count(), 2);
}

#[test]
fn synthetic_and_cut_runs_say_so_and_are_not_comparable() {
    let folder = tempfile::tempdir().unwrap();
    let stand_in = Fake { dataset: "synth-genres", ..gtzan("dnn", 1, 0.578, 0.578) };
    let cut = Fake { cut: true, ..gtzan("cnn-1", 1, 0.691, 0.691) };
    let runs = [stand_in, cut].map(|fake| fake::run(folder.path(), &fake));
    let text = page(&runs, &options(&["dnn", "cnn-1"]), &folder.path().join("page"));
    assert!(text.contains("0 reproduced, 0 differ, 0 inconclusive and 2 not comparable"));
    assert!(text.contains("synth-genres (synthetic)"));
    assert!(text.contains("gtzan, cut: 3 of 250 epochs"));
    assert!(
        text.contains("- dnn: the published figure is for gtzan, these runs used synth-genres")
    );
    assert!(text.contains("- cnn-1: shortened run (3 of 250 epochs)."));
}

#[test]
fn of_two_runs_with_one_seed_the_later_counts() {
    let folder = tempfile::tempdir().unwrap();
    let mut early = fake::run(folder.path(), &gtzan("dnn", 1, 0.5, 0.578));
    let late = fake::run(folder.path(), &gtzan("dnn", 1, 0.6, 0.578));
    early.record.timings.started = "2025-01-01T00:00:00Z".to_owned();
    let text = page(&[early, late.clone()], &options(&[]), &folder.path().join("page"));
    assert!(text.contains("Over 1 seed, "));
    assert!(text.contains(&format!("{:.3} [", late.record.scored().main())));
    assert!(text.contains("left out: 1 earlier run: the same seed was run again"));
}

#[test]
fn a_record_that_contradicts_itself_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = fake::run(folder.path(), &gtzan("dnn", 1, 0.5, 0.578));
    fake::of_classes_mut(run.record.test.as_mut().unwrap()).accuracy = 0.9;
    let error = write(&[run], &options(&[]), &folder.path().join("page")).unwrap_err().to_string();
    assert!(error.contains("dnn-gtzan-1/record.json: test.accuracy must be"), "{error}");
    assert!(error.contains("\nhint: copy "), "{error}");
}

#[test]
fn damaged_curves_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let run = fake::run(folder.path(), &gtzan("dnn", 1, 0.5, 0.578));
    fs::write(run.folder.join("epochs.jsonl"), "{\"epoch\":").unwrap();
    let error = write(&[run], &options(&[]), &folder.path().join("page")).unwrap_err().to_string();
    assert!(error.contains("dnn-gtzan-1/epochs.jsonl: is damaged or was changed"), "{error}");
}

#[test]
fn damaged_predictions_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let run = fake::run(folder.path(), &gtzan("dnn", 1, 0.5, 0.578));
    fs::write(run.folder.join("predictions.csv"), "track,segment\n").unwrap();
    let error = table(&[run], &options(&[])).unwrap_err().to_string();
    assert!(error.contains("dnn-gtzan-1/predictions.csv: is damaged or was changed"), "{error}");
}

/// It stands here because this room has made-up runs.
#[test]
fn of_two_processes_that_make_one_run_the_second_compares_and_uses_the_first() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("runs");
    let fake = Fake { n_epochs: 3, ..gtzan("dnn", 1, 0.5, 0.578) };
    let (same, mut other) = (fake::predictions(&fake), fake::predictions(&fake));
    other[0].probabilities[0] += 0.25;
    let attempts = home.path().join("attempts");
    // A lock whose file is gone keeps nobody away, as on a file system where locks are not seen.
    let begin = |predictions: &[crate::record::Prediction]| {
        let writer = fake::begin(&root, &fake, predictions, &fake::record(&fake).data.classes);
        fs::remove_file(attempts.join("dnn-gtzan-1.lock")).unwrap();
        writer
    };
    let epochs = fake::epochs(&fake);
    let finish =
        |writer: crate::record::RunWriter| writer.finish(fake::record(&fake), &epochs).unwrap();
    let (first, second, third) = (begin(&same), begin(&same), begin(&other));
    assert_eq!(fs::read_dir(&attempts).unwrap().count(), 3, "an attempt each");
    let (run, note) = finish(first);
    assert_eq!(note, None);
    let published = fs::read(run.folder.join("record.json")).unwrap();
    assert_eq!(finish(second).1, None, "the same bits");
    let (used, note) = finish(third);
    let note = note.unwrap();
    assert!(note.contains("its outputs differ: expected equal bits, found predictions"), "{note}");
    assert!(!note.contains("curves") && note.contains("hint: encore verify dnn-gtzan-1"), "{note}");
    assert_eq!(used.record.seal, run.record.seal);
    assert_eq!(fs::read(run.folder.join("record.json")).unwrap(), published, "the first stays");
    assert_eq!(fs::read_dir(&attempts).unwrap().count(), 0, "no attempt stays");
    // A damaged run is replaced, and an attempt that somebody removes is made again.
    fs::write(run.folder.join("split.csv"), "damaged").unwrap();
    let fourth = begin(&same);
    for attempt in fs::read_dir(&attempts).unwrap() {
        fs::remove_dir_all(attempt.unwrap().path()).unwrap();
    }
    let (run, note) = finish(fourth);
    assert_eq!(note, None);
    let store = crate::record::Store::new(&root);
    assert_eq!(store.read_whole(&run.id).unwrap().unwrap().record.outputs, used.record.outputs);
    assert_eq!(fs::read_dir(&attempts).unwrap().count(), 0);
}
