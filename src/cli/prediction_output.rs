//! Where predictions go: CSV or lines of JSON, into a file or to the standard output.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::{Done, Failure, is_same_file};
use crate::delimited;
use crate::disk;
use crate::experiment::{Answer, Item, PredictionLine, names_of};
use crate::vocab::Task;

/// How predictions are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As lines for people, which the command prints itself.
    Text,
    /// A row per prediction, with a header.
    Csv,
    /// A JSON object per line.
    Json,
}

/// Where predictions go.
pub(super) enum Destination {
    Screen,
    /// A file that gets its name when it is whole.
    File {
        file: BufWriter<File>,
        written: PathBuf,
        path: PathBuf,
    },
}

impl Destination {
    /// The standard output, or a file that is none of the inputs.
    pub(super) fn open(out: Option<&Path>, inputs: &[PathBuf]) -> Result<Self, Failure> {
        let Some(path) = out else { return Ok(Self::Screen) };
        if inputs.iter().any(|input| is_same_file(input, path)) {
            let path = path.display();
            return Err(Failure::Usage(format!("--out {path} would overwrite an input file")));
        }
        if path.is_dir() {
            let path = path.display();
            return Err(Failure::Usage(format!("--out {path} is a folder, expected a file")));
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.partial", disk::unique_name()));
        let written = path.with_file_name(name);
        let file = File::create_new(&written).map_err(|error| unwritable(path, &error))?;
        Ok(Self::File { file: BufWriter::new(file), written, path: path.to_owned() })
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Data(format!("--out {} cannot be written: {error}", path.display()))
}

/// Writes predictions. A file keeps its old content until [`Self::finish`].
pub(super) struct PredictionOutput<'a> {
    destination: Destination,
    form: Form,
    names: Vec<String>,
    classes: &'a [String],
    task: Task,
    /// Rows that are not written yet.
    rows: delimited::Writer,
    lines: String,
    is_kept: bool,
    is_closed: bool,
}

impl<'a> PredictionOutput<'a> {
    /// The output of predictions of things that have these names: of these classes or tags, or of a number.
    pub(super) fn new(
        destination: Destination,
        form: Form,
        names: Vec<String>,
        classes: &'a [String],
        task: Task,
    ) -> Self {
        let mut rows = delimited::Writer::default();
        let head = names.iter().cloned().chain(["predicted".to_owned()]);
        let columns = classes.iter().map(|class| format!("p_{class}"));
        rows.row(head.chain(columns.filter(|_| task != Task::Number)));
        Self {
            destination,
            form,
            names,
            classes,
            task,
            rows,
            lines: String::new(),
            is_kept: false,
            is_closed: false,
        }
    }

    /// Adds a prediction: what is said and the outputs that say it, or the reason why there is none.
    pub(super) fn add(&mut self, item: &Item, outcome: Result<(&Answer, &[f32]), &str>) {
        match self.form {
            Form::Text => {}
            Form::Csv => self.add_row(item, outcome),
            Form::Json => self.add_line(item, outcome),
        }
    }

    fn add_row(&mut self, item: &Item, outcome: Result<(&Answer, &[f32]), &str>) {
        let names = item.names.iter().cloned();
        let predicted: Vec<String> = match outcome {
            Ok((Answer::Number(number), _)) => vec![number.to_string()],
            Ok((answer, of)) => {
                let said = names_of(answer, self.classes).join(";");
                [said].into_iter().chain(of.iter().map(f32::to_string)).collect()
            }
            Err(_) if self.task == Task::Number => vec![String::new()],
            Err(_) => vec![String::new(); 1 + self.classes.len()],
        };
        self.rows.row(names.chain(predicted));
    }

    fn add_line(&mut self, item: &Item, outcome: Result<(&Answer, &[f32]), &str>) {
        let line = PredictionLine { item, names: &self.names, classes: self.classes, outcome };
        self.lines += &serde_json::to_string(&line).expect("a prediction is plain data");
        self.lines.push('\n');
    }

    /// Whether nobody reads the standard output any more.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Writes the pending output.
    pub(super) fn flush(&mut self) -> Done {
        let text = match self.form {
            Form::Text => return Ok(()),
            Form::Csv => std::mem::take(&mut self.rows).text(),
            Form::Json => std::mem::take(&mut self.lines),
        };
        match &mut self.destination {
            Destination::Screen => {
                let mut screen = io::stdout().lock();
                let written = screen.write_all(text.as_bytes()).and_then(|()| screen.flush());
                match written {
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                        self.is_closed = true;
                        Ok(())
                    }
                    other => Ok(other?),
                }
            }
            Destination::File { file, path, .. } => {
                file.write_all(text.as_bytes()).map_err(|error| unwritable(path, &error))
            }
        }
    }

