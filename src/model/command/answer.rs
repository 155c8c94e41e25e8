//! What a program wrote: checked before anything is used, since it may be anything.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::table::Npy;
use crate::vocab::{Outputs, Task};

/// Bytes of all files in `model/` that a record keeps.
pub const MAX_MODEL_BYTES: u64 = 1 << 30;
/// Files in `model/` that a record keeps.
pub const MAX_MODEL_FILES: usize = 1000;
/// By how much the sum of a row of probabilities of classes may differ from 1, and a probability lie outside
/// of [0, 1].
pub(crate) const ROW_SUM_TOLERANCE: f64 = 1e-3;
/// Bytes of a `.npy` file before its numbers, at most.
const MAX_HEAD_BYTES: u64 = 1 << 16;

/// Opens a file that a program may have written. Anything but a plain file is refused: a link could lead
/// to a file that the program must not read, and a pipe would never end.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits().cast_signed());
    }
    if path.is_symlink() {
        return Err(io::Error::other("it is a link, expected a file"));
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a file")) }
}

/// Reads the predictions of `n_rows` examples, `[n_rows, n_outputs]`, of a number `[n_rows]`. Nothing if
/// there is no file.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn read_predictions(
    path: &Path,
    n_rows: usize,
    outputs: Outputs,
) -> Result<Option<Vec<f32>>, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{name} can't be read: {error}")),
    };
    let Outputs { task, n: n_outputs } = outputs;
    let (wanted, shape) = match task {
        Task::Classes | Task::Tags => {
            (vec![n_rows, n_outputs], format!("[{n_rows}, {n_outputs}] (test examples, {task})"))
        }
        Task::Number => (vec![n_rows], format!("[{n_rows}] (test examples)")),
    };
    let shape = if name.starts_with("valid") { shape.replace("test", "validation") } else { shape };
    let most = (n_rows * n_outputs * 8) as u64 + MAX_HEAD_BYTES;
    let is = file.metadata().map_or(0, |file| file.len());
    if is > most {
        return Err(format!("{name} has {is} bytes, more than an array of shape {shape} needs"));
    }
    let mut bytes = vec![];
    file.read_to_end(&mut bytes).map_err(|error| format!("{name} can't be read: {error}"))?;
    let npy = Npy::parse(Path::new(&name), &bytes).map_err(|error| error.to_string())?;
    if npy.n_bytes() == 2 {
        return Err(format!("{name} must hold float32 or float64, found float16"));
    }
    if npy.shape() != wanted {
        return Err(format!("{name} must have the shape {shape}, found {:?}", npy.shape()));
    }
    let mut predictions = Vec::with_capacity(n_rows * n_outputs);
    for row in 0..n_rows {
        let numbers: Vec<f32> = npy.row(row).collect();
        match task {
            Task::Classes | Task::Tags => check_probabilities(&name, row, &numbers, task)?,
            Task::Number if !numbers[0].is_finite() => {
                return Err(format!(
                    "{name} contains {} in row {row} (counted from 0); every prediction must be a \
                     finite number in the range of float32",
                    numbers[0]
                ));
            }
            Task::Number => {
                predictions.push(numbers[0]);
                continue;
            }
        }
        // Rounding may leave a probability just outside.
        predictions.extend(numbers.iter().map(|p| p.clamp(0.0, 1.0)));
    }
    Ok(Some(predictions))
}

/// Checks the probabilities of one example.
fn check_probabilities(name: &str, row: usize, numbers: &[f32], task: Task) -> Result<(), String> {
    if let Some(place) = numbers.iter().position(|p| !p.is_finite()) {
        let found = numbers[place];
        return Err(format!(
            "{name} contains {found} in row {row}, column {place} (counted from 0); every \
             probability must be a number in [0, 1]"
        ));
    }
    let tolerance = ROW_SUM_TOLERANCE as f32;
    if let Some(place) = numbers.iter().position(|p| !(-tolerance..=1.0 + tolerance).contains(p)) {
        let found = numbers[place];
        let function = if task == Task::Tags { "sigmoid" } else { "softmax" };
        return Err(format!(
            "{name} contains {found} in row {row}, column {place} (counted from 0); every \
             probability must be in [0, 1]\nhint: logits need a {function}"
        ));
    }
    let sum: f64 = numbers.iter().copied().map(f64::from).sum();
    if task == Task::Classes && (sum - 1.0).abs() > ROW_SUM_TOLERANCE {
        return Err(format!(
            "row {row} of {name} (counted from 0) sums to {sum:.6}, expected 1 within \
             {ROW_SUM_TOLERANCE}"
        ));
    }
    Ok(())
}

