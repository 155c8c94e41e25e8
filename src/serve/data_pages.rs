//! Datasets with figures and sound.

use super::answer::{Answer, Missing, Pages, guarded};
use super::http::{Reply, Request, StatusCode};
use super::site::Site;
use crate::audio::{Waveform, wav_bytes};
use crate::dataset::{AudioData, Data};
use crate::experiment::{segment, summarize};
use crate::report::live::{address, data_part, escape, mel_svg};

/// Tracks that the page of a dataset lists at a time.
const N_TRACKS: usize = 50;

pub(super) fn list(pages: &Pages) -> Answer {
    let (_, catalogue) = pages.0.specs().map_err(|faults| Missing::Wrong(faults.to_string()))?;
    let row = |manifest: &crate::dataset::Manifest| {
        let name = &manifest.name;
        let there = address(&format!("/data/{name}"), []);
        let is_there = catalogue.is_there(manifest);
        let name = if is_there {
            format!("<a href=\"{there}\">{}</a>", escape(name))
        } else {
            escape(name)
        };
        let state = if is_there {
            String::new()
        } else {
            format!("not imported: <code>{}</code>", escape(&manifest.command_to_get()))
        };
        (
            !is_there,
            format!(
                "<tr><th scope=\"row\">{name}</th><td>{}</td><td>{state}</td></tr>\n",
                escape(&manifest.title)
            ),
        )
    };
    let mut rows: Vec<(bool, String)> = catalogue.manifests().map(row).collect();
    rows.sort_by_key(|(is_missing, _)| *is_missing);
    let rows: String = rows.into_iter().map(|(_, row)| row).collect();
    let html = format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"Datasets\"><table><caption><span>Datasets of the project and \
         built-in ones; those that are there first</span></caption><thead><tr><th scope=\"col\">name</th>\
         <th scope=\"col\">what it is</th><th scope=\"col\">state</th></tr></thead>\n<tbody>{rows}</tbody></table></div>\n"
    );
    Ok(pages.page("Data", "/data", &html))
}

pub(super) fn dataset(pages: &Pages, name: &str, request: &Request) -> Answer {
    let data = pages.0.dataset(name).map_err(Missing::Unknown)?;
    let figures = summarize(name, &data).map_err(|error| error.to_string());
    let figures = figures
        .and_then(|summary| data_part(name, &summary).map_err(|error| error.to_string()))
        .unwrap_or_else(|why| format!("<p>No figures: {}</p>\n", escape(&why)));
    let tracks = match &*data {
        Data::Audio(audio) => tracks(audio, name, request),
        Data::Table(_) | Data::Arrays(_) => String::new(),
    };
    Ok(pages.page(name, "/data", &format!("{figures}{tracks}")))
}

/// The recordings that a reader asks for, each with its sound.
fn tracks(audio: &AudioData, name: &str, request: &Request) -> String {
    let wanted = request.value("track").unwrap_or_default().trim();
    let found = || audio.tracks.iter().filter(|track| track.id.contains(wanted));
    let rate = f64::from(audio.sample_rate_hz);
    let row = |track: &crate::dataset::Track| {
        let place = [("track", track.id.as_str())];
        let there = |end: &str| address(&format!("/data/{name}/{end}"), place);
        format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"n\">{:.1} s</td>\
             <td><audio controls preload=\"none\" src=\"{}\"></audio></td><td><a href=\"{}\">mel spectrogram</a></td></tr>\n",
            escape(&track.id),
            escape(audio.classes.get(track.class).map_or("", String::as_str)),
            track.n_samples as f64 / rate,
            there("sound"),
            there("mel")
        )
    };
    let rows: String = found().take(N_TRACKS).map(row).collect();
    let (n, all) = (found().count(), audio.tracks.len());
    let shown = n.min(N_TRACKS);
    format!(
        "<section><h2>Recordings</h2>\n<form class=\"query\" method=\"get\"><label>Name contains <input name=\"track\" \
         value=\"{}\"></label> <button>Show</button></form>\n\
         <div class=\"scroll\" role=\"region\" aria-label=\"Recordings\"><table><caption><span>{shown} of {n} that match; \
         {all} in all</span></caption><thead><tr><th scope=\"col\">track</th><th scope=\"col\">class</th>\
         <th scope=\"col\" class=\"n\">length</th><th scope=\"col\">sound</th><th scope=\"col\">picture</th></tr></thead>\n\
         <tbody>{rows}</tbody></table></div></section>\n",
        escape(wanted)
    )
}

/// The part of a recording that a request names.
fn part(
    site: &Site,
    name: &str,
    request: &Request,
) -> Result<(String, Waveform, f64, f64), Missing> {
    let data = site.dataset(name).map_err(Missing::Unknown)?;
    let Data::Audio(audio) = &*data else {
        return Err(Missing::Unknown(format!("{name} has no recordings")));
    };
    let wanted = request.value("track").unwrap_or_default();
    let track = audio.tracks.iter().find(|track| track.id == wanted);
    let Some(track) = track else {
        return Err(Missing::Unknown(format!("{name} has no track {wanted}")));
    };
    let number = |what: &str, otherwise: f64| match request.value(what) {
        None => Ok(otherwise),
        Some(text) => {
            text.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0).ok_or_else(
                || Missing::Wrong(format!("{what} must be a number of seconds, found {text:?}")),
            )
        }
    };
    let samples = audio.waveform(track).map_err(|error| Missing::Wrong(error.to_string()))?;
    let recording = Waveform { samples, sample_rate_hz: audio.sample_rate_hz };
    let start = number("start", 0.0)?;
    let seconds = number("seconds", recording.duration_s() - start)?;
    Ok((track.id.clone(), recording, start, seconds))
}

/// A recording, or a part of it, as a wav file.
pub(super) fn sound(site: &Site, name: &str, request: &Request) -> Answer {
    let (_, mut recording, start, seconds) = part(site, name, request)?;
    let rate = f64::from(recording.sample_rate_hz);
    let n = recording.samples.len();
    let first = ((start * rate).round() as usize).min(n);
    let end = (first + (seconds.max(0.0) * rate).round() as usize).min(n);
    recording.samples = recording.samples[first..end].to_vec();
    let bytes = wav_bytes(&recording).map_err(|error| Missing::Wrong(error.to_string()))?;
    Ok(guarded(Reply::new(StatusCode::OK, "audio/wav", bytes), "default-src 'none'"))
}

/// The mel spectrogram of a part of a recording, of at most its first 30 s.
pub(super) fn mel(site: &Site, name: &str, request: &Request) -> Answer {
    let (track, recording, start, seconds) = part(site, name, request)?;
    let segment = segment(&track, &recording, start, seconds.min(30.0))
        .map_err(|error| Missing::Wrong(error.to_string()))?;
    let svg = mel_svg(&segment).map_err(|error| Missing::Wrong(error.to_string()))?;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
    Ok(guarded(Reply::new(StatusCode::OK, "image/svg+xml", svg), policy))
}
