//! A file that keeps the scores of runs between two reports, so that their predictions are read once.
//!
//! It is derived and never the source of a result: scores are looked up by the hash of all that they
//! follow from. That is what the records say of the data and the predictions, the stamps of the files
//! with the predictions, the metrics asked for, and this program: its source, compiler and target. What
//! is missing, damaged or outdated is computed again. Where the file can't be written, everything is
//! computed every time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use super::ReportError;
use super::runs::Runs;
use super::scores::Scores;
use crate::disk;
use crate::metrics::Metric;
use crate::record::Stamp;
use crate::vocab::{Sha256, sha256_hex};

/// Bytes that outdated scores may take before they are removed, besides twice those of the others.
const MOST_UNUSED: usize = 1 << 20;

/// The scores of a file: lines `KEY CHECKSUM JSON`.
#[derive(Debug, Default)]
pub(super) struct ScoreCache<'a> {
    path: Option<&'a Path>,
    /// Checksum and JSON by key, as they were read.
    known: BTreeMap<String, String>,
    changes: Mutex<Changes>,
}

#[derive(Debug, Default)]
struct Changes {
    used: BTreeSet<String>,
    new: BTreeMap<String, String>,
}

impl<'a> ScoreCache<'a> {
    /// Reads the file; `None` keeps nothing.
    pub(super) fn open(path: Option<&'a Path>) -> Self {
        let text = path.and_then(|path| fs::read(path).ok()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let line = |line: &str| line.split_once(' ').map(|(key, rest)| (key.into(), rest.into()));
        Self { path, known: text.lines().filter_map(line).collect(), changes: Mutex::default() }
    }

    /// The scores of some runs: those that were kept, or computed from their predictions.
    ///
    /// # Errors
    /// Where predictions can't be read.
    pub(super) fn scores(&self, runs: &Runs, metrics: &[Metric]) -> Result<Scores, ReportError> {
        let Some(key) = self.path.and_then(|_| key(runs, metrics)) else {
            return Scores::of(runs, metrics);
        };
        let scores = match self.known.get(&key).and_then(|rest| parse(rest)) {
            Some(scores) => scores,
            None => {
                let scores = Scores::of(runs, metrics)?;
                let json = serde_json::to_string(&scores).expect("scores are plain data");
                let line = format!("{} {json}", sha256_hex(json.as_bytes()));
                self.changes().new.insert(key.clone(), line);
                scores
            }
        };
        self.changes().used.insert(key);
        Ok(scores)
    }

    /// Whether the scores of some runs were kept.
    pub(super) fn has(&self, runs: &Runs, metrics: &[Metric]) -> bool {
        let rest = key(runs, metrics).and_then(|key| self.known.get(&key));
        rest.is_some_and(|rest| parse(rest).is_some())
    }

    /// Writes the file if there are new scores.
    pub(super) fn save(self) {
        let Changes { used, new } = self.changes.into_inner().expect("no holder panics");
        let Some(path) = self.path.filter(|_| !new.is_empty()) else { return };
        let mut all = self.known;
        all.extend(new);
        let size = |is_used: bool| -> usize {
            let lines = all.iter().filter(|(key, _)| used.contains(*key) == is_used);
            lines.map(|(_, rest)| rest.len()).sum()
        };
        if size(false) > 2 * size(true) + MOST_UNUSED {
            all.retain(|key, _| used.contains(key));
        }
        let text: String = all.iter().map(|(key, rest)| format!("{key} {rest}\n")).collect();
        let _ = disk::write_whole(path, text.as_bytes());
    }

    fn changes(&self) -> std::sync::MutexGuard<'_, Changes> {
        self.changes.lock().expect("no holder panics")
    }
}

/// The hash of all that the scores follow from; `None` where a file is missing or has no stamp.
fn key(runs: &Runs, metrics: &[Metric]) -> Option<String> {
    let program = [env!("ENCORE_SOURCE"), env!("ENCORE_RUSTC"), env!("ENCORE_TARGET")];
    let mut hash = program.into_iter().fold(Sha256::new(), Sha256::piece);
    for metric in metrics {
        hash = hash.piece(metric.as_str());
    }
    for run in &runs.runs {
        let record = &run.record;
        let file = run.folder.join("predictions.csv");
        let facts = (
            Stamp::of(&file)?,
            record.files.get("predictions.csv"),
            (record.seed, record.scored().n()),
            (&record.data.hash, &record.data.classes, record.data.task),
        );
        hash = hash.piece(serde_json::to_vec(&facts).expect("facts are plain data"));
    }
    Some(hash.hex())
}

