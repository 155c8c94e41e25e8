//! The question whether a project is trusted, on a terminal.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::Place;
use crate::common::events::{wait_for_end, wait_until};
use crate::common::runs;

/// What Ctrl-C and Ctrl-D send.
const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";
/// A program that hangs at the question never ends.
const PATIENCE: Duration = Duration::from_mins(1);

/// encore at a terminal of its own, which `script` makes.
struct Terminal {
    script: Child,
    keyboard: ChildStdin,
    screen: Arc<Mutex<String>>,
}

impl Terminal {
    fn new(place: &Place, arguments: &str) -> Self {
        let line = format!("exec '{}' {arguments}", env!("CARGO_BIN_EXE_encore"));
        let mut script = std::process::Command::new("script");
        script.current_dir(&place.project).args(["-qefc", &line, "/dev/null"]);
        script.env("HOME", &place.home).env_remove("XDG_STATE_HOME").env_remove("ENCORE_TRUST");
        script.env("SHELL", "/bin/sh").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut script = script.spawn().expect("script, of util-linux, makes a terminal");
        let keyboard = script.stdin.take().unwrap();
        let mut shown = script.stdout.take().unwrap();
        let screen = Arc::new(Mutex::new(String::new()));
        let on_screen = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = shown.read(&mut bytes) {
                on_screen.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..n]));
            }
        });
        Self { script, keyboard, screen }
    }

    fn screen(&self) -> String {
        self.screen.lock().unwrap().clone()
    }

    /// Waits for the question, which nobody has answered yet.
    fn wait_for_question(&self) {
        wait_until("the question", || self.screen().contains("[y/N]"));
    }

    /// Presses keys, and returns the exit code and what was shown.
    fn press(mut self, keys: &str) -> (Option<i32>, String) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
        let status = wait_for_end(&mut self.script, PATIENCE);
        if status.is_none() {
            self.script.kill().unwrap();
            panic!("encore still waits after {keys:?}: {}", self.screen());
        }
        (status.unwrap().code(), self.screen())
    }
}

/// Answers the question of a command, which must end with this exit code.
fn answer(place: &Place, arguments: &str, keys: &str, code: i32) -> String {
    let terminal = Terminal::new(place, arguments);
    terminal.wait_for_question();
    let (found, screen) = terminal.press(keys);
    assert_eq!(found, Some(code), "{keys:?}: {screen}");
    screen
}

#[test]
fn on_a_terminal_only_a_yes_starts_a_program_and_is_remembered() {
    let place = Place::new("touch started; answer");
    for (keys, code) in [("n\n", 2), ("\n", 2), ("yess\n", 2), (CTRL_D, 2), (CTRL_C, 130)] {
        let screen = answer(&place, "run try", keys, code);
        let root = place.project.display();
        for part in [
            &format!("Specs of {root} start these programs, with your rights:"),
            "  try: sh models/program.sh",
            "Do you trust the code of this project? encore remembers a yes. [y/N]",
        ] {
            assert!(screen.contains(part), "{part}\nis not in\n{screen}");
        }
        assert_eq!(screen.contains("is not trusted yet"), code == 2, "{screen}");
        assert!(!place.project.join("reports").exists(), "{keys:?} started it");
        assert!(!place.home.join(".local/state/encore/trusted.json").exists(), "{keys:?}");
    }
    let screen = answer(&place, "run try", " Y \n", 0);
    assert!(screen.contains("reports/runs/"), "{screen}");
    assert!(!screen.contains("not trusted"), "{screen}");
    let run = runs(&place.project).remove(0);
    // It is not asked again, on a terminal or elsewhere.
    let id = run.file_name().unwrap().to_str().unwrap().to_owned();
    let again = Terminal::new(&place, &format!("verify {id}"));
    let (code, screen) = again.press("");
    assert!(code == Some(0) && !screen.contains("[y/N]"), "{screen}");
    place.ok(&["verify", &id]);
}

#[test]
fn other_commands_that_start_a_program_ask_too() {
    let place = Place::new("answer");
    let output = place.command(&["run", "try"]).env("ENCORE_TRUST", "1").output().unwrap();
    assert!(output.status.success());
    let run = runs(&place.project).remove(0);
    let id = run.file_name().unwrap().to_str().unwrap().to_owned();
    std::fs::write(place.project.join("new.csv"), "id,energy,tempo\na,0.9,100\n").unwrap();
    let (verify, predict) = (format!("verify {id}"), "predict new.csv --with try".to_owned());
    for command in [&verify, &predict] {
        for (keys, code) in [("no\n", 2), (CTRL_D, 2), (CTRL_C, 130)] {
            let screen = answer(&place, command, keys, code);
            assert_eq!(screen.contains("is not trusted yet"), code == 2, "{command}: {screen}");
        }
    }
    answer(&place, &verify, "yes\n", 0);
}
