//! `spotify collect | login`: a playlist as a dataset.

use std::env;
use std::io::BufRead;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process;
use std::time::Duration;

use serde_json::json;

use super::data_arguments::{Collect, Login, Spotify as Command, SpotifyCommon};
use super::progress::Progress;
use super::{Done, Failure, Project, json, signals};
use crate::spotify::{
    self, Addresses, Clock, Collected, Credentials, FeatureSource, Journal, Output, POLICY,
    ProgressEvent, Published, ReccoBeats, RetryPolicy, Spotify, SpotifyError, SpotifyFeatures,
    SystemClock,
};
use crate::vocab::Seed;

/// Names that are printed of each reason; the file has all.
const N_NAMES: usize = 3;

pub(super) fn spotify(project: &Project, command: &Command) -> Done {
    match command {
        Command::Collect(arguments) => collect(project, arguments),
        Command::Login(arguments) => login(arguments),
    }
}

fn collect(project: &Project, arguments: &Collect) -> Done {
    let common = &arguments.common;
    let playlist = spotify::parse_playlist(&arguments.playlist)?;
    let output = Output::new(&arguments.out, &project.root.join("datasets"), &playlist)?;
    accepted(common)?;
    let progress = Progress::new(0);
    let tell = |told: &ProgressEvent| tell(&progress, told);
    let patience = patience(common, &tell);
    let credentials = credentials(common)?;
    let asker = Spotify::new(
        &credentials,
        common.token.clone().or(usual("spotify-token.json")),
        &addresses(common),
        &patience,
    )?;
    let of_spotify = SpotifyFeatures(&asker);
    let address = arguments.features_url.as_deref().unwrap_or(ReccoBeats::ADDRESS);
    let of_reccobeats = ReccoBeats::new(address, Duration::from_secs(20), &patience);
    let source: &dyn FeatureSource = match arguments.source.as_str() {
        "spotify" => &of_spotify,
        _ => &of_reccobeats,
    };
    let mut journal = Journal::open(&output.journal, &playlist, SystemClock.now_s())?;
    let collected = spotify::collect(&playlist, &mut journal, &asker, source, arguments.ask_again)?;
    let published = output.write(&collected, arguments.minimum_rows)?;
    let catalogue = project.catalogue()?;
    let manifest = catalogue.find(&output.name).map_err(Failure::Usage)?;
    catalogue.import(manifest, &output.csv, false, &|_, _| {})?;
    summary(&output, &collected, &published);
    Ok(())
}

fn login(arguments: &Login) -> Done {
    let common = &arguments.common;
    accepted(common)?;
    let cache = common.token.clone().or(usual("spotify-token.json"));
    let cache = cache.ok_or_else(|| {
        Failure::Usage("no configuration folder found; name a token file with --token".to_owned())
    })?;
    let progress = Progress::new(0);
    let tell = |told: &ProgressEvent| tell(&progress, told);
    let patience = patience(common, &tell);
    let login = spotify::Login::begin(&credentials(common)?, &addresses(common), arguments.port)?;
    let address = if arguments.paste {
        eprintln!("open this page and sign in:\n\n{}\n", login.url());
        eprintln!(
            "then paste the address that the browser went to, {}?…, here:",
            login.redirect_uri()
        );
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        line
    } else {
        let place = ("127.0.0.1", arguments.port);
        let listener = TcpListener::bind(place).map_err(|error| {
            let port = arguments.port;
            Failure::Usage(format!("port {port}: {error}\nhint: choose another --port, or --paste"))
        })?;
        eprintln!("open this page and sign in:\n\n{}\n", login.url());
        eprintln!("the app's dashboard must list the redirect URI {}", login.redirect_uri());
        login.wait(&listener, &patience)?
    };
    login.finish(&address, &cache, &patience)?;
    println!("signed in; the token is stored in {}", cache.display());
    json::put("token", cache.display().to_string());
    Ok(())
}

/// Prints Spotify's policy and fails unless the user has accepted it.
fn accepted(common: &SpotifyCommon) -> Done {
    eprintln!("{POLICY}\n");
    if common.accept_terms {
        return Ok(());
    }
    let message = "no request was sent to Spotify\nhint: confirm with --accept-terms if you may use its content";
    Err(Failure::Usage(message.to_owned()))
}

