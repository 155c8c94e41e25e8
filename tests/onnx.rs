//! `[features.onnx]`: pretrained nets as features, as a user meets them.

use std::fs;
use std::path::Path;

use crate::common::{edit, fails, project, repository, runs};

const SPEC: &str = "title = \"t\"\nquestion = \"q\"\ndataset = \"synth-genres\"\nseeds = [1]\n\
    [segments]\nseconds = 2.0\nper_track = 4\n\
    [features.onnx]\nfile = \"nets/a.onnx\"\ninput.waveform.sample_rate = 8000\n\
    [split.random]\nby = \"track\"\nstratify = true\ntest = 0.3\nvalid = 0.3\n\
    [model.logistic]\npenalty = \"l2\"\nmax_iterations = 200\n";

/// A project with a spec of that name, and the net of a golden file.
fn with_net() -> tempfile::TempDir {
    let home = project();
    let corpus = home.path().join("datasets/synth-genres.toml");
    edit(&corpus, "tracks_per_genre = 40", "tracks_per_genre = 4");
    fs::create_dir(home.path().join("nets")).unwrap();
    put(home.path(), "onnx_waveform.onnx");
    fs::write(home.path().join("experiments/pretrained.toml"), SPEC).unwrap();
    home
}

fn put(home: &Path, net: &str) {
    let from = repository().join("tests/golden").join(net);
    fs::copy(from, home.join("nets/a.onnx")).unwrap();
}

#[cfg(not(feature = "onnx"))]
#[test]
fn a_program_without_the_runtime_says_how_to_get_it() {
    let home = with_net();
    let said = fails(home.path(), &["run", "pretrained"], 2);
    assert!(
        said.contains("features.onnx.file is `nets/a.onnx`, which needs the runtime of nets"),
        "{said}"
    );
    assert!(said.contains("--features onnx"), "{said}");
    assert!(runs(home.path()).is_empty());
    // Faults of the table are found without the runtime, and so is a net that is not there.
    let spec = home.path().join("experiments/pretrained.toml");
    edit(&spec, "sample_rate = 8000", "sample_rat = 8000");
    let said = fails(home.path(), &["check"], 2);
    assert!(said.contains("did you mean `sample_rate`?"), "{said}");
    edit(&spec, "sample_rat = 8000", "sample_rate = 8000");
    fs::remove_file(home.path().join("nets/a.onnx")).unwrap();
    let said = fails(home.path(), &["check"], 2);
    assert!(said.contains("features.onnx.file is `nets/a.onnx`, which is not in /"), "{said}");
}

#[cfg(feature = "onnx")]
mod with_the_runtime {
    use std::collections::BTreeSet;

    use super::*;
    use crate::common::{command, encore, ok, printed_record, stderr, stdout, stdout_of};

    /// The bytes of the only matrix of the cache.
    fn matrix(home: &Path) -> Vec<u8> {
        let entries = fs::read_dir(home.join("datasets/cache")).unwrap();
        let mut found = entries.map(|entry| entry.unwrap().path().join("matrix.f32"));
        let path = found.find(|path| path.exists()).unwrap();
        assert!(found.all(|path| !path.exists()), "more than one matrix");
        fs::read(path).unwrap()
    }

    #[test]
    fn a_net_is_used_by_runs_and_predictions_and_is_part_of_their_identity() {
        let home = with_net();
        let home = home.path();
        let record = printed_record(home, &stdout_of(home, &["run", "pretrained"]));
        let first = record["data"]["features_hash"].clone();
        assert_eq!(record["data"]["shape"], serde_json::json!([12]));
        let net = &record["spec"]["features"]["onnx"];
        assert_eq!(net["sha256"].as_str().unwrap().len(), 64);
        assert_eq!(net["runtime"], "tract 0.23.9");
        let id = runs(home)[0].file_name().unwrap().to_string_lossy().into_owned();
        assert!(stdout_of(home, &["verify", &id]).contains("identical"));

        ok(home, &["data", "export", "synth-genres", "music", "--tracks-per-genre", "1"]);
        let song = "music/jazz/jazz.00000.wav";
        let said = stdout_of(home, &["predict", "--with", &id, song]);
        assert!(said.contains(song), "{said}");

        // A net of another content: another run, other features; and the old run can't predict.
        let mut bytes = fs::read(home.join("nets/a.onnx")).unwrap();
        let place = bytes.len() - 400;
        bytes[place] ^= 1;
        fs::write(home.join("nets/a.onnx"), &bytes).unwrap();
        let said = fails(home, &["predict", "--with", &id, song], 2);
        assert!(said.contains("nets/a.onnx is not the file that the run used"), "{said}");
        fs::remove_file(home.join("nets/a.onnx")).unwrap();
        let said = fails(home, &["predict", "--with", &id, song], 2);
        assert!(said.contains("features.onnx.file is `nets/a.onnx`, which is not in /"), "{said}");
        fs::write(home.join("nets/a.onnx"), &bytes).unwrap();
        let again = printed_record(home, &stdout_of(home, &["run", "pretrained"]));
        assert_ne!(again["data"]["features_hash"], first);
        assert_eq!(runs(home).len(), 2);
    }

    #[test]
    fn one_thread_and_two_compute_the_same_bits() {
        let all: BTreeSet<Vec<u8>> = ["1", "2", "2"]
            .iter()
            .map(|n_threads| {
                let home = with_net();
                let mut run = command(home.path(), &["run", "pretrained"]);
                let output = run.env("RAYON_NUM_THREADS", n_threads).output().unwrap();
                assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
                matrix(home.path())
            })
            .collect();
        assert_eq!(all.len(), 1);
        // 40 tracks of 4 segments.
        assert_eq!(all.first().unwrap().len(), 160 * 12 * 4);
    }

    #[test]
    fn a_spec_names_the_operator_that_is_unknown() {
        let home = with_net();
        let path = home.path().join("nets/a.onnx");
        let mut bytes = fs::read(&path).unwrap();
        let place = bytes.windows(9).position(|name| name == b"LeakyRelu").unwrap();
        bytes[place..place + 9].copy_from_slice(b"LeakyRelx");
        fs::write(&path, bytes).unwrap();
        let said = fails(home.path(), &["check"], 2);
        assert!(
            said.contains(
                "pretrained.toml:9: features.onnx.file is `nets/a.onnx`, which uses operators that tract 0.23.9 does not \
                 know: `LeakyRelx`"
            ),
            "{said}"
        );
        put(home.path(), "onnx_log_mel.onnx");
        let said = fails(home.path(), &["check"], 2);
        assert!(
            said.contains(
                "features.onnx.input gives 16000 samples of a segment, but the net wants [?, 1, 32, ?] as `log_mel`: \
                 expected 1 to 3 dimensions"
            ),
            "{said}"
        );
    }

    #[test]
    fn numbers_that_are_not_finite_stop_a_run_with_the_segment() {
        let home = with_net();
        let path = home.path().join("nets/a.onnx");
        let mut bytes = fs::read(&path).unwrap();
        // The roots of negative numbers.
        let place = bytes.windows(6).position(|name| name == b"\x22\x04Relu").unwrap() + 2;
        bytes[place..place + 4].copy_from_slice(b"Sqrt");
        fs::write(&path, bytes).unwrap();
        let output = encore(home.path(), &["run", "pretrained"]);
        let said = stderr(&output);
        assert!(
            !output.status.success()
                && said.contains("segment 0: the net puts out NaN or infinity"),
            "{said}"
        );
    }
}
