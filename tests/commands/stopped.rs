//! Runs of programs that are killed or stopped, and go on.

#![cfg(unix)]

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use super::{Place, SPEC};
use crate::common;
use crate::common::events::wait_until;

/// Starts encore in a group of its own.
pub fn start(place: &Place, arguments: &[&str]) -> Child {
    let mut command = place.command(arguments);
    command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills encore, with or without the processes of its runs, which are in its group.
pub fn kill(child: &mut Child, is_group: bool) {
    let who = if is_group { format!("-{}", child.id()) } else { child.id().to_string() };
    let killed = Command::new("kill").args(["-9", "--", &who]).status().unwrap();
    assert!(killed.success());
    child.wait().unwrap();
}

/// Trains six epochs and keeps its state. Before the fifth it waits for a file in the project, so that
/// the test can end it there.
const TRAINING: &str = r#"
e=$(cat checkpoint/epoch 2> /dev/null || echo 0)
echo "from $e, $(sed 's/.*n_earlier_starts":\([0-9]*\).*/\1/' job.json) earlier starts"
trap 'echo told to end; exit 1' TERM
while [ $e -lt 6 ]; do
    while [ $e -ge 4 ] && ! [ -e @GO@ ]; do sleep 0.05; done
    e=$((e + 1))
    echo "{\"epoch\": $e, \"train_loss\": 0.$e, \"seconds\": 1}" >> epochs.jsonl
    echo $e > checkpoint/new; mv checkpoint/new checkpoint/epoch
done
answer
"#;

fn training() -> Place {
    let place = Place::new("");
    let go = place.project.join("models/go");
    place.program(&TRAINING.replace("@GO@", go.to_str().unwrap()));
    // `models/go` is no part of the program.
    fs::write(place.project.join("experiments/try.toml"), SPEC).unwrap();
    place
}

/// Waits until the program was started so often, and encore has noted four epochs.
fn wait_for_four(place: &Place, n_starts: usize) {
    wait_until("four epochs in the attempt", || {
        let attempts = fs::read_dir(place.project.join("reports/attempts"));
        attempts.into_iter().flatten().flatten().any(|entry| {
            let read = |name: &str| {
                let bytes = fs::read(entry.path().join(name)).unwrap_or_default();
                String::from_utf8_lossy(&bytes).into_owned()
            };
            let is_kept = |name: &&str| read(name).contains("\"epoch\":4");
            read("log.txt").matches("from ").count() == n_starts
                && read("epochs.jsonl").lines().count() == 4
                && ["checkpoint-1", "checkpoint-2"].iter().any(is_kept)
        })
    });
}

fn go(place: &Place) {
    fs::write(place.project.join("models/go"), "").unwrap();
}

#[test]
fn a_killed_run_resumes_from_the_programs_checkpoint() {
    let (calm, stormy) = (training(), training());
    go(&calm);
    let calm = common::record(&calm.run());
    for (n_starts, is_group) in [(1, true), (2, false)] {
        let mut child = start(&stormy, &["run", "try", "--trust", "--checkpoint-every", "0"]);
        wait_for_four(&stormy, n_starts);
        kill(&mut child, is_group);
        // A run whose process was not killed saves and ends by itself.
        wait_until("the end of the run", || {
            let said = common::stdout(&stormy.ok(&["list"]));
            said.contains("interrupted")
        });
    }
    go(&stormy);
    let run = stormy.run();
    let record = common::record(&run);
    let log = Place::log(&run);
    let starts: Vec<&String> = log.iter().filter(|line| line.starts_with("from ")).collect();
    assert_eq!(
        starts,
        ["from 0, 0 earlier starts", "from 4, 1 earlier starts", "from 4, 2 earlier starts"]
    );
    assert_eq!(record["timings"]["n_resumed"], 2);
    assert_eq!(record["model"]["n_epochs"], 6);
    assert_eq!(record["outputs"], calm["outputs"], "as if nothing had happened");
    assert_eq!(fs::read_dir(stormy.project.join("reports/attempts")).unwrap().count(), 0);
}

#[test]
fn a_stopped_program_may_save_its_state() {
    let place = training();
    let mut child = start(&place, &["run", "try", "--trust"]);
    wait_for_four(&place, 1);
    let stopped = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    go(&place);
    let run = place.run();
    let log = Place::log(&run);
    assert!(log.contains(&"told to end".to_owned()), "{log:?}");
    assert!(log.contains(&"from 4, 1 earlier starts".to_owned()), "{log:?}");
    assert_eq!(common::record(&run)["model"]["n_epochs"], 6);
}
