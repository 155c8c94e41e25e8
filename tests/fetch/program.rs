//! `encore data fetch` as a user sees it: killed, stopped, started twice, without a server.

use std::process::{Command, Output, Stdio};

use super::*;
use crate::common::downloads::{collection, project, slow};
use crate::common::events::wait_for_change;
use crate::common::{command, random_below};

pub(super) const N_FILES: u64 = 6;

fn encore(project: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    said(command(project, arguments).output().unwrap())
}

pub(super) fn said(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

pub(super) const FETCH: [&str; 3] = ["data", "fetch", "two"];

#[test]
fn a_fetched_dataset_is_ready_and_said_to_be() {
    let (files, archive) = collection(N_FILES);
    let server = slow(&archive, Duration::from_millis(20));
    let home = project(&[format!("{}/a", server.url())], &archive, N_FILES);
    let (_, list, _) = encore(home.path(), &["data", "list"]);
    let hint = "not imported; encore data fetch two, or encore data import two PATH";
    assert!(list.contains(hint), "{list}");
    let (_, describe, _) = encore(home.path(), &["data", "describe", "two"]);
    assert!(describe.contains("download    a.tar.gz ("), "{describe}");
    let (code, said, errors) = encore(home.path(), &FETCH);
    assert_eq!(code, Some(0), "{errors}");
    for part in ["license     free for all", "citation    Nobody, 2026", "imported two"] {
        assert!(said.contains(part), "{part}\nis not in\n{said}");
    }
    assert!(said.contains("sha256 ") && said.contains("6 valid files in"), "{said}");
    assert!(errors.contains("downloading a.tar.gz: ") && errors.contains("/s\n"), "{errors}");
    assert_eq!(super::files(&home.path().join("datasets/downloads/two")), files);
    let (_, list, _) = encore(home.path(), &["data", "list"]);
    assert!(list.contains("imported from "), "{list}");
    let n = server.asked().len();
    // A process was killed after the import, before it removed the archive.
    let left = home.path().join("datasets/downloads/two.fetching");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("a.tar.gz"), &archive).unwrap();
    let (code, said, _) = encore(home.path(), &FETCH);
    assert!(code == Some(0) && said.contains("two is already downloaded, in "), "{said}");
    assert_eq!(server.asked().len(), n);
    assert!(!left.exists());
    let (_, said, _) = encore(home.path(), &[&FETCH[..], &["--json"]].concat());
    let fetched = crate::json::fits("data fetch", &said);
    assert_eq!((&fetched["was_there"], &fetched["import"]["n_valid"]), (&true.into(), &6.into()));
    // Into a folder of the user's choice, although the dataset is already downloaded.
    let to = home.path().join("elsewhere");
    let (code, _, errors) =
        encore(home.path(), &[FETCH.as_slice(), &["--to", to.to_str().unwrap()]].concat());
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(super::files(&to), files);
}

#[test]
fn a_table_is_the_file_itself_and_a_proxy_of_the_environment_is_asked() {
    let rows = (0..40).map(|i| format!("{i},{},0.{i}\n", ["blues", "rock"][i % 2]));
    let table = format!("id,genre,energy\n{}", rows.collect::<String>());
    let served = table.clone();
    let proxy = Server::start(move |_| Reply::new(200, served.as_bytes()));
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("datasets")).unwrap();
    let manifest = format!(
        "title = \"Songs\"\nlicence = \"-\"\ncitation = \"-\"\nhow_to_get = \"-\"\n\
         [[fetch]]\nfile = \"songs.csv\"\nurls = [\"http://songs.invalid/songs.csv\"]\n\
         md5 = \"{}\"\n\
         [table]\nid = [\"id\"]\nn_rows = 40\n[table.label]\ncolumn = \"genre\"\n\
         [table.columns]\nenergy = \"energy\"\n",
        "00000000000000000000000000000000"
    );
    let path = home.path().join("datasets/songs.toml");
    fs::write(&path, &manifest).unwrap();
    let fetch = || {
        let mut command = command(home.path(), &["data", "fetch", "songs"]);
        said(command.env("HTTP_PROXY", proxy.url()).output().unwrap())
    };
    let (code, _, errors) = fetch();
    assert_eq!(code, Some(3), "{errors}");
    assert_eq!(proxy.asked()[0].target, "http://songs.invalid/songs.csv");
    // The checksum of the first download is now required.
    let found = errors.split(", found md5 ").nth(1).unwrap();
    fs::write(&path, manifest.replace("00000000000000000000000000000000", &found[..32])).unwrap();
    let (code, out, errors) = fetch();
    assert_eq!(code, Some(0), "{errors}");
    assert!(out.contains("40 valid rows in "), "{out}");
    let folder = home.path().join("datasets/downloads/songs");
    assert_eq!(super::files(&folder), [("songs.csv".to_owned(), table.into_bytes())]);
}