/// What became of the files in `model/`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ModelFiles {
    /// Files that were kept.
    pub(crate) n: usize,
    /// Why some or all were not.
    pub(crate) note: Option<String>,
}

/// Moves the files that a program left in its `model/` folder into the folder of a record, or none of
/// them if they are too many or too large. Links and the like stay.
pub(crate) fn keep_model(from: &Path, to: &Path) -> io::Result<ModelFiles> {
    let (mut files, mut odd) = (vec![], vec![]);
    list(from, Path::new(""), &mut files, &mut odd)?;
    let n_bytes: u64 = files.iter().map(|(_, n_bytes)| n_bytes).sum();
    if files.len() > MAX_MODEL_FILES || n_bytes > MAX_MODEL_BYTES {
        let n = files.len();
        let note = format!(
            "the model was not kept: model/ has {n} files and {n_bytes} bytes, and a record keeps at \
             most {MAX_MODEL_FILES} files and {MAX_MODEL_BYTES} bytes"
        );
        return Ok(ModelFiles { n: 0, note: Some(note) });
    }
    let n = files.len();
    for (path, _) in files {
        let target = to.join(&path);
        fs::create_dir_all(target.parent().unwrap_or(to))?;
        fs::rename(from.join(&path), &target)?;
    }
    let note = odd.first().map(|first| {
        format!(
            "{} entries of model/ are neither files nor folders and were not kept, e.g. {first}",
            odd.len()
        )
    });
    Ok(ModelFiles { n, note })
}

