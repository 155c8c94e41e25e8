//! The output of all commands. `print!`, `println!` and `eprintln!` of this room are defined here.
//!
//! Where nobody reads the output any more, as in `encore list | head -1`, the rest is dropped and the
//! command ends quietly. A command whose progress nobody reads saves and stops, as after Ctrl-C.
//! Control characters are escaped: a name that contains some must not command the terminal.

use std::borrow::Cow;
use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{json, signals};
use crate::vocab::without_controls;

/// Whether nobody reads the standard output any more.
static IS_CLOSED: AtomicBool = AtomicBool::new(false);
/// Why the standard output could not be written.
static FAULT: Mutex<Option<io::Error>> = Mutex::new(None);

macro_rules! print {
    ($($text:tt)*) => { $crate::cli::output::out(format_args!($($text)*)) };
}

macro_rules! println {
    ($($text:tt)*) => { $crate::cli::output::out(format_args!("{}\n", format_args!($($text)*))) };
}

macro_rules! eprintln {
    ($($text:tt)*) => { $crate::cli::output::err(format_args!("{}\n", format_args!($($text)*))) };
}

/// Writes to the standard output. Where the result is printed as JSON, text is dropped.
pub(super) fn out(text: Arguments) {
    if json::is_on() {
        return;
    }
    let text = text.to_string();
    let written = io::stdout().lock().write_all(shown(&text).as_bytes());
    note(written);
}

/// Writes a JSON object to the standard output.
pub(super) fn document(text: &str) {
    let written = io::stdout().lock().write_all(text.as_bytes());
    note(written);
}

/// Writes to the standard error.
pub(super) fn err(text: Arguments) {
    let text = text.to_string();
    let written = io::stderr().lock().write_all(shown(&text).as_bytes());
    if written.is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        signals::stop();
    }
}

/// Whether nobody reads the standard output any more: a command that prints for long should end.
pub(super) fn is_closed() -> bool {
    IS_CLOSED.load(Ordering::Relaxed)
}

/// Writes the rest of the output and returns the first error of the standard output. A closed pipe is not an
/// error.
pub(super) fn finish() -> io::Result<()> {
    let flushed = io::stdout().lock().flush();
    note(flushed);
    FAULT.lock().expect("no holder of the fault panics").take().map_or(Ok(()), Err)
}

fn note(written: io::Result<()>) {
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            IS_CLOSED.store(true, Ordering::Relaxed);
        }
        Err(error) => {
            FAULT.lock().expect("no holder of the fault panics").get_or_insert(error);
        }
    }
}

/// A text of several lines as a terminal may show it.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    without_controls(text, "\n\t")
}
