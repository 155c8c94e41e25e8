//! Programs that get recordings.

use std::fs;
use std::path::Path;

use crate::common::{self, edit};

const SPEC: &str = r#"title = "A program"
question = "What does it get?"
dataset = "synth-genres"
seeds = [1]

[segments]
seconds = 3.0
per_track = 3

[features.mfcc]
n_mfcc = 13
n_fft = 2048
hop_length = 512

[split.random]
by = "track"
stratify = true
test = 0.34
valid = 0.34

[model.command]
run = ["sh", "models/program.sh"]
input = "waveforms"
timeout = "5m"
"#;

/// Answers with the first class for every example; everything that it gets goes to the log.
const PROGRAM: &str = r#"set -eu
cd "$ENCORE_JOB"
n=$(($(wc -l < test.csv) - 1))
{ printf '\223NUMPY\001\000\166\000'; printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': ($n, 10), }"
  i=0; while [ $i -lt $n ]; do printf '\000\000\200\077'; head -c 36 /dev/zero; i=$((i + 1)); done; } > probabilities.npy
for file in *.npy; do echo "$file $(wc -c < "$file")"; done
head -n 4 test.csv
while IFS=, read -r path rest; do
    case "$path" in /*) echo "$(wc -c < "$path") $(head -c 4 "$path")"; if echo x 2> /dev/null >> "$path"; then echo "written"; fi ;; esac
done < test.csv
"#;

fn project(spec: &str) -> tempfile::TempDir {
    let home = common::project();
    edit(
        &home.path().join("datasets/synth-genres.toml"),
        "tracks_per_genre = 40",
        "tracks_per_genre = 3",
    );
    fs::create_dir(home.path().join("models")).unwrap();
    fs::write(home.path().join("models/program.sh"), PROGRAM).unwrap();
    fs::write(home.path().join("experiments/try.toml"), spec).unwrap();
    home
}

fn log(project: &Path) -> Vec<String> {
    let output =
        common::command(project, &["run", "try"]).env("ENCORE_TRUST", "1").output().unwrap();
    assert!(output.status.success(), "{}", common::stderr(&output));
    let run = common::runs(project).remove(0);
    assert!(!run.join("recordings").exists(), "recordings are no part of the record");
    let text = fs::read_to_string(run.join("log.txt")).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn n_test(project: &Path) -> usize {
    common::record(&common::runs(project)[0])["test"]["n"].as_u64().unwrap() as usize
}

#[test]
fn waveforms_are_arrays_of_samples() {
    let home = project(SPEC);
    let log = log(home.path());
    // Segments of 66,150 samples.
    let n_test = n_test(home.path());
    let n_bytes = 128 + n_test * 66_150 * 4;
    assert!(log.contains(&format!("test.npy {n_bytes}")), "{log:?}");
    assert!(log.contains(&"start_s,seconds".to_owned()), "{log:?}");
    assert!(log.iter().any(|line| ["0,3", "3,3", "6,3"].contains(&line.as_str())), "{log:?}");
    // New recordings are predicted in the same way.
    common::ok(home.path(), &["data", "export", "synth-genres", "out"]);
    let file = fs::read_dir(home.path().join("out/jazz")).unwrap().next().unwrap().unwrap().path();
    let predict = ["predict", file.to_str().unwrap(), "--with", "try"];
    let output = common::command(home.path(), &predict).env("ENCORE_TRUST", "1").output().unwrap();
    let said = common::stdout(&output);
    assert!(said.contains(": blues 1.00"), "{said}{}", common::stderr(&output));
}

#[test]
fn paths_are_neutral_recordings_that_cannot_be_changed() {
    let home = project(&SPEC.replace("waveforms", "paths"));
    let log = log(home.path());
    assert!(log.iter().all(|line| !line.starts_with("test.npy")), "{log:?}");
    assert!(log.contains(&"path,start_s,seconds".to_owned()), "{log:?}");
    let paths: Vec<&String> = log.iter().filter(|line| line.contains("/recordings/")).collect();
    assert_eq!(paths.len(), 3, "{log:?}");
    let names = [
        "blues",
        "classical",
        "country",
        "disco",
        "hiphop",
        "jazz",
        "metal",
        "pop",
        "reggae",
        "rock",
    ];
    for path in paths {
        let name = path.split("/recordings/").nth(1).unwrap();
        assert!(name.starts_with("test/0000") && name.contains(".wav,"), "{path}");
        assert!(names.iter().all(|genre| !name.contains(genre)), "{path}");
    }
    // All recordings are read; all have one size, whatever they are.
    let sizes: Vec<&String> = log.iter().filter(|line| line.ends_with(" RIFF")).collect();
    assert_eq!(sizes.len(), n_test(home.path()), "{log:?}");
    assert!(sizes.iter().all(|size| *size == sizes[0]), "{log:?}");
    let run = common::record(&common::runs(home.path())[0]);
    if super::is_blind(&run) {
        assert!(!log.contains(&"written".to_owned()), "{log:?}");
    }
    common::ok(home.path(), &["data", "export", "synth-genres", "out"]);
    let file = fs::read_dir(home.path().join("out/jazz")).unwrap().next().unwrap().unwrap().path();
    let predict = ["predict", file.to_str().unwrap(), "--with", "try"];
    let output = common::command(home.path(), &predict).env("ENCORE_TRUST", "1").output().unwrap();
    assert!(output.status.success(), "{}", common::stderr(&output));
}

#[test]
fn whole_recordings_are_refused_where_the_split_divides_them() {
    let home = project(&SPEC.replace("waveforms", "paths").replace("\"track\"", "\"segment\""));
    let output = common::command(home.path(), &["run", "try"]).env("ENCORE_TRUST", "1").output();
    let output = output.unwrap();
    let said = common::stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("have segments in the test set and in another one")
            && said.contains("hint: split by track"),
        "{said}"
    );
}
