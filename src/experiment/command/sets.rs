//! The examples of a run as the files of a job.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rayon::prelude::*;

use super::super::context::Workspace;
use super::super::error::RunError;
use super::super::fold::Fold;
use super::place::folder_of;
use crate::audio::{Waveform, write_wav};
use crate::dataset::{AudioData, Data};
use crate::delimited::Writer;
use crate::features::{Examples, Features, Segments};
use crate::model::ModelError;
use crate::model::command::{Input, Names};
use crate::table::{npy_head, write_npy};
use crate::vocab::Targets;

/// The folder of recordings, beside the job folder: programs may not write there.
pub(super) const RECORDINGS: &str = "recordings";

/// The examples of a job, written.
pub(super) struct Sets {
    pub(super) shape: Vec<usize>,
    pub(super) train: Names,
    pub(super) valid: Names,
    pub(super) test: Names,
    pub(super) sample_rate_hz: Option<u32>,
    pub(super) columns: Option<Vec<String>>,
    pub(super) has_recordings: bool,
}

/// One set: its name and its rows, in the order in which the program gets them.
struct Set {
    name: &'static str,
    rows: Vec<usize>,
}

impl Sets {
    /// Writes the files of all sets into the job folder of an attempt.
    pub(super) fn write(
        fold: &Fold,
        input: Input,
        order: &[usize],
        attempt: &Path,
        workspace: Workspace,
    ) -> Result<Self, RunError> {
        let job = attempt.join("job");
        let (split, scored) = (&fold.audited.split, fold.scored_rows());
        let sets = [
            Set { name: "train", rows: split.train.clone() },
            Set { name: "valid", rows: split.valid.clone() },
            Set { name: "test", rows: order.iter().map(|&place| scored[place]).collect() },
        ];
        let mut made = match input {
            Input::Features => features(fold, &sets, &job)?,
            Input::Table => table(fold, &sets, &job)?,
            Input::Waveforms => waveforms(fold, &sets, &job, workspace)?,
            Input::Paths => paths(fold, &sets, &job, &attempt.join(RECORDINGS), workspace)?,
        };
        // Never for the test set.
        for (set, names) in sets.iter().zip([&mut made.train, &mut made.valid]) {
            let file = format!("{}_labels.npy", set.name);
            let path = job.join(&file);
            write_targets(fold, &set.rows, &path).map_err(io_at(&path))?;
            names.labels = Some(file);
        }
        Ok(made)
    }

    fn new(sets: &[Set; 3], examples: Option<&str>, table: Option<&str>) -> Self {
        let names = |set: &Set| Names {
            n: set.rows.len(),
            examples: examples.map(|end| format!("{}{end}", set.name)),
            table: table.map(|end| format!("{}{end}", set.name)),
            labels: None,
        };
        let [train, valid, test] = sets;
        Self {
            shape: vec![],
            train: names(train),
            valid: names(valid),
            test: names(test),
            sample_rate_hz: None,
            columns: None,
            has_recordings: false,
        }
    }
}

/// Writes the targets of some rows: classes as int32 `[n]`, tags as float32 `[n, n_tags]` of 0 and 1, numbers
/// as float32 `[n]`.
fn write_targets(fold: &Fold, rows: &[usize], path: &Path) -> io::Result<()> {
    let n_outputs = fold.inputs.examples.classes.len();
    match fold.inputs.examples.targets.of_rows(rows, n_outputs) {
        Targets::Classes(labels) => {
            let labels: Vec<i32> = labels.iter().map(|&label| label as i32).collect();
            write_npy(path, &[rows.len()], [labels.as_slice()])
        }
        Targets::Tags(tags) => {
            let tags: Vec<f32> = tags.iter().map(|&tag| f32::from(u8::from(tag))).collect();
            write_npy(path, &[rows.len(), n_outputs], [tags.as_slice()])
        }
        Targets::Numbers(numbers) => write_npy(path, &[rows.len()], [numbers.as_slice()]),
    }
}

/// The targets of a row as cells of a table.
fn cells_of(targets: &Targets, row: usize, n_outputs: usize) -> Vec<String> {
    match targets {
        Targets::Classes(labels) => vec![labels[row].to_string()],
        Targets::Tags(tags) => {
            let tags = &tags[row * n_outputs..][..n_outputs];
            tags.iter().map(|&tag| u8::from(tag).to_string()).collect()
        }
        Targets::Numbers(numbers) => vec![numbers[row].to_string()],
    }
}

fn io_at(path: &Path) -> impl Fn(io::Error) -> RunError + '_ {
    move |error| {
        ModelError::File { path: path.display().to_string(), message: error.to_string() }.into()
    }
}

