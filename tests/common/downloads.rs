//! A small collection of recordings to download, and servers that have it.

use std::fs;
use std::io::Write;
use std::time::Duration;

use super::random;
use super::server::{Reply, Request, Server};

/// Creates a gzipped tar archive of plain files.
pub fn tar_gz(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(vec![]);
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content.as_slice()).unwrap();
    }
    let tar = builder.into_inner().unwrap();
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    encoder.write_all(&tar).unwrap();
    encoder.finish().unwrap()
}

/// Creates a collection of two genres, in an archive that cannot be compressed.
pub fn collection(n_files: u64) -> (Vec<(String, Vec<u8>)>, Vec<u8>) {
    let home = tempfile::tempdir().unwrap();
    let mut files = vec![];
    for i in 0..n_files {
        let name = format!("genres/{}/{i}.wav", if i % 2 == 0 { "blues" } else { "rock" });
        let sample = |n: u64| (f32::from(random(i * 1_000_000 + n) as u16) / 65_536.0) - 0.5;
        let samples = (0..20_000).map(sample).collect();
        let waveform = encore::audio::Waveform { samples, sample_rate_hz: 8_000 };
        encore::audio::write_wav(home.path().join("a.wav"), &waveform).unwrap();
        files.push((name, fs::read(home.path().join("a.wav")).unwrap()));
    }
    files.sort();
    let borrowed: Vec<(&str, Vec<u8>)> =
        files.iter().map(|(name, content)| (name.as_str(), content.clone())).collect();
    let archive = tar_gz(&borrowed);
    (files, archive)
}

/// Creates a project with one dataset at some addresses.
pub fn project(urls: &[String], archive: &[u8], n_files: u64) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("datasets")).unwrap();
    let manifest = format!(
        "title = \"Two genres\"\nlicence = \"free for all\"\ncitation = \"Nobody, 2026\"\n\
         how_to_get = \"ask nobody\"\n\
         [[fetch]]\nfile = \"a.tar.gz\"\nurls = {urls:?}\nbytes = {}\nsha256 = \"{}\"\n\
         unpack = \"tar.gz\"\n\
         [folder]\nroots = [\"genres\"]\ngenres = [\"blues\", \"rock\"]\n\
         sample_rate_hz = 8000\nn_tracks = {n_files}\n",
        archive.len(),
        encore::vocab::sha256_hex(archive),
    );
    fs::write(home.path().join("datasets/two.toml"), manifest).unwrap();
    home
}

/// The reply of a good server: the file, or the requested part if the file is still the same.
pub fn serve(request: &Request, body: &[u8], etag: &str) -> Reply {
    let whole = body.len();
    let from = request.header("range").map(|range| {
        let from = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
        from.unwrap().parse::<usize>().unwrap()
    });
    let reply = match from {
        Some(_) if request.header("if-range").is_some_and(|tag| tag != etag) => {
            Reply::new(200, body)
        }
        Some(from) if from >= whole => {
            Reply::new(416, "").with("Content-Range", format!("bytes */{whole}"))
        }
        Some(from) => Reply::new(206, &body[from..])
            .with("Content-Range", format!("bytes {from}-{}/{whole}", whole - 1)),
        None => Reply::new(200, body),
    };
    reply.with("ETag", etag)
}

/// Starts a server that needs about this long for the whole archive.
pub fn slow(archive: &[u8], whole: Duration) -> Server {
    let served = archive.to_vec();
    Server::start(move |request| {
        let reply = serve(request, &served, "\"1\"");
        reply.drip(served.len() / 20, whole / 20)
    })
}
