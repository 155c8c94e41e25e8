//! Faults of a fetch, one per test.

use std::sync::atomic::AtomicUsize;

use super::*;

#[test]
fn cut_at_random_bytes_it_goes_on_where_it_was() {
    let body = noise(300_000, 10);
    let (served, count) = (body.clone(), AtomicUsize::new(0));
    let server = Server::start(move |request| {
        let i = count.fetch_add(1, Ordering::SeqCst) as u64;
        let reply = serve(request, &served, "\"1\"");
        // The seventh attempt succeeds.
        let most = reply.body.len();
        if i < 6 { reply.cut_after(random(i) as usize % (most / 2)) } else { reply }
    });
    let mut place = Place::new();
    place.n_tries = 10;
    place.fetch(&[remote("a", &[format!("{}/a", server.url())], &body)]).unwrap();
    assert_eq!(place.files(), [("a".to_owned(), body)]);
    let asked = server.asked();
    assert_eq!(asked.len(), 7);
    let n_ranges = asked.iter().filter(|request| request.header("range").is_some()).count();
    assert!(n_ranges >= 5, "only {n_ranges} went on");
    let tags = asked.iter().filter_map(|request| request.header("if-range"));
    assert!(tags.clone().count() == n_ranges && tags.clone().all(|tag| tag == "\"1\""));
    assert!(place.notes().contains("interrupted after "), "{}", place.notes());
}

#[test]
fn without_ranges_it_begins_anew() {
    let body = noise(50_000, 11);
    let (served, count) = (body.clone(), AtomicUsize::new(0));
    let server = Server::start(move |_| {
        let reply = Reply::new(200, served.clone());
        if count.fetch_add(1, Ordering::SeqCst) == 0 { reply.cut_after(40_000) } else { reply }
    });
    let place = Place::new();
    place.fetch(&[remote("a", &[format!("{}/a", server.url())], &body)]).unwrap();
    assert_eq!(place.files(), [("a".to_owned(), body)]);
    assert_eq!(asked(&server)[1].1.as_deref(), Some("bytes=40000-"));
    assert!(place.notes().contains("downloading again"), "{}", place.notes());
}

#[test]
fn a_wrong_sum_is_named_with_both_and_the_next_mirror_is_tried() {
    let (good, bad) = (noise(5_000, 12), noise(5_000, 13));
    let (served, wrong) = (good.clone(), bad.clone());
    let server = Server::start(move |request| match request.path() {
        "/good" => serve(request, &served, "\"1\""),
        _ => serve(request, &wrong, "\"2\""),
    });
    let url = |path: &str| format!("{}{path}", server.url());
    let place = Place::new();
    let said = format!("expected {}, found {}", sha256(&good), sha256(&bad));
    let error = place.fetch(&[remote("a", &[url("/bad")], &good)]).unwrap_err().to_string();
    assert!(error.contains(&format!("/bad: {said}")), "{error}");
    assert!(!place.folder().exists() && !place.beside("a.partial").exists());
    assert_eq!(server.asked().len(), 1, "a wrong file is not asked for twice");
    place.fetch(&[remote("a", &[url("/bad"), url("/good")], &good)]).unwrap();
    assert_eq!(place.files(), [("a".to_owned(), good.clone())]);
    // A different length is noticed before any byte is downloaded.
    let mut longer = remote("b", &[url("/good")], &good);
    longer.bytes = Some(5_001);
    fs::remove_dir_all(place.folder()).unwrap();
    let error = place.fetch(&[longer]).unwrap_err().to_string();
    assert!(error.contains("expected 5001 bytes, found 5000"), "{error}");
}