/// The features, after the preprocessing, as every other model sees them.
fn features(fold: &Fold, sets: &[Set; 3], job: &Path) -> Result<Sets, RunError> {
    let mut shape = vec![];
    for set in sets {
        let examples = fold.model_inputs.view(&set.rows);
        shape = examples.shape.to_vec();
        let path = job.join(format!("{}.npy", set.name));
        let whole: Vec<usize> = [examples.len()].into_iter().chain(shape.iter().copied()).collect();
        let rows = (0..examples.len()).map(|index| examples.example(index));
        write_npy(&path, &whole, rows).map_err(io_at(&path))?;
    }
    Ok(Sets { shape, ..Sets::new(sets, Some(".npy"), None) })
}

/// The columns of a table, before any preprocessing; a missing number is an empty cell. In the training
/// and validation sets the last columns have the targets: the label, a column for each tag, or the number.
fn table(fold: &Fold, sets: &[Set; 3], job: &Path) -> Result<Sets, RunError> {
    let Features::Table(columns) = &fold.plan.spec.features else {
        return Err(RunError::Incompatible("the run has no columns of a table".to_owned()));
    };
    let names = columns.names();
    let Examples { targets, classes, matrix, .. } = &fold.inputs.examples;
    let of_targets = match targets {
        Targets::Classes(_) => vec!["label".to_owned()],
        Targets::Tags(_) | Targets::Numbers(_) => classes.clone(),
    };
    for set in sets {
        // Never for the test set.
        let is_test = set.name == "test";
        let rows = set.rows.iter().map(|&row| {
            let numbers = &matrix.as_slice()[row * names.len()..][..names.len()];
            let cells = if is_test { vec![] } else { cells_of(targets, row, classes.len()) };
            (numbers, cells)
        });
        let path = job.join(format!("{}.csv", set.name));
        let text = table_text(&names, if is_test { &[] } else { &of_targets }, rows);
        fs::write(&path, text).map_err(io_at(&path))?;
    }
    Ok(Sets { columns: Some(names), ..Sets::new(sets, None, Some(".csv")) })
}

/// Rows of a table as CSV, each with its numbers and the cells of its targets. A target whose name is that of
/// an earlier column gets underscores at the end.
pub(super) fn table_text<'a>(
    names: &[String],
    targets: &[String],
    rows: impl Iterator<Item = (&'a [f32], Vec<String>)>,
) -> String {
    let mut writer = Writer::default();
    let mut head = names.to_vec();
    for name in targets {
        let mut name = name.clone();
        while head.contains(&name) {
            name.push('_');
        }
        head.push(name);
    }
    writer.row(&head);
    for (numbers, targets) in rows {
        let cell = |number: &f32| if number.is_nan() { String::new() } else { number.to_string() };
        writer.row(numbers.iter().map(cell).chain(targets));
    }
    writer.text()
}

/// What audio inputs share: the recordings, and where segments lie in them.
struct Audio {
    data: AudioData,
    segments: Segments,
}

impl Audio {
    fn load(fold: &Fold, workspace: Workspace) -> Result<Self, RunError> {
        let plan = fold.plan;
        let data = workspace.catalogue.load(&plan.spec.dataset, plan.options.shrink.data)?;
        match (data, &plan.spec.features) {
            (Data::Audio(data), Features::Audio { segments, .. }) => {
                Ok(Self { data, segments: *segments })
            }
            _ => Err(RunError::Incompatible("the run has no recordings".to_owned())),
        }
    }

    /// The samples of a row's segment in its recording.
    fn range(&self, segment: u32, n_samples: usize) -> Range<usize> {
        self.segments.range(self.data.sample_rate_hz, n_samples, segment as usize)
    }

    /// Where the segments of a set lie, as [`segments_text`].
    fn table(&self, fold: &Fold, set: &Set, paths: Option<&[PathBuf]>) -> String {
        let n_samples = |track: &str| {
            let track = self.data.tracks.iter().find(|it| it.id == track);
            track.map_or(0, |track| track.n_samples)
        };
        let mut lengths = BTreeMap::new();
        let ranges = set.rows.iter().map(|&row| {
            let id = &fold.inputs.examples.ids[row];
            let n = *lengths.entry(&id.track).or_insert_with(|| n_samples(&id.track));
            self.range(id.segment, n)
        });
        let paths = paths.map(|paths| paths.iter().map(PathBuf::as_path));
        segments_text(self.data.sample_rate_hz, ranges, paths)
    }
}

/// Where segments lie, as CSV: the path of the recording where the program gets it, and the start and the length
/// of the segment in seconds. `ranges` are samples.
pub(super) fn segments_text<'a>(
    sample_rate_hz: u32,
    ranges: impl Iterator<Item = Range<usize>>,
    paths: Option<impl Iterator<Item = &'a Path>>,
) -> String {
    let rate = f64::from(sample_rate_hz);
    let mut writer = Writer::default();
    writer.row(paths.as_ref().map(|_| "path").into_iter().chain(["start_s", "seconds"]));
    let mut paths = paths.into_iter().flatten();
    for range in ranges {
        let path = paths.next().map(|path| path.display().to_string());
        let numbers = [range.start as f64 / rate, range.len() as f64 / rate];
        writer.row(path.into_iter().chain(numbers.map(|x| x.to_string())));
    }
    writer.text()
}