    /// Writes the rest and gives the file its final name.
    pub(super) fn finish(mut self) -> Done {
        self.flush()?;
        if let Destination::File { file, written, path } = &mut self.destination {
            let done = file.flush().and_then(|()| disk::finish_file(written, path));
            done.map_err(|error| unwritable(path, &error))?;
        }
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for PredictionOutput<'_> {
    fn drop(&mut self) {
        if let (false, Destination::File { written, .. }) = (self.is_kept, &self.destination) {
            // What made the command fail is what the user is told.
            let _ = fs::remove_file(written);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(form: Form, folder: &Path, is_finished: bool) -> Option<String> {
        written_of(form, folder, is_finished, Task::Classes)
    }

    fn written_of(form: Form, folder: &Path, is_finished: bool, task: Task) -> Option<String> {
        let path = folder.join("out");
        let destination = Destination::open(Some(&path), &[]).ok().unwrap();
        let classes = ["pop", "r\"&b"].map(str::to_owned);
        let names = vec!["id".to_owned()];
        let mut output = PredictionOutput::new(destination, form, names, &classes, task);
        let names = [["a,b".to_owned()], ["c".to_owned()]];
        let item = |i: usize| Item { names: &names[i], line: Some(i + 2), ..Item::default() };
        let outputs = [0.1, 0.9];
        output.add(&item(0), Ok((&Answer::of(&outputs, task), &outputs)));
        output.flush().ok().unwrap();
        output.add(&item(1), Err("has no number as tempo"));
        if is_finished {
            output.finish().ok().unwrap();
        }
        fs::read_to_string(path).ok()
    }

    #[test]
    fn a_csv_file_and_lines_of_json_have_every_item() {
        let folder = tempfile::tempdir().unwrap();
        let csv = "id,predicted,p_pop,\"p_r\"\"&b\"\n\"a,b\",\"r\"\"&b\",0.1,0.9\nc,,,\n";
        assert_eq!(written(Form::Csv, folder.path(), true).unwrap(), csv);
        let json = "{\"line\":2,\"id\":\"a,b\",\"predicted\":\"r\\\"&b\",\
                    \"probabilities\":{\"pop\":0.1,\"r\\\"&b\":0.9}}\n\
                    {\"line\":3,\"id\":\"c\",\"error\":\"has no number as tempo\"}\n";
        assert_eq!(written(Form::Json, folder.path(), true).unwrap(), json);
        // Several tags, and a number.
        let tags = "id,predicted,p_pop,\"p_r\"\"&b\"\n\"a,b\",\"r\"\"&b\",0.1,0.9\nc,,,\n";
        assert_eq!(written_of(Form::Csv, folder.path(), true, Task::Tags).unwrap(), tags);
        let json = written_of(Form::Json, folder.path(), true, Task::Tags).unwrap();
        assert!(
            json.contains("\"predicted\":[\"r\\\"&b\"],\"probabilities\":{\"pop\":0.1,"),
            "{json}"
        );
        let number = written_of(Form::Csv, folder.path(), true, Task::Number).unwrap();
        assert_eq!(number, "id,predicted\n\"a,b\",0.1\nc,\n");
        let json = written_of(Form::Json, folder.path(), true, Task::Number).unwrap();
        assert!(json.starts_with("{\"line\":2,\"id\":\"a,b\",\"predicted\":0.1}\n"), "{json}");
        assert_eq!(Answer::of(&[0.5, 0.7, 0.2], Task::Tags), Answer::Tags(vec![0, 1]));
    }

    #[test]
    fn a_file_is_whole_or_as_it_was_and_never_an_input() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(written(Form::Csv, folder.path(), false), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let input = folder.path().join("in.csv");
        fs::write(&input, "a\n").unwrap();
        let said = |out: &Path| match Destination::open(Some(out), std::slice::from_ref(&input)) {
            Err(Failure::Usage(message) | Failure::Data(message)) => message,
            _ => panic!("{} is taken", out.display()),
        };
        assert!(said(&folder.path().join("./in.csv")).contains("would overwrite an input file"));
        assert!(said(folder.path()).contains("is a folder"));
        assert!(said(&folder.path().join("none/out.csv")).contains("cannot be written"));
    }
}