fn credentials(common: &SpotifyCommon) -> Result<Credentials, SpotifyError> {
    let usual = usual("spotify.env");
    Credentials::find(common.credentials.as_deref(), usual.as_deref(), &|name| env::var(name).ok())
}

/// A file of the user's own configuration of encore.
fn usual(name: &str) -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?;
    Some(folder.join("encore").join(name))
}

fn addresses(common: &SpotifyCommon) -> Addresses {
    let known = Addresses::default();
    Addresses {
        api: common.api_url.clone().unwrap_or(known.api),
        accounts: common.auth_url.clone().unwrap_or(known.accounts),
    }
}

fn patience<'a>(common: &SpotifyCommon, tell: &'a dyn Fn(&ProgressEvent)) -> RetryPolicy<'a> {
    let at_most = Duration::from_secs(common.wait_at_most.into());
    // Two processes that hit the rate limit together must not retry together.
    let seed = Seed(SystemClock.now_s() << 32 | u64::from(process::id()));
    RetryPolicy::new(&SystemClock, signals::caught(), tell, at_most, seed)
}

fn tell(progress: &Progress, told: &ProgressEvent) {
    match told {
        ProgressEvent::Progress { what, n_done, n } => progress.step(what, *n_done, *n),
        ProgressEvent::Waiting { seconds, why } => {
            progress.line(&format!("{why}; waiting {seconds:.0} s"));
        }
        ProgressEvent::Note(text) => progress.line(text),
    }
}

fn summary(output: &Output, collected: &Collected, published: &Published) {
    let (n_places, n_songs) = (collected.n_places, collected.songs.len());
    println!("{}: {n_songs} songs of {n_places} places of \"{}\"", output.name, collected.title);
    if collected.n_told != n_places {
        println!("  Spotify says that the playlist has {} places", collected.n_told);
    }
    for (reason, n) in &published.dropped {
        let names = collected.dropped.iter().filter(|out| out.reason == *reason);
        let names: Vec<String> = names
            .take(N_NAMES)
            .map(|out| {
                if out.name.is_empty() { format!("place {}", out.place) } else { out.name.clone() }
            })
            .collect();
        let more = if *n > N_NAMES { ", …" } else { "" };
        println!("  dropped: {n:5} {reason}: {}{more}", names.join(", "));
    }
    let (labels, least) = (&published.labels, published.minimum_rows);
    let n_labeled: usize = labels.iter().map(|(_, n)| n).sum();
    println!(
        "  {n_labeled} songs of {} genres that {least} or more have in first place:",
        labels.len()
    );
    for (label, n) in labels {
        println!("    {label:24} {n:6}");
    }
    let paths = [&output.parquet, &output.csv, &output.dropped, &output.manifest];
    json::put("name", &output.name);
    json::put("title", &collected.title);
    json::put("n_places", n_places);
    json::put("n_songs", n_songs);
    json::put("dropped", {
        let count = |(reason, n): &(&str, usize)| json!({ "reason": reason, "n": n });
        published.dropped.iter().map(count).collect::<Vec<_>>()
    });
    json::put("labels", {
        let count = |(name, n): &(String, usize)| json!({ "name": name, "n": n });
        labels.iter().map(count).collect::<Vec<_>>()
    });
    json::put("files", paths.map(|path| path.display().to_string()));
    for path in paths {
        println!("  {}", path.display());
    }
    println!("next: encore run spotify-logistic --data {}", output.name);
}

impl From<SpotifyError> for Failure {
    fn from(error: SpotifyError) -> Self {
        let text = error.to_string();
        match error {
            SpotifyError::Usage(_) | SpotifyError::Journal { .. } => Self::Usage(text),
            SpotifyError::Closed(_)
            | SpotifyError::Answer { .. }
            | SpotifyError::Unreachable { .. }
            | SpotifyError::Changed(_)
            | SpotifyError::Empty(_) => Self::Data(text),
            SpotifyError::Later { .. } => Self::Later(text),
            SpotifyError::Stopped => Self::Stopped(text),
            error => Self::Internal(error.into()),
        }
    }
}
