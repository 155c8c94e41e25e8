//! Programs that try to cheat. Where the kernel has no Landlock, the record and the page say so.

#![cfg(unix)]

use std::fs;

use super::{Place, is_blind};
use crate::common;
use crate::common::events::wait_until;

/// Prints one line for each path that can be read, listed or written.
const SPY: &str = r#"
try() { if cat "$2" > /dev/null 2>&1; then echo "read $1"; fi; }
list() { if ls "$2" > tmp/list 2>&1; then echo "list $1"; fi; }
put() { if ( echo x > "$2" ) 2> /dev/null; then echo "wrote $1"; fi; }
p=@PROJECT@; d=@DATA@; h=@HOME@
try manifest $p/datasets/mine.toml
try index $p/datasets/imported/mine.json
try data $d/mine.csv
try record $p/reports/runs/*/predictions.csv
try split ../split.csv
try key $h/.ssh/key
try git $p/.git/config
try other $h/other.txt
try link link
try spec $p/experiments/try.toml
try own models/program.sh
try program $p/models/program.sh
try system /etc/passwd
try itself job.json
list reports $p/reports
list home $h
list dataset $d
list project $p
put project $p/new.txt
put program $p/models/program.sh
put beside ../evil.txt
put dataset $d/evil.txt
put home $h/evil.txt
put devices /dev/null
put job fine.txt
put temporary "$TMPDIR/fine.txt"
if ln $d/mine.csv model/hard 2> /dev/null; then echo "hard link"; fi
ln -s $h/.ssh/key model/soft
echo "secret variable ${MY_TOKEN:-none}, home variable ${HOME}"
answer
"#;

fn spy() -> Place {
    let place = Place::new("answer");
    fs::create_dir(place.project.join(".git")).unwrap();
    fs::write(place.project.join(".git/config"), "x").unwrap();
    fs::write(place.home.join("other.txt"), "x").unwrap();
    std::os::unix::fs::symlink(place.data.join("mine.csv"), place.project.join("link")).unwrap();
    // A record whose predictions have the labels.
    place.run();
    let text = |path: &std::path::Path| path.display().to_string();
    let body = SPY
        .replace("@PROJECT@", &text(&place.project))
        .replace("@DATA@", &text(&place.data))
        .replace("@HOME@", &text(&place.home))
        .replace("try link link", &format!("try link {}/link", text(&place.project)));
    place.program(&body);
    place
}

#[test]
fn a_program_reads_no_labels_and_writes_nowhere_else() {
    let place = spy();
    let output = place.command(&["run", "try", "--trust"]).env("MY_TOKEN", "abc").output().unwrap();
    assert!(output.status.success(), "{}", common::stderr(&output));
    let printed = common::stdout(&output);
    let folder = printed.lines().rev().find(|line| line.starts_with("reports/runs/")).unwrap();
    let run = place.project.join(folder);
    let record = common::record(&run);
    let log = Place::log(&run);
    if !is_blind(&record) {
        // An old kernel: then the record says so, which the test below looks at.
        assert!(log.contains(&"read data".to_owned()), "{log:?}");
        return;
    }
    let wanted = [
        "read spec",
        "read program",
        "read system",
        "read itself",
        "wrote devices",
        "wrote job",
        "wrote temporary",
        &format!("secret variable none, home variable {}", place.home.display()),
    ];
    assert_eq!(log, wanted);
    // The link to the key is no part of the record.
    assert!(!run.join("model/soft").is_symlink());
    let notes = record["model"]["notes"].to_string();
    assert!(notes.contains("neither files nor folders and were not kept, e.g. soft"), "{notes}");
    for path in ["new.txt", "reports/attempts/evil.txt"] {
        assert!(!place.project.join(path).exists(), "{path}");
    }
    // What else it may read is a part of the spec, and is never more than that.
    let spec = super::SPEC.to_owned()
        + "readable = [\"~/other.txt\", \"~/.ssh\", \"datasets\", \"../data\"]\n";
    fs::write(place.project.join("experiments/try.toml"), spec).unwrap();
    let printed = common::stdout(&place.ok(&["run", "try"]));
    let folder = printed.lines().rev().find(|line| line.starts_with("reports/runs/")).unwrap();
    let log = Place::log(&place.project.join(folder));
    let read: Vec<&str> = log.iter().filter_map(|line| line.strip_prefix("read ")).collect();
    assert_eq!(read, ["other", "spec", "program", "system", "itself"]);
}

#[test]
fn a_refused_program_is_told_what_it_may_do() {
    let place = Place::new("echo x > \"$HOME/new\"; answer");
    let output = place.encore(&["run", "try", "--trust"]);
    let said = common::stderr(&output);
    if output.status.success() {
        assert!(!is_blind(&common::record(&common::runs(&place.project)[0])), "{said}");
    } else {
        assert!(said.contains("Permission denied"), "{said}");
        let hint = "hint: it may write to $ENCORE_JOB and $TMPDIR only";
        assert!(said.contains(hint) && said.contains("model.command.readable"), "{said}");
    }
}

#[test]
fn without_protection_the_record_and_the_page_say_so_and_writing_is_noticed() {
    let place = spy();
    let run = |place: &Place| {
        place.command(&["run", "try", "--trust"]).env("ENCORE_LANDLOCK", "off").output().unwrap()
    };
    let said = common::stderr(&run(&place));
    assert!(said.contains("wrote outside of its job folder: "), "{said}");
    assert!(said.contains("$TMPDIR"), "{said}");
    place.program("cat ../split.csv; answer");
    let output = run(&place);
    assert!(output.status.success(), "{}", common::stderr(&output));
    let printed = common::stdout(&output);
    let warning = "blindness was not enforced, so the program could read the test labels: it was \
                   switched off";
    assert!(printed.replace("\n  ", " ").contains(warning), "{printed}");
    let folder = printed.lines().rev().find(|line| line.starts_with("reports/runs/")).unwrap();
    let record = common::record(&place.project.join(folder));
    assert!(!is_blind(&record));
    place.ok(&["report"]);
    let page = fs::read_to_string(place.project.join("reports/README.md")).unwrap();
    assert!(page.contains(warning), "{page}");
}

/// Processes whose command line has this text.
fn processes(text: &str) -> Vec<String> {
    let mut found = vec![];
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(text) {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found
}

#[test]
#[cfg(target_os = "linux")]
fn no_process_is_left_behind() {
    // Each time another number, so that tests at the same time do not see each other.
    let time = format!("{}1234", std::process::id());
    let place = Place::new(&format!(
        "sleep {time}.1 &\nsetsid sleep {time}.2 &\n( setsid sh -c 'trap \"\" TERM HUP; sleep {time}.3; true' & ) &\n\
         sleep 0.2; answer"
    ));
    let record = common::record(&place.run());
    assert_eq!(processes(&format!("{time}.")), Vec::<String>::new());
    let notes = record["model"]["notes"].to_string();
    assert!(notes.contains("behind, which encore ended"), "{notes}");
    // Also when it fails.
    place.program(&format!("setsid sleep {time}.4 &\nexit 1"));
    place.fails(&["run", "try"], 1);
    wait_until("the end of a process", || processes(&format!("{time}.")).is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn encore_killed_at_any_moment_leaves_no_process() {
    let time = format!("{}5678", std::process::id());
    let place = Place::new(&format!("setsid sleep {time}.1 &\nsleep {time}.2; answer"));
    for is_group in [true, false] {
        let mut child = super::stopped::start(&place, &["run", "try", "--trust"]);
        wait_until("the program", || processes(&format!("{time}.")).len() == 2);
        super::stopped::kill(&mut child, is_group);
        wait_until("the end of all processes", || processes(&format!("{time}.")).is_empty());
    }
    // The supervisor itself is killed, by whomever.
    let mut child = super::stopped::start(&place, &["run", "try", "--trust"]);
    wait_until("the program", || processes(&format!("{time}.")).len() == 2);
    let folder = place.project.display().to_string();
    for process in processes("do-command") {
        let cwd = fs::read_link(format!("/proc/{process}/cwd")).unwrap_or_default();
        if cwd.display().to_string() == folder {
            let killed = std::process::Command::new("kill").args(["-9", &process]).status();
            assert!(killed.unwrap().success());
        }
    }
    assert!(!child.wait().unwrap().success());
    wait_until("the end of all processes", || processes(&format!("{time}.")).is_empty());
    // The program itself can't do that where the kernel keeps signals inside (Linux 6.12 and later), and
    // does not get away with it elsewhere.
    place.program(&format!("setsid sleep {time}.3 &\nkill -9 $PPID || echo refused; answer"));
    place.encore(&["run", "try", "--trust"]);
    wait_until("the end of all processes", || processes(&format!("{time}.")).is_empty());
}