/// The samples of every segment, `[n, samples]`, filled up with zeros where the recording ends earlier.
fn waveforms(
    fold: &Fold,
    sets: &[Set; 3],
    job: &Path,
    workspace: Workspace,
) -> Result<Sets, RunError> {
    let audio = Audio::load(fold, workspace)?;
    let width = audio.segments.n_samples(audio.data.sample_rate_hz);
    let mut files = vec![];
    for set in sets {
        let path = job.join(format!("{}.npy", set.name));
        let head = npy_head("<f4", &[set.rows.len(), width]);
        let begin = head.len() as u64;
        let file = File::create(&path).and_then(|mut file| {
            file.write_all(&head)?;
            file.set_len(begin + (set.rows.len() * width * 4) as u64)?;
            Ok(file)
        });
        files.push((file.map_err(io_at(&path))?, begin));
        let path = job.join(format!("{}.csv", set.name));
        fs::write(&path, audio.table(fold, set, None)).map_err(io_at(&path))?;
    }
    let files = Mutex::new(files);
    // Of every recording, where its segments go: set, row of the set, segment.
    let mut places = BTreeMap::<&str, Vec<(usize, usize, u32)>>::new();
    for (number, set) in sets.iter().enumerate() {
        for (place, &row) in set.rows.iter().enumerate() {
            let id = &fold.inputs.examples.ids[row];
            places.entry(&id.track).or_default().push((number, place, id.segment));
        }
    }
    let used: Vec<_> = audio.data.tracks.iter().filter(|it| places.contains_key(&*it.id)).collect();
    used.into_par_iter().try_for_each(|track| -> Result<(), RunError> {
        let samples = audio.data.waveform(track)?;
        for &(set, place, segment) in &places[&*track.id] {
            let range = audio.range(segment, samples.len());
            let bytes: Vec<u8> = samples[range].iter().flat_map(|x| x.to_le_bytes()).collect();
            let mut files = files.lock().expect("no holder of the files panics");
            let (file, begin) = &mut files[set];
            file.seek(SeekFrom::Start(*begin + (place * width * 4) as u64))
                .and_then(|_| file.write_all(&bytes))
                .map_err(io_at(job))?;
        }
        Ok(())
    })?;
    let sample_rate_hz = Some(audio.data.sample_rate_hz);
    Ok(Sets { shape: vec![width], sample_rate_hz, ..Sets::new(sets, Some(".npy"), Some(".csv")) })
}

/// Every recording as a WAV file with a neutral name, and where segments lie in them.
///
/// The files are decoded copies, not the originals: tags in a file, its size, its place on the disk and
/// its name would tell what it is.
fn paths(
    fold: &Fold,
    sets: &[Set; 3],
    job: &Path,
    folder: &Path,
    workspace: Workspace,
) -> Result<Sets, RunError> {
    let audio = Audio::load(fold, workspace)?;
    let track = |row: &usize| fold.inputs.examples.ids[*row].track.as_str();
    let [train, valid, test] = sets;
    let of_test: BTreeSet<&str> = test.rows.iter().map(track).collect();
    let known: BTreeSet<&str> = train.rows.iter().chain(&valid.rows).map(track).collect();
    let n_shared = of_test.intersection(&known).count();
    if n_shared > 0 {
        return Err(RunError::Incompatible(format!(
            "model.command.input = \"paths\" gives a program whole recordings, and {n_shared} recordings \
             have segments in the test set and in another one, whose labels the program knows\n\
             hint: split by track or by group, or use input = \"waveforms\""
        )));
    }
    folder_of(folder)?;
    let folder = folder.canonicalize().map_err(io_at(folder))?;
    let mut files = BTreeMap::<&str, PathBuf>::new();
    for set in sets {
        let below = folder.join(set.name);
        folder_of(&below)?;
        // Numbers follow the order of the rows, which is shuffled in the test set.
        let mut n_new = 0;
        let mut paths = vec![];
        for row in &set.rows {
            let path = files.entry(track(row)).or_insert_with(|| {
                n_new += 1;
                below.join(format!("{n_new:06}.wav"))
            });
            paths.push(path.clone());
        }
        let path = job.join(format!("{}.csv", set.name));
        fs::write(&path, audio.table(fold, set, Some(&paths))).map_err(io_at(&path))?;
    }
    let used: Vec<_> = audio.data.tracks.iter().filter(|it| files.contains_key(&*it.id)).collect();
    used.into_par_iter().try_for_each(|track| -> Result<(), RunError> {
        let path = &files[&*track.id];
        let waveform = Waveform {
            samples: audio.data.waveform(track)?,
            sample_rate_hz: audio.data.sample_rate_hz,
        };
        write_wav(path, &waveform).map_err(|error| {
            ModelError::File { path: path.display().to_string(), message: error.to_string() }.into()
        })
    })?;
    let sample_rate_hz = Some(audio.data.sample_rate_hz);
    Ok(Sets { sample_rate_hz, has_recordings: true, ..Sets::new(sets, None, Some(".csv")) })
}