#[test]
fn a_dataset_that_was_imported_from_elsewhere_is_there() {
    let (files, archive) = collection(N_FILES);
    let home = project(&[nobody()], &archive, N_FILES);
    let music = home.path().join("music");
    for (name, content) in &files {
        let path = music.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let path = music.to_str().unwrap();
    assert_eq!(encore(home.path(), &["data", "import", "two", path]).0, Some(0));
    for arguments in [FETCH.to_vec(), [FETCH.as_slice(), &["--to", path]].concat()] {
        let (code, out, errors) = encore(home.path(), &arguments);
        assert_eq!(code, Some(0), "{errors}");
        assert!(
            out.contains("two is already downloaded, in ") && out.contains("music/genres"),
            "{out}"
        );
    }
    // The dataset was deleted: it is fetched again, but there is no server.
    fs::remove_dir_all(&music).unwrap();
    assert_eq!(encore(home.path(), &FETCH).0, Some(3));
}

#[test]
fn without_an_address_or_anybody_there_it_is_said_how_to_go_on() {
    let (_, archive) = collection(N_FILES);
    let (one, two) = (nobody(), nobody().replace("/a", "/b"));
    let home = project(&[one.clone(), two.clone()], &archive, N_FILES);
    let manifest = home.path().join("datasets/two.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let (code, _, errors) = encore(home.path(), &FETCH);
    assert_eq!(code, Some(3), "{errors}");
    for part in [
        "error: no address delivers a.tar.gz\n".to_owned(),
        format!("\n  {one}: "),
        format!("\n  {two}: "),
        "\nhint: to import another copy: encore data import two PATH; or put a.tar.gz into \
         datasets/downloads/two.fetching and fetch again. ask nobody\n"
            .to_owned(),
    ] {
        assert!(errors.contains(&part), "{part}\nis not in\n{errors}");
    }
    let begin = text.find("[[fetch]]").unwrap();
    let without = [&text[..begin], &text[text.find("[folder]").unwrap()..]].concat();
    fs::write(&manifest, without).unwrap();
    let (code, _, errors) = encore(home.path(), &FETCH);
    assert_eq!(code, Some(3), "{errors}");
    let said = "error: no download address for two\n\
                hint: ask nobody; then: encore data import two PATH\n";
    assert!(errors.ends_with(said), "{errors}");
    let (_, list, _) = encore(home.path(), &["data", "list"]);
    assert!(list.contains("not imported; encore data import two PATH"), "{list}");
}

#[test]
fn a_stop_says_what_is_saved() {
    let (files, archive) = collection(N_FILES);
    let server = slow(&archive, Duration::from_secs(4));
    let home = project(&[format!("{}/a", server.url())], &archive, N_FILES);
    let partial = home.path().join("datasets/downloads/two.fetching/a.tar.gz.partial");
    let mut child = command(home.path(), &FETCH);
    let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("the first byte", || fs::metadata(&partial).is_ok_and(|file| file.len() > 0));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let (code, _, errors) = said(child.wait_with_output().unwrap());
    assert_eq!(code, Some(130), "{errors}");
    assert!(errors.contains("stopped: ") && errors.contains("the same command resumes"));
    drop(server);
    let server = slow(&archive, Duration::from_millis(20));
    let urls = format!("{}/a", server.url());
    // The server has moved: the checksum proves that the file is the same.
    let manifest = home.path().join("datasets/two.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let from = text.split('"').find(|part| part.starts_with("http://")).unwrap().to_owned();
    fs::write(&manifest, text.replace(&from, &urls)).unwrap();
    let (code, _, errors) = encore(home.path(), &FETCH);
    assert_eq!(code, Some(0), "{errors}");
    assert!(asked(&server)[0].1.is_some());
    assert_eq!(super::files(&home.path().join("datasets/downloads/two")), files);
}

#[test]
fn killed_at_thirty_moments_it_ends_with_the_same_bytes() {
    let (files, archive) = collection(N_FILES);
    let server = slow(&archive, Duration::from_millis(150));
    let home = project(&[format!("{}/a", server.url())], &archive, N_FILES);
    let datasets = home.path().join("datasets");
    let folder = datasets.join("downloads/two");
    let anew = || {
        for path in [datasets.join("downloads"), datasets.join("imported")] {
            if path.exists() {
                fs::remove_dir_all(path).unwrap();
            }
        }
    };
    let start = || {
        let mut child = command(home.path(), &FETCH);
        child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut child = start();
    let mut n_changes = wait_for_change(&mut child, &datasets, usize::MAX) as f64;
    assert!(child.wait().unwrap().success());
    anew();
    let (mut n_partial, mut n_done) = (0, 0);
    for i in 0..30 {
        let mut child = start();
        wait_for_change(&mut child, &datasets, 1 + random_below(i, n_changes as usize));
        // The process may have finished by itself.
        let _ = child.kill();
        child.wait().unwrap();
        n_partial += usize::from(datasets.join("downloads/two.fetching/a.tar.gz.partial").exists());
        // A file with its final name is complete.
        if folder.exists() {
            assert_eq!(super::files(&folder), files, "kill {i}");
            assert!(folder.join("fetched.json").exists());
        }
        if datasets.join("imported/two.json").exists() {
            assert!(folder.exists());
            n_done += 1;
            // A busy machine shows fewer or more changes, and the kills adapt.
            n_changes = (0.9 * n_changes).max(1.0);
            anew();
        } else {
            n_changes *= 1.02;
        }
    }
    assert!(n_partial >= 5, "only {n_partial} kills left a part: the test hits too little");
    assert!(n_done < 25, "{n_done} were done before the kill");
    let (code, _, errors) = encore(home.path(), &FETCH);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(super::files(&folder), files);
    assert!(!datasets.join("downloads/two.fetching").exists());
}