#[test]
fn a_mix_of_two_mirrors_is_noticed_and_made_good() {
    let (good, bad) = (noise(60_000, 14), noise(60_000, 15));
    let (served, wrong) = (good.clone(), bad.clone());
    let server = Server::start(move |request| match request.path() {
        "/good" => serve(request, &served, "\"1\""),
        // Half of a different file, and then nothing.
        _ if request.header("range").is_none() => serve(request, &wrong, "\"2\"").cut_after(30_000),
        _ => Reply::new(404, ""),
    });
    let url = |path: &str| format!("{}{path}", server.url());
    let place = Place::new();
    place.fetch(&[remote("a", &[url("/bad"), url("/good")], &good)]).unwrap();
    assert_eq!(place.files(), [("a".to_owned(), good)]);
    // The good mirror continued from the bad one's bytes, and was then asked for the whole file.
    let of_good: Vec<_> = asked(&server).into_iter().filter(|(path, _)| path == "/good").collect();
    assert_eq!(of_good.len(), 2);
    assert_eq!(of_good[0].1.as_deref(), Some("bytes=30000-"));
    assert_eq!(of_good[1].1, None);
    assert!(
        place.notes().contains("the file was assembled from several responses; downloading again"),
        "{}",
        place.notes()
    );
}

#[test]
fn without_a_sum_no_bytes_are_mixed() {
    let (one, two) = (noise(60_000, 16), noise(60_000, 17));
    let (first, second) = (one, two.clone());
    let server = Server::start(move |request| match request.path() {
        "/one" if request.header("range").is_none() => {
            serve(request, &first, "\"1\"").cut_after(30_000)
        }
        "/one" => Reply::new(500, ""),
        _ => serve(request, &second, "\"2\""),
    });
    let url = |path: &str| format!("{}{path}", server.url());
    let mut wanted = remote("a", &[url("/one"), url("/two")], &two);
    wanted.sum = None;
    let place = Place::new();
    let fetched = place.fetch(&[wanted]).unwrap();
    assert_eq!(place.files(), [("a".to_owned(), two.clone())]);
    assert_eq!(fetched.files[0].sum, sha256(&two).to_string());
    assert_eq!(asked(&server).last().unwrap().1, None);
}

#[test]
fn a_file_that_changed_half_way_begins_anew() {
    let (old, new) = (noise(60_000, 18), noise(60_000, 19));
    // One server knows If-Range and sends the whole file; the other sends a part of the new file
    // and says so.
    for knows_if_range in [true, false] {
        let (before, after) = (old.clone(), new.clone());
        let count = AtomicUsize::new(0);
        let server = Server::start(move |request| {
            if count.fetch_add(1, Ordering::SeqCst) == 0 {
                return serve(request, &before, "\"old\"").cut_after(20_000);
            }
            let mut request = request.clone();
            if !knows_if_range {
                request.headers.retain(|(name, _)| name != "if-range");
            }
            serve(&request, &after, "\"new\"")
        });
        let mut wanted = remote("a", &[format!("{}/a", server.url())], &new);
        wanted.sum = None;
        let place = Place::new();
        place.fetch(&[wanted]).unwrap();
        assert_eq!(place.files(), [("a".to_owned(), new.clone())], "{knows_if_range}");
        let second = &server.asked()[1];
        assert_eq!(second.header("if-range"), Some("\"old\""));
        assert!(place.notes().contains("downloading again"), "{}", place.notes());
    }
}

#[test]
fn a_416_is_the_end_of_a_whole_file_and_the_beginning_of_another() {
    let body = noise(10_000, 20);
    let served = body.clone();
    let server = Server::start(move |request| serve(request, &served, "\"1\""));
    let url = format!("{}/a", server.url());
    let mut wanted = remote("a", std::slice::from_ref(&url), &body);
    wanted.bytes = None;
    let longer = noise(12_000, 20);
    for (there, n_asked) in [(&body, 1), (&longer, 2)] {
        let place = Place::new();
        fs::create_dir_all(place.beside("")).unwrap();
        fs::write(place.beside("a.partial"), there).unwrap();
        let notes = format!(
            "{{\"url\":\"{url}\",\"etag\":\"\\\"1\\\"\",\"last_modified\":null,\
             \"whole\":null,\"n_answers\":1}}"
        );
        fs::write(place.beside("a.partial.json"), notes).unwrap();
        let n = server.asked().len();
        place.fetch(std::slice::from_ref(&wanted)).unwrap();
        assert_eq!(place.files(), [("a".to_owned(), body.clone())]);
        assert_eq!(server.asked().len() - n, n_asked);
        let range = format!("bytes={}-", there.len());
        assert_eq!(asked(&server)[n].1.as_deref(), Some(range.as_str()));
    }
}

