//! Two processes fetch one dataset where locks have no effect: both end with the right files.

use std::process::Stdio;

use super::preload::{Locks, library};
use super::program::{FETCH, N_FILES, said};
use super::*;
use crate::common::command;
use crate::common::downloads::{collection, project, slow};

#[test]
fn without_locks_two_processes_fetch_the_same_files() {
    let (files, archive) = collection(N_FILES);
    for locks in [Locks::Fail, Locks::Succeed] {
        let tools = tempfile::tempdir().unwrap();
        let library = library(tools.path(), locks);
        let server = slow(&archive, Duration::from_millis(400));
        let home = project(&[format!("{}/a", server.url())], &archive, N_FILES);
        let both = [(); 2].map(|()| {
            let mut command = command(home.path(), &FETCH);
            command.env("LD_PRELOAD", &library);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        });
        let mut all = String::new();
        for child in both {
            let (code, _, errors) = said(child.wait_with_output().unwrap());
            assert_eq!(code, Some(0), "{errors}");
            assert!(!errors.contains("differ"), "{errors}");
            all.push_str(&errors);
        }
        assert_eq!(all.contains("has no locks ("), locks == Locks::Fail, "{all}");
        assert_eq!(super::files(&home.path().join("datasets/downloads/two")), files);
        assert!(!home.path().join("datasets/downloads/two.fetching").exists());
    }
}
