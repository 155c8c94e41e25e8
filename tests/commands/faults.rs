//! Programs that fail, and what is said of them.

use std::fs;

use super::{Place, SPEC};

#[test]
fn every_way_to_fail_is_named() {
    let place = Place::new("");
    for (body, wanted) in [
        (
            "echo one; echo two >&2; exit 3",
            &[
                "the program `sh models/program.sh` exited with code 3; its last output:\n",
                "    one\n    two\n",
                "log.txt",
            ][..],
        ),
        ("exit 1", &["exited with code 1; it printed nothing"]),
        ("kill -9 $$", &["was killed (signal 9), perhaps out of memory"]),
        ("kill -11 $$", &["was terminated by signal 11"]),
        (
            "echo done",
            &["ended without writing probabilities.npy; its last output:\n    done", "ENCORE_JOB"],
        ),
        ("echo '[[1, 0]]' > probabilities.npy", &["probabilities.npy: is no .npy file"]),
        (
            "{ head 2 $n; rows $n \"$first\"; } > probabilities.npy",
            &[
                "probabilities.npy must have the shape [24, 2] (test examples, classes), found [2, 24]",
            ],
        ),
        (
            "{ head $n 2; rows 23 \"$first\"; printf '\\000\\000\\300\\177\\000\\000\\000\\000'; } > probabilities.npy",
            &["contains NaN in row 23, column 0"],
        ),
        (
            "{ head $n 2; rows $n '\\000\\000\\000\\077\\000\\000\\200\\076'; } > probabilities.npy",
            &[
                "row 0 of probabilities.npy (counted from 0) sums to 0.750000, expected 1 within 0.001",
            ],
        ),
        (
            "{ head $n 2; rows $n '\\000\\000\\100\\100\\000\\000\\000\\300'; } > probabilities.npy",
            &["contains 3 in row 0, column 0", "logits need a softmax"],
        ),
        (
            "ln -s /etc/passwd probabilities.npy",
            &["probabilities.npy can't be read: it is a link, expected a file"],
        ),
        ("answer; echo x > valid_probabilities.npy", &["valid_probabilities.npy: is no .npy file"]),
    ] {
        place.program(body);
        let said = place.fails(&["run", "try", "--trust"], 1);
        for words in wanted {
            assert!(said.contains(words), "{body}\nexpected: {words}\nfound: {said}");
        }
    }
    // The reason is kept until the run is finished.
    let said = crate::common::stdout(&place.ok(&["list"]));
    assert!(said.contains("failed"), "{said}");
    place.program("answer");
    place.run();
}

#[test]
fn a_program_that_does_not_end_is_ended() {
    let place = Place::new("answer; sleep 1000");
    let spec = SPEC.replace("5m", "1s");
    fs::write(place.project.join("experiments/try.toml"), spec).unwrap();
    let said = place.fails(&["run", "try", "--trust"], 1);
    assert!(said.contains("still ran after 1s (model.command.timeout) and was ended"), "{said}");
    // Even one that does not listen.
    place.program("trap '' TERM; while true; do sleep 1; done");
    let said = place.fails(&["run", "try", "--trust"], 1);
    assert!(said.contains("still ran after 1s"), "{said}");
}

#[test]
fn a_program_that_does_not_exist_is_named() {
    let place = Place::new("answer");
    for (run, wanted) in [
        ("[\"pythn\", \"models/program.sh\"]", "can't be started: `pythn` not found in PATH"),
        ("[\"./models/none\"]", "can't be started: `./models/none` does not exist"),
    ] {
        let spec = SPEC.replace("[\"sh\", \"models/program.sh\"]", run);
        fs::write(place.project.join("experiments/try.toml"), spec).unwrap();
        let said = place.fails(&["run", "try", "--trust"], 1);
        assert!(said.contains(wanted), "{said}");
    }
    // The program runs all the same if the one that describes the environment does not.
    let spec = SPEC.to_owned() + "environment = [\"pythn\", \"-m\", \"pip\"]\n";
    fs::write(place.project.join("experiments/try.toml"), spec).unwrap();
    let record = crate::common::record(&place.run());
    let notes = record["model"]["notes"].to_string();
    assert!(
        notes.contains("the environment is unknown: `pythn -m pip`: `pythn` not found"),
        "{notes}"
    );
}