#[test]
fn passing_failures_are_tried_again_and_others_are_not() {
    let body = noise(5_000, 21);
    let (served, count) = (body.clone(), AtomicUsize::new(0));
    let server = Server::start(move |request| match request.path() {
        "/500" => Reply::new(500, ""),
        "/404" => Reply::new(404, ""),
        "/503" => Reply::new(503, "").with("Retry-After", 3600),
        "/gzip" => serve(request, &served, "\"1\"").with("Content-Encoding", "gzip"),
        "/long" => Reply::new(200, [served.as_slice(), b"more"].concat()),
        _ if count.fetch_add(1, Ordering::SeqCst) == 0 => {
            Reply::new(429, "").with("Retry-After", 0)
        }
        _ => serve(request, &served, "\"1\""),
    });
    let paths = ["/500", "/404", "/503", "/gzip", "/long", "/good"];
    let urls: Vec<String> = paths.iter().map(|path| format!("{}{path}", server.url())).collect();
    let place = Place::new();
    let error = place.fetch(&[remote("a", &urls[..5], &body)]).unwrap_err().to_string();
    let wanted = [
        "no address delivers a\n".to_owned(),
        format!("  {}: answers 500, 3 times\n", urls[0]),
        format!("  {}: answers 404\n", urls[1]),
        format!("  {}: answers 503, and asks to retry in 3600 s\n", urls[2]),
        format!("  {}: sends the file as gzip, which was not requested\n", urls[3]),
        format!("  {}: expected 5000 bytes, found 5004", urls[4]),
    ];
    assert_eq!(error, wanted.concat());
    let n = |path: &str| asked(&server).iter().filter(|(asked, _)| asked == path).count();
    assert_eq!(paths.map(n), [3, 1, 1, 1, 1, 0]);
    place.fetch(&[remote("a", &urls, &body)]).unwrap();
    assert_eq!(place.files(), [("a".to_owned(), body)]);
    assert_eq!(n("/good"), 2);
}

#[test]
fn a_silent_server_and_a_closed_door_are_left() {
    let body = noise(40_000, 22);
    let served = body.clone();
    let server = Server::start(move |request| match request.path() {
        "/silent" => serve(request, &served, "\"1\"").late(Duration::from_secs(2)),
        "/stuck" => serve(request, &served, "\"1\"").drip(30_000, Duration::from_secs(1)),
        _ => serve(request, &served, "\"1\"").drip(1_000, Duration::from_millis(5)),
    });
    let url = |path: &str| format!("{}{path}", server.url());
    let mut place = Place::new();
    place.n_tries = 1;
    let urls = [nobody(), url("/silent"), url("/stuck")];
    let error = place.fetch(&[remote("a", &urls, &body)]).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 4, "{error}");
    assert!(error.contains("Connection refused"), "{error}");
    // The whole download takes longer than the timeout for the next bytes, which is not a reason to
    // stop it.
    place.n_tries = 3;
    place.fetch(&[remote("a", &[url("/slow")], &body)]).unwrap();
    assert_eq!(place.files(), [("a".to_owned(), body)]);
}

#[test]
fn a_stop_keeps_the_bytes_and_the_next_time_goes_on() {
    let body = noise(100_000, 23);
    let served = body.clone();
    let server = Server::start(move |request| {
        serve(request, &served, "\"1\"").drip(10_000, Duration::from_millis(10))
    });
    let wanted = [remote("a", &[format!("{}/a", server.url())], &body)];
    let place = Place::new();
    let stopped = place.fetch_and(&wanted, &|event| {
        if matches!(event, Event::Progress { n, .. } if n >= 40_000) {
            place.stop.store(true, Ordering::SeqCst);
        }
    });
    let error = stopped.unwrap_err();
    let FetchError::Stopped { n, .. } = error else { panic!("{error}") };
    assert_eq!(n, fs::metadata(place.beside("a.partial")).unwrap().len());
    assert!(error.to_string().ends_with("; the same command resumes"), "{error}");
    assert!(!place.folder().exists());
    place.stop.store(false, Ordering::SeqCst);
    place.fetch(&wanted).unwrap();
    assert_eq!(place.files(), [("a".to_owned(), body)]);
    assert_eq!(asked(&server)[1].1, Some(format!("bytes={n}-")));
}

