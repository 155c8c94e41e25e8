//! How good the neighbors of songs are: the share of the nearest with the same genre, next to what chance and
//! the usual baseline reach.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::embed::Embedder;
use super::music::{Music, MusicError, OnSong};
use crate::audio::{Mfcc, MfccSettings, Waveform, Workspace, resample};
use crate::dataset::AudioData;
use crate::metrics::{Clustered, Estimate, Interval};
use crate::similar::{Collection, Gaussian, Labels, Vectors, chance, precision};
use crate::vocab::Seed;

/// Songs whose neighbors are looked at, at most.
const MOST_QUERIES: usize = 2000;
const SAMPLE_RATE_HZ: u32 = 22_050;
const N_MFCC: usize = 20;

/// The precision of some ways to find neighbors.
pub struct SimilarityScores {
    /// Songs with a genre.
    pub n_songs: usize,
    /// Songs whose neighbors were looked at.
    pub n_queries: usize,
    /// Genres.
    pub n_genres: usize,
    /// Artists; nothing if the dataset does not say them.
    pub n_artists: Option<usize>,
    /// Neighbors of each song.
    pub k: usize,
    /// The vectors, the Gaussians of MFCCs, chance.
    pub methods: Vec<(String, Interval)>,
    /// The vectors less each of the others, with the p-value.
    pub differences: Vec<(String, Interval, f64)>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// Scores the vectors of a dataset's songs. Songs in `known` are left out: the model was trained on them.
///
/// Intervals are by artist, because the songs of one artist are not independent; by song if artists are
/// unknown.
///
/// # Errors
/// If the dataset has no genres, or fewer than two artists have a song left.
pub fn similarity(
    music: &Music,
    songs: &Collection,
    embedder: &Embedder,
    k: usize,
    known: &BTreeSet<String>,
    watch: &OnSong,
) -> Result<SimilarityScores, MusicError> {
    let Music::Dataset { data, artists } = music else {
        let said = "is a folder; only a dataset has the genres to evaluate with";
        return Err(MusicError::Usage(format!("{} {said}", music.name())));
    };
    if data.classes.len() < 2 {
        let said = format!("dataset {} has one genre only, so every neighbor has it", data.name);
        return Err(MusicError::Usage(said));
    }
    let kept: Vec<usize> =
        (0..songs.songs.len()).filter(|&i| !known.contains(&songs.songs[i].name)).collect();
    let mut notes = vec![];
    let n_known = songs.songs.len() - kept.len();
    if n_known > 0 {
        notes.push(format!("{n_known} songs are left out: the model was trained or tuned on them"));
    }
    if kept.is_empty() {
        return Err(MusicError::Usage(format!(
            "the model was trained or tuned on all songs of {}, so none is left to evaluate with\n\
             hint: a run that is split by track leaves its test tracks",
            data.name
        )));
    }
    let names: Vec<&str> = kept.iter().map(|&i| songs.songs[i].name.as_str()).collect();
    let genres = numbers(kept.iter().map(|&i| songs.songs[i].genre.as_deref().unwrap_or("")));
    let artist = |&i: &usize| songs.songs[i].artist.as_deref();
    let n_without = kept.iter().filter(|i| artist(i).is_none()).count();
    // A song without an artist is one of its own.
    let groups = numbers(kept.iter().map(|i| match artist(i) {
        Some(artist) => format!("by {artist}"),
        None => format!("song {}", songs.songs[*i].name),
    }));
    if artists.is_none() {
        notes.push(format!(
            "{} has no column `artist`, so neighbors by the same artist count",
            data.name
        ));
    } else if n_without > 0 {
        notes.push(format!("{n_without} songs have no artist; each counts as one of its own"));
    }
    let labels = Labels { genres: &genres, artists: &groups };
    let queries = queries(kept.len(), &mut notes);
    let rows: Vec<f32> = kept.iter().flat_map(|&i| songs.vector(i)).copied().collect();
    let vectors = Vectors::new(&rows, &embedder.parts());
    let ours = precision(labels, &queries, k, |query, out| {
        for (out, similarity) in out.iter_mut().zip(vectors.similarities(vectors.unit(query))) {
            *out = -similarity;
        }
    });
    let gaussians = gaussians(data, &names, watch)?;
    let baseline = precision(labels, &queries, k, |query, out| {
        for (out, other) in out.iter_mut().zip(&gaussians) {
            *out = gaussians[query].divergence(other) as f32;
        }
    });
    let random = chance(labels, &queries);
    let n_groups = groups.iter().max().map_or(0, |largest| largest + 1);
    let scored = |values: &[Option<f64>]| -> Option<Clustered> {
        let pairs = queries
            .iter()
            .zip(values)
            .filter_map(|(&query, value)| Some((groups[query], (*value)?)));
        let (tracks, values): (Vec<usize>, Vec<f64>) = pairs.unzip();
        let n = tracks.iter().collect::<BTreeSet<_>>().len();
        (n > 1).then(|| Clustered::mean(&values, &tracks, n_groups))
    };
    let (Some(ours), Some(baseline), Some(random)) =
        (scored(&ours), scored(&baseline), scored(&random))
    else {
        return Err(MusicError::NoMusic(format!(
            "{}: songs of two artists or more are needed, found {n_groups}",
            data.name
        )));
    };
    let words = embedder.words();
    let methods = [(words.as_str(), &ours), (BASELINE, &baseline), (RANDOM, &random)];
    let methods = methods.map(|(name, run)| {
        (name.to_owned(), Estimate::of(std::slice::from_ref(run)).fraction_interval())
    });
    let differences = [(BASELINE, &baseline), (RANDOM, &random)].map(|(name, other)| {
        let difference = Estimate::of(&[ours.minus(other)]);
        (name.to_owned(), difference.interval(), difference.p_value())
    });
    let has_artists = artists.is_some() && n_without < kept.len();
    Ok(SimilarityScores {
        n_songs: kept.len(),
        n_queries: queries.len(),
        n_genres: genres.iter().max().map_or(0, |largest| largest + 1),
        n_artists: has_artists.then_some(n_groups),
        k,
        methods: methods.into(),
        differences: differences.into(),
        notes,
    })
}

const BASELINE: &str = "Gaussian of 20 MFCCs, symmetric KL";
const RANDOM: &str = "random neighbors";

/// Numbers texts by their order.
fn numbers<T: Ord + Clone>(texts: impl Iterator<Item = T>) -> Vec<usize> {
    let texts: Vec<T> = texts.collect();
    let known: BTreeMap<T, usize> = texts
        .iter()
        .cloned()
        .collect::<BTreeSet<T>>()
        .into_iter()
        .enumerate()
        .map(|(number, text)| (text, number))
        .collect();
    texts.iter().map(|text| known[text]).collect()
}

/// The songs whose neighbors are looked at: all, or some drawn of many.
fn queries(n: usize, notes: &mut Vec<String>) -> Vec<usize> {
    let mut all: Vec<usize> = (0..n).collect();
    if n > MOST_QUERIES {
        let mut rng = Seed(0).rng("similarity queries", &[]);
        for i in 0..MOST_QUERIES {
            all.swap(i, i + rng.below(n - i));
        }
        all.truncate(MOST_QUERIES);
        all.sort_unstable();
        notes.push(format!(
            "{MOST_QUERIES} of {n} songs, drawn at random, look for neighbors in all"
        ));
    }
    all
}

/// A Gaussian of the MFCCs of every named track, in this order.
fn gaussians(
    data: &AudioData,
    names: &[&str],
    watch: &OnSong,
) -> Result<Vec<Gaussian>, MusicError> {
    let tracks: BTreeMap<&str, usize> =
        data.tracks.iter().enumerate().map(|(i, track)| (track.id.as_str(), i)).collect();
    let settings = MfccSettings { n_mfcc: N_MFCC, ..Default::default() };
    let mfcc = Mfcc::new(&settings).expect("librosa's defaults make a plan");
    let mut all = Vec::with_capacity(names.len());
    for piece in names.chunks(32) {
        let one = |name: &&str| -> Result<Gaussian, MusicError> {
            let samples = data.waveform(&data.tracks[tracks[name]])?;
            let waveform = Waveform { samples, sample_rate_hz: data.sample_rate_hz };
            let waveform = if data.sample_rate_hz == SAMPLE_RATE_HZ {
                waveform
            } else {
                resample(&waveform, SAMPLE_RATE_HZ).map_err(crate::dataset::DatasetError::from)?
            };
            let mut frames = vec![0.0; mfcc.n_frames(waveform.samples.len()) * N_MFCC];
            mfcc.compute(&mut Workspace::new(), &waveform.samples, &mut frames);
            Ok(Gaussian::fit(&frames, N_MFCC))
        };
        let made: Vec<Result<Gaussian, MusicError>> = piece.par_iter().map(one).collect();
        for gaussian in made {
            all.push(gaussian?);
        }
        if !watch(all.len(), names.len()) {
            return Err(MusicError::Stopped);
        }
    }
    Ok(all)
}
