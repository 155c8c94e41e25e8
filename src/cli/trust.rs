//! Permission to start the programs that specs name: asked once for each project.
//!
//! The answer is kept in the user's own folder, not in the project, so that no clone and no capsule brings
//! it along.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::question::is_agreed;
use super::{Done, Failure, Project};
use crate::disk;
use crate::experiment::Plan;
use crate::process;

/// Set to 1, every project is trusted, for this command.
const VARIABLE: &str = "ENCORE_TRUST";

/// A project that the user trusts. A folder that was deleted and created again is a different project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Trusted {
    project: PathBuf,
    folder: Option<u64>,
}

/// Permits this process to start the programs of some plans, if the user trusts the project. Does
/// nothing if no plan has one.
pub(super) fn ask(project: &Project, plans: &[&Plan], is_given: bool) -> Done {
    let program = |plan: &&Plan| Some((plan.name.clone(), plan.spec.model.command()?.line()));
    let programs: Vec<(String, String)> = plans.iter().filter_map(program).collect();
    let Some((name, line)) = programs.first() else { return Ok(()) };
    if std::env::var(VARIABLE).is_ok_and(|value| value == "1") {
        return permit();
    }
    let (here, known) = (Trusted::of(&project.root)?, read());
    if !known.contains(&here) {
        if !is_given && !agrees(&here.project, &programs) {
            return Err(Failure::Usage(format!(
                "the spec `{name}` starts the program `{line}`, and the project {} is not trusted yet\n\
                 hint: if you trust the project's code, give --trust once, or set {VARIABLE}=1",
                here.project.display()
            )));
        }
        if let Err(error) = remember(known, here) {
            eprintln!("note: the answer can't be kept, encore will ask again: {error}");
        }
    }
    permit()
}

fn permit() -> Done {
    process::permit(&std::env::current_exe()?);
    Ok(())
}

impl Trusted {
    fn of(root: &Path) -> Result<Self, Failure> {
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        let project = root.canonicalize()?;
        #[cfg(unix)]
        let folder = Some(std::os::unix::fs::MetadataExt::ino(&project.metadata()?));
        #[cfg(not(unix))]
        let folder = None;
        Ok(Self { project, folder })
    }
}

/// Asks on a terminal. Elsewhere nobody can answer.
fn agrees(project: &Path, programs: &[(String, String)]) -> bool {
    let lines: String = programs.iter().map(|(name, line)| format!("  {name}: {line}\n")).collect();
    let question = format!(
        "Specs of {} start these programs, with your rights:\n{lines}Do you trust the code of this project? \
         encore remembers a yes. [y/N]\n",
        project.display()
    );
    is_agreed(&question).unwrap_or(false)
}

/// The file of trusted projects.
fn file() -> Option<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("LOCALAPPDATA"));
    let state = state.or_else(|| Some(process::home()?.join(".local").join("state")))?;
    Some(state.join("encore").join("trusted.json"))
}

fn read() -> Vec<Trusted> {
    let text = file().and_then(|path| std::fs::read_to_string(path).ok());
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn remember(mut known: Vec<Trusted>, here: Trusted) -> std::io::Result<()> {
    let path = file().ok_or_else(|| std::io::Error::other("there is no home folder"))?;
    known.retain(|other| other.project != here.project);
    known.push(here);
    let text = serde_json::to_string_pretty(&known).expect("paths of projects are text");
    std::fs::create_dir_all(path.parent().unwrap_or(&path))?;
    disk::write_private(&path, (text + "\n").as_bytes())
}