/// Lists the files below a folder with their sizes, by path, and what is neither file nor folder.
fn list(
    root: &Path,
    below: &Path,
    files: &mut Vec<(PathBuf, u64)>,
    odd: &mut Vec<String>,
) -> io::Result<()> {
    let here = root.join(below);
    if below.as_os_str().is_empty() && !here.symlink_metadata().is_ok_and(|here| here.is_dir()) {
        return Ok(());
    }
    let mut entries = fs::read_dir(here)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = below.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            list(root, &path, files, odd)?;
        } else if kind.is_file() && path.to_str().is_some() {
            files.push((path, entry.metadata()?.len()));
        } else {
            odd.push(path.display().to_string());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{npy_head, write_npy};

    const CLASSES: Outputs = Outputs { task: Task::Classes, n: 2 };

    fn said(shape: &[usize], numbers: &[f32]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("probabilities.npy");
        write_npy(&path, shape, [numbers]).unwrap();
        read_predictions(&path, 2, CLASSES).map_or_else(|said| said, |_| String::new())
    }

    #[test]
    fn probabilities_of_both_types_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("probabilities.npy");
        assert_eq!(read_predictions(&path, 2, CLASSES), Ok(None));
        let single = [0.25_f32, 0.75, 1.0, 0.0];
        write_npy(&path, &[2, 2], [&single[..]]).unwrap();
        assert_eq!(read_predictions(&path, 2, CLASSES), Ok(Some(single.to_vec())));
        let double = [0.25_f64, 0.75, 1.0005, -0.0005];
        let bytes: Vec<u8> = double.iter().flat_map(|p| p.to_le_bytes()).collect();
        fs::write(&path, [npy_head("<f8", &[2, 2]), bytes].concat()).unwrap();
        assert_eq!(read_predictions(&path, 2, CLASSES), Ok(Some(single.to_vec())));
    }

    #[test]
    fn what_is_wrong_with_probabilities_is_said() {
        assert_eq!(
            said(&[1, 4], &[0.25; 4]),
            "probabilities.npy must have the shape [2, 2] (test examples, classes), found [1, 4]"
        );
        assert_eq!(
            said(&[2, 2], &[0.5, 0.5, f32::NAN, 0.5]),
            "probabilities.npy contains NaN in row 1, column 0 (counted from 0); every probability \
             must be a number in [0, 1]"
        );
        assert_eq!(
            said(&[2, 2], &[0.5, 0.5, 3.0, -2.0]),
            "probabilities.npy contains 3 in row 1, column 0 (counted from 0); every probability \
             must be in [0, 1]\nhint: logits need a softmax"
        );
        assert_eq!(
            said(&[2, 2], &[0.5, 0.5, 0.5, 0.25]),
            "row 1 of probabilities.npy (counted from 0) sums to 0.750000, expected 1 within 0.001"
        );
        assert!(
            said(&[20_000, 2], &vec![0.5; 40_000])
                .starts_with("probabilities.npy has 160128 bytes")
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("probabilities.npy");
        for (bytes, start) in [
            (b"[[0.5]]".to_vec(), "probabilities.npy: is no .npy file"),
            (
                [npy_head("<f2", &[2, 2]), vec![0; 8]].concat(),
                "probabilities.npy must hold float32",
            ),
            (
                [npy_head("<i8", &[2, 2]), vec![0; 32]].concat(),
                "probabilities.npy: must hold '<f2'",
            ),
        ] {
            fs::write(&path, bytes).unwrap();
            let said = read_predictions(&path, 2, CLASSES).unwrap_err();
            assert!(said.starts_with(start), "{said}");
        }
    }

    #[test]
    fn tags_and_numbers_have_their_own_rules() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("predictions.npy");
        let read = |shape: &[usize], numbers: &[f32], task, n| {
            write_npy(&path, shape, [numbers]).unwrap();
            read_predictions(&path, 2, Outputs { task, n })
        };
        // Tags need no sum.
        let tags = [1.0, 1.0, 0.0, 0.25];
        assert_eq!(read(&[2, 2], &tags, Task::Tags, 2), Ok(Some(tags.to_vec())));
        assert_eq!(
            read(&[2, 2], &[1.0, 0.5, 0.0, -2.0], Task::Tags, 2).unwrap_err(),
            "predictions.npy contains -2 in row 1, column 1 (counted from 0); every probability must \
             be in [0, 1]\nhint: logits need a sigmoid"
        );
        assert_eq!(
            read(&[2, 1], &[1.0, 0.5], Task::Tags, 2).unwrap_err(),
            "predictions.npy must have the shape [2, 2] (test examples, tags), found [2, 1]"
        );
        assert_eq!(read(&[2], &[-3.5, 1e9], Task::Number, 1), Ok(Some(vec![-3.5, 1e9])));
        assert_eq!(
            read(&[2, 1], &[1.0, 0.5], Task::Number, 1).unwrap_err(),
            "predictions.npy must have the shape [2] (test examples), found [2, 1]"
        );
        assert_eq!(
            read(&[2], &[1.0, f32::NAN], Task::Number, 1).unwrap_err(),
            "predictions.npy contains NaN in row 1 (counted from 0); every prediction must be a finite \
             number in the range of float32"
        );
        let valid = folder.path().join("valid_predictions.npy");
        write_npy(&valid, &[3], [&[0.0_f32; 3][..]]).unwrap();
        assert_eq!(
            read_predictions(&valid, 2, Outputs { task: Task::Number, n: 1 }).unwrap_err(),
            "valid_predictions.npy must have the shape [2] (validation examples), found [3]"
        );
    }

    #[test]
    #[cfg(unix)]
    fn links_and_pipes_are_no_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("probabilities.npy");
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        let said = read_predictions(&path, 2, CLASSES).unwrap_err();
        assert_eq!(said, "probabilities.npy can't be read: it is a link, expected a file");
        fs::remove_file(&path).unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(pipe.success());
        let said = read_predictions(&path, 2, CLASSES).unwrap_err();
        assert_eq!(said, "probabilities.npy can't be read: it is not a file");
    }

    #[test]
    fn a_model_is_kept_with_its_folders_and_without_links() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("model"), folder.path().join("kept"));
        fs::create_dir_all(from.join("sub")).unwrap();
        fs::create_dir(&to).unwrap();
        assert_eq!(
            keep_model(&folder.path().join("none"), &to).unwrap(),
            ModelFiles { n: 0, note: None }
        );
        fs::write(from.join("a"), "1").unwrap();
        fs::write(from.join("sub/b"), "22").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc/passwd", from.join("c")).unwrap();
        let kept = keep_model(&from, &to).unwrap();
        assert_eq!(kept.n, 2);
        assert_eq!(fs::read_to_string(to.join("sub/b")).unwrap(), "22");
        #[cfg(unix)]
        {
            assert!(kept.note.unwrap().ends_with("were not kept, e.g. c"));
            assert!(!to.join("c").is_symlink());
        }
        for i in 0..=MAX_MODEL_FILES {
            fs::write(from.join(i.to_string()), "").unwrap();
        }
        let kept = keep_model(&from, &to).unwrap();
        assert_eq!(kept.n, 0);
        assert!(kept.note.unwrap().starts_with("the model was not kept: model/ has 1001 files"));
    }
}