#[test]
fn a_file_that_was_laid_there_by_hand_is_used_if_it_is_right() {
    let body = noise(10_000, 24);
    let served = body.clone();
    let server = Server::start(move |request| serve(request, &served, "\"1\""));
    let wanted = [remote("a", &[format!("{}/a", server.url())], &body)];
    for (there, n_asked) in [(body.clone(), 0), (noise(10_000, 25), 1)] {
        let place = Place::new();
        fs::create_dir_all(place.beside("")).unwrap();
        fs::write(place.beside("a"), there).unwrap();
        let fetched = place.fetch(&wanted).unwrap();
        assert_eq!(place.files(), [("a".to_owned(), body.clone())]);
        assert_eq!(server.asked().len(), n_asked);
        assert_eq!(fetched.files[0].url.is_some(), n_asked == 1);
    }
}

#[test]
fn a_file_of_an_earlier_attempt_is_not_downloaded_again_and_keeps_its_address() {
    let (one, two) = (noise(10_000, 27), noise(5_000, 28));
    let (served_one, served_two) = (one.clone(), two.clone());
    let server = Server::start(move |request| match request.path() {
        "/one" => serve(request, &served_one, "\"1\""),
        _ => serve(request, &served_two, "\"2\""),
    });
    let url = |path: &str| format!("{}{path}", server.url());
    let mut wanted = [remote("one", &[url("/one")], &one), remote("two", &[nobody()], &two)];
    let place = Place::new();
    assert!(matches!(place.fetch(&wanted), Err(FetchError::Unreachable { .. })));
    wanted[1].urls = vec![url("/two")];
    let fetched = place.fetch(&wanted).unwrap();
    let urls: Vec<_> = fetched.files.iter().map(|file| file.url.clone()).collect();
    assert_eq!(urls, [Some(url("/one")), Some(url("/two"))]);
    assert_eq!(server.asked().len(), 2);
    assert_eq!(place.files(), [("one".to_owned(), one), ("two".to_owned(), two)]);
}

#[test]
fn a_full_disk_is_seen_before_anything_is_asked() {
    let archive = tar_gz(&[("a.au", noise(9_000, 26))]);
    let served = archive.clone();
    let server = Server::start(move |request| serve(request, &served, "\"1\""));
    let mut wanted = remote("a.tar.gz", &[format!("{}/a", server.url())], &archive);
    (wanted.unpack, wanted.unpacked_bytes) = (Some(Packing::TarGz), Some(9_000));
    let whole = archive.len() as u64;
    let mut place = Place::new();
    place.free = whole + 8_999;
    let error = place.fetch(std::slice::from_ref(&wanted)).unwrap_err();
    let FetchError::Space { needed, free, .. } = error else { panic!("{error}") };
    assert_eq!((needed, free), (whole + 9_000, whole + 8_999));
    assert_eq!(server.asked().len(), 0);
    // Existing files count too.
    fs::write(place.beside("a.tar.gz"), &archive).unwrap();
    place.fetch(std::slice::from_ref(&wanted)).unwrap();
    assert_eq!(place.files(), [("a.au".to_owned(), noise(9_000, 26))]);
    // A length that only the server knows is checked once it is known.
    let mut place = Place::new();
    place.free = whole - 1;
    (wanted.bytes, wanted.unpack, wanted.unpacked_bytes) = (None, None, None);
    let error = place.fetch(&[wanted]).unwrap_err();
    assert!(matches!(error, FetchError::Space { .. }), "{error}");
}

#[test]
fn an_evil_archive_leaves_nothing() {
    let mut builder = tar::Builder::new(vec![]);
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..10].copy_from_slice(b"../../evil");
    header.set_size(4);
    header.set_cksum();
    builder.append(&header, b"evil".as_slice()).unwrap();
    let archive = builder.into_inner().unwrap();
    let served = archive.clone();
    let server = Server::start(move |request| serve(request, &served, "\"1\""));
    let mut wanted = remote("a.tar", &[format!("{}/a", server.url())], &archive);
    wanted.unpack = Some(Packing::Tar);
    let place = Place::new();
    let error = place.fetch(&[wanted]).unwrap_err().to_string();
    assert!(error.contains("holds \"../../evil\", a path out of the folder"), "{error}");
    assert!(!place.folder().exists());
    let left: Vec<_> = fs::read_dir(place.home.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