/// The scores of a line, if it is what was written.
fn parse(rest: &str) -> Option<Scores> {
    let (checksum, json) = rest.split_once(' ')?;
    (checksum == sha256_hex(json.as_bytes())).then(|| serde_json::from_str(json).ok())?
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::record::Run;
    use crate::report::fake::{self, gtzan};
    use crate::report::{Options, Written, claims, table, whole, write};

    fn with(scores: &Path, options: Options) -> Options {
        Options { scores: Some(scores.to_owned()), ..options }
    }

    /// The text files of a page, and the ledger.
    fn all(runs: &[Run], options: &Options, folder: &Path) -> Vec<Vec<u8>> {
        let written = write(runs, options, folder).unwrap();
        let Written { readme, page, results, epochs, tex, .. } = written;
        let read = |path: PathBuf| fs::read(path).unwrap();
        let mut all: Vec<Vec<u8>> =
            [readme, page, results, epochs, tex].into_iter().map(read).collect();
        all.push(claims(runs, options).unwrap().text.into_bytes());
        all
    }

    #[test]
    fn a_page_is_the_same_with_kept_scores_without_and_with_damaged_ones() {
        let folder = tempfile::tempdir().unwrap();
        let runs = fake::report_like(&folder.path().join("runs"));
        let (page, file) = (folder.path().join("page"), folder.path().join("scores"));
        let without = all(&runs, &fake::options(), &page);
        let options = with(&file, fake::options());
        assert!(all(&runs, &options, &page) == without);
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.lines().count(), 9, "a line per group");
        let kept = text.clone().into_bytes();
        assert!(all(&runs, &options, &page) == without);
        let mut changed = kept.clone();
        let digit = changed.iter().rposition(u8::is_ascii_digit).unwrap();
        changed[digit] ^= 1;
        for damaged in [&b"\xff\nrubbish\n"[..], &kept[..kept.len() / 2], &changed] {
            fs::write(&file, damaged).unwrap();
            assert!(all(&runs, &options, &page) == without);
            let now = fs::read_to_string(&file).unwrap();
            assert!(text.lines().all(|line| now.contains(line)));
        }
        // Where the file can't be written, everything works.
        fs::remove_file(&file).unwrap();
        fs::create_dir_all(file.join("a")).unwrap();
        assert!(all(&runs, &options, &page) == without);
    }

    #[test]
    fn kept_scores_are_used_and_predictions_are_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let runs = [fake::run(&folder.path().join("runs"), &gtzan("cnn-3", 1, 0.84, 0.838))];
        let file = folder.path().join("scores");
        let options = with(&file, fake::options());
        let first = claims(&runs, &options).unwrap();
        // Scores that can't come from these predictions, with the right checksum.
        let text = fs::read_to_string(&file).unwrap();
        let (key, rest) = text.trim_end().split_once(' ').unwrap();
        let mut scores = parse(rest).unwrap();
        scores.estimate.value = 0.123;
        let json = serde_json::to_string(&scores).unwrap();
        let line = format!("{key} {} {json}\n", sha256_hex(json.as_bytes()));
        fs::write(&file, line).unwrap();
        let shown = table(&runs, &options).unwrap().text;
        assert!(shown.contains("0.123 ["), "{shown}");
        assert_eq!(claims(&runs, &fake::options()).unwrap(), first);
    }

    #[test]
    fn changed_predictions_and_changed_claims_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("runs");
        let mut runs: Vec<Run> =
            (1..=2).map(|seed| fake::run(&store, &gtzan("cnn-3", seed, 0.84, 0.838))).collect();
        let file = folder.path().join("scores");
        let options = with(&file, fake::options());
        claims(&runs, &options).unwrap();
        let n_lines = || fs::read_to_string(&file).unwrap().lines().count();
        assert_eq!(n_lines(), 1);
        // Another value or margin needs no new scores, another metric does.
        runs.iter_mut().for_each(|run| run.record.claims[0].value = 0.2);
        let text = claims(&runs, &options).unwrap().text;
        assert!(text.contains("accuracy 0.200") && text.contains("differs"), "{text}");
        assert_eq!(n_lines(), 1);
        runs.iter_mut().for_each(|run| run.record.claims[0].metric = "macro_f1".to_owned());
        let ours = claims(&runs, &options).unwrap();
        assert_eq!(ours, claims(&runs, &fake::options()).unwrap());
        assert!(ours.text.contains("macro_f1 0.200"), "{}", ours.text);
        assert_eq!(n_lines(), 2);
        // Fewer runs are other runs.
        let one = claims(&runs[..1], &options).unwrap();
        assert_eq!(one, claims(&runs[..1], &fake::options()).unwrap());
        assert_eq!(n_lines(), 3);
        // A file of the same length, with the same time of modification.
        let path = runs[1].folder.join("predictions.csv");
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replacen("0.6", "0.7", 1)).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        let error = claims(&runs, &options).unwrap_err();
        assert!(error.is_of_run() && error.to_string().contains("is damaged"), "{error}");
        // The other run's scores are kept, and it alone is whole.
        let (whole, damaged) = whole(runs.clone(), Some(&file));
        assert_eq!((whole.len(), damaged.len()), (1, 1));
        assert_eq!(whole[0].id, runs[0].id);
        fs::remove_file(&path).unwrap();
        assert!(claims(&runs, &options).unwrap_err().to_string().contains("is missing"));
    }

    #[test]
    fn outdated_scores_are_removed_when_they_are_many() {
        let folder = tempfile::tempdir().unwrap();
        let runs = [fake::run(&folder.path().join("runs"), &gtzan("cnn-3", 1, 0.84, 0.838))];
        let file = folder.path().join("scores");
        let options = with(&file, fake::options());
        let n_lines = || fs::read_to_string(&file).unwrap().lines().count();
        fs::write(&file, "few few\n").unwrap();
        claims(&runs, &options).unwrap();
        assert_eq!(n_lines(), 2);
        let many: String = (0..20).map(|i| format!("{i} {}\n", "x".repeat(100_000))).collect();
        fs::write(&file, many).unwrap();
        claims(&runs, &options).unwrap();
        assert_eq!(n_lines(), 1);
    }
}
