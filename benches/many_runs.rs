//! Wall time and peak memory of the commands that read all records, in a project with many runs:
//! `cargo bench --bench many_runs -- [N_RUNS [N_EPOCHS]] [FOLDER]`, by default 10,000 without epochs. A folder
//! keeps the project; if it has one already, its runs are measured and none are written.
//!
//! Twenty experiments share the runs. One is made in this process on 2,000 embedded songs; the others are
//! copies of it, written by the real writer, with some predictions changed at random. Every command is
//! run twice: without the index, and with the index that the first one has left.
#![expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use encore::record::Store;

mod copies;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const N_EXPERIMENTS: u64 = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let mut numbers = words.iter().filter_map(|word| word.parse::<u64>().ok());
    let (n_runs, n_epochs) = (numbers.next().unwrap_or(10_000), numbers.next().unwrap_or(0));
    let kept = words.iter().find(|word| word.parse::<u64>().is_err());
    let temporary = tempfile::tempdir()?;
    let project = kept.map_or(temporary.path(), Path::new);
    let store = Store::new(project.join("reports/runs"));
    if !store.root().exists() {
        write(project, &store, n_runs, n_epochs)?;
    }
    println!("{:.2} MB a run on the disk", megabytes(&project.join("reports"))? / n_runs as f64);
    // The index of an earlier measurement.
    for name in ["runs.index.json", "runs.scores.txt"] {
        let _ = fs::remove_file(project.join("reports").join(name));
    }
    println!("| command | first, s | MB | again, s | MB |\n|---|---:|---:|---:|---:|");
    for words in [
        &["list"][..],
        &["runs", "--where", "accuracy > 0.4", "--sort", "-accuracy"],
        &["claims"],
        &["report"],
        &["compare", "many/m0", "many/m1"],
    ] {
        let (first, again) = (measure(project, words)?, measure(project, words)?);
        println!(
            "| {} | {:.2} | {:.0} | {:.2} | {:.0} |",
            words.join(" "),
            first.0,
            first.1,
            again.0,
            again.1
        );
    }
    Ok(())
}

/// Makes the project and its runs.
fn write(project: &Path, store: &Store, n_runs: u64, n_epochs: u64) -> Result<(), Box<dyn Error>> {
    prepare(project)?;
    let mut base = copies::first_run(project, &Store::new(project.join("first/runs")))?;
    base.n_epochs = n_epochs as usize;
    let begun = Instant::now();
    for seed in 1..=n_runs / N_EXPERIMENTS {
        for experiment in 0..N_EXPERIMENTS {
            base.copy(store, &name(experiment), seed, 0.01 * (1 + experiment) as f64)?;
        }
    }
    let (runs, damaged) = store.finished()?;
    assert!(damaged.is_empty(), "{damaged:?}");
    println!("{} runs written in {:.0} s", runs.len(), begun.elapsed().as_secs_f64());
    Ok(())
}

fn name(experiment: u64) -> String {
    format!("many/m{experiment}")
}

/// A project with twenty experiments that differ in the name alone.
fn prepare(project: &Path) -> Result<(), Box<dyn Error>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (specs, manifests) = (project.join("experiments"), project.join("datasets"));
    fs::create_dir_all(specs.join("many"))?;
    fs::create_dir_all(&manifests)?;
    let spec = fs::read_to_string(source.join("experiments/spotify-logistic.toml"))?;
    fs::write(specs.join("spotify-logistic.toml"), &spec)?;
    for experiment in 0..N_EXPERIMENTS {
        fs::write(specs.join(format!("{}.toml", name(experiment))), &spec)?;
    }
    for manifest in ["spotify-songs.toml", "synth-songs.toml"] {
        let text = fs::read_to_string(source.join("datasets").join(manifest))?;
        fs::write(manifests.join(manifest), text.replace("n_rows = 8576", "n_rows = 2000"))?;
    }
    Ok(())
}

/// Wall time in seconds and peak memory in MB (where the system tells) of one command.
fn measure(project: &Path, words: &[&str]) -> Result<(f64, f64), Box<dyn Error>> {
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_encore"))
        .current_dir(project)
        .args(words)
        .stdout(Stdio::null())
        .spawn()?;
    let mut peak = 0.0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        let text = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        peak = kilobytes.and_then(|number| number.parse::<f64>().ok()).unwrap_or(peak);
        std::thread::sleep(Duration::from_millis(2));
    };
    let wall = begun.elapsed().as_secs_f64();
    assert!(status.success(), "{words:?}: {status}");
    Ok((wall, peak / 1e3))
}

/// Megabytes on the disk; a file with several names counts once.
fn megabytes(folder: &Path) -> Result<f64, Box<dyn Error>> {
    let output = Command::new("du").arg("-sk").arg(folder).output()?;
    let text = String::from_utf8(output.stdout)?;
    let kilobytes = text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
    Ok(kilobytes.ok_or("du tells no size")? * 1024.0 / 1e6)
}
