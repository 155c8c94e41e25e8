use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::{AudioFeature, Examples, FeatureError, Segments, Step, Worker};
use super::{Cache, Content, Removed};
use crate::audio::{Waveform, write_wav};
use crate::dataset::{AudioData, Catalogue, Cut, Data};

const SEGMENTS: Segments = Segments { seconds: 0.1, per_track: 5 };
const N_TRACKS: usize = 20;

/// A feature that counts how often it is computed.
#[derive(Default)]
struct Counted {
    n: AtomicUsize,
}

impl AudioFeature for Counted {
    fn shape(&self, _n_samples: usize) -> Vec<usize> {
        vec![2]
    }

    fn is_whole(&self, n_samples: usize, whole: usize) -> bool {
        n_samples == whole
    }

    fn worker(&self) -> Box<dyn Worker + '_> {
        struct Counts<'a>(&'a AtomicUsize);
        impl Worker for Counts<'_> {
            fn compute(&mut self, samples: &[f32], out: &mut [f32]) {
                self.0.fetch_add(1, Ordering::Relaxed);
                out.copy_from_slice(&[samples[0], samples.iter().sum()]);
            }
        }
        Box::new(Counts(&self.n))
    }
}

/// A dataset of two genres with ten tracks each, four and a half segments long.
struct Home {
    folder: tempfile::TempDir,
    feature: Counted,
    notes: Mutex<Vec<String>>,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manifest = "title = \"t\"\nlicence = \"l\"\ncitation = \"c\"\nhow_to_get = \"h\"\n\
                        [folder]\ngenres = [\"a\", \"b\"]\nsample_rate_hz = 8000\nn_tracks = 20\n";
        fs::write(folder.path().join("mine.toml"), manifest).unwrap();
        let home = Self { folder, feature: Counted::default(), notes: Mutex::new(vec![]) };
        (0..N_TRACKS).for_each(|number| home.write_track(number, 0.0));
        home
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn write_track(&self, number: usize, offset: f32) {
        let genre = ["a", "b"][number / 10];
        let folder = self.folder.path().join("audio").join(genre);
        fs::create_dir_all(&folder).unwrap();
        let sample = |i: usize| ((i * (number + 3)) % 41) as f32 / 50.0 - 0.4 + offset;
        let samples = (0..3_600).map(sample).collect();
        let waveform = Waveform { samples, sample_rate_hz: 8_000 };
        write_wav(folder.join(format!("{number:02}.wav")), &waveform).unwrap();
    }

    /// Imports the dataset in its current state.
    fn import(&self) -> AudioData {
        let catalogue = Catalogue::open(self.folder.path()).unwrap();
        let manifest = catalogue.find("mine").unwrap();
        let from = self.folder.path().join("audio");
        catalogue.import(manifest, &from, false, &|_, _| ()).unwrap();
        let Data::Audio(audio) = catalogue.load(manifest, Cut::default()).unwrap() else {
            panic!("it is audio")
        };
        audio
    }

    fn examples_until(&self, audio: &AudioData, stop_at: usize) -> Result<Examples, FeatureError> {
        let watch = |step: Step| match step {
            Step::Tracks { n_done, .. } => n_done < stop_at,
            Step::Waiting => true,
            Step::Note(text) => {
                self.notes.lock().unwrap().push(text);
                true
            }
        };
        let settings = serde_json::json!({"counted": {}});
        super::examples(audio, SEGMENTS, &self.feature, &settings, &self.cache(), &watch)
    }

    fn examples(&self, audio: &AudioData) -> Examples {
        self.examples_until(audio, usize::MAX).unwrap()
    }

    /// Stops after a number of tracks, on one thread.
    fn stop_at(&self, audio: &AudioData, n: usize) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let stopped = pool.install(|| self.examples_until(audio, n).err().unwrap());
        assert!(matches!(stopped, FeatureError::Stopped), "{stopped}");
    }

    fn n_computed(&self) -> usize {
        self.feature.n.swap(0, Ordering::Relaxed)
    }

    fn notes(&self) -> String {
        self.notes.lock().unwrap().drain(..).collect::<Vec<_>>().join("\n")
    }
}

/// Damages a file.
type Damage<'a> = &'a dyn Fn(&Path);

fn flip(path: &Path, share: f64) {
    let mut bytes = fs::read(path).unwrap();
    let place = (bytes.len() as f64 * share) as usize;
    bytes[place] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn features_are_made_once_with_short_segments_named() {
    let home = Home::new();
    let audio = home.import();
    let made = home.examples(&audio);
    assert_eq!(home.n_computed(), N_TRACKS * 4);
    assert_eq!(made.ids.len(), N_TRACKS * 4);
    assert_eq!((made.ids[5].track.as_str(), made.ids[5].segment), ("01", 1));
    assert_eq!(made.targets.classes()[39..41], [0, 1]);
    assert_eq!(made.excluded.len(), N_TRACKS);
    assert_eq!(made.excluded[1].name, "01 segment 4");
    assert_eq!(made.excluded[1].reason, "has 400 samples, too few for a whole segment");
    let first = audio.waveform(&audio.tracks[1]).unwrap();
    assert_eq!(made.matrix.as_slice()[10], first[800]);
    let found = home.examples(&audio);
    assert_eq!((home.n_computed(), home.notes()), (0, String::new()));
    assert_eq!(found.matrix.as_slice(), made.matrix.as_slice());
    assert_eq!((found.ids, found.excluded), (made.ids, made.excluded));
}

#[test]
fn a_changed_and_an_added_file_recompute_only_their_own_tracks() {
    let home = Home::new();
    home.examples(&home.import());
    assert_eq!(home.n_computed(), N_TRACKS * 4);
    home.write_track(7, 0.1);
    let audio = home.import();
    let changed = home.examples(&audio);
    assert_eq!(home.n_computed(), 4, "one track's segments");
    let said = home.notes();
    assert!(said.starts_with("19 of 20 tracks are reused from features with the same"), "{said}");
    let samples = audio.waveform(&audio.tracks[7]).unwrap();
    assert_eq!(changed.matrix.as_slice()[7 * 8], samples[0]);
    // The result does not depend on the origin of the rows.
    let fresh = Home::new();
    fresh.write_track(7, 0.1);
    let whole = fresh.examples(&fresh.import());
    assert_eq!(whole.matrix.as_slice(), changed.matrix.as_slice());
    assert_eq!(whole.hash, changed.hash);

    let from = home.folder.path().join("audio/a/03.wav");
    fs::rename(from, home.folder.path().join("audio/a/30.wav")).unwrap();
    let renamed = home.examples(&home.import());
    assert_eq!(home.n_computed(), 0, "the same recording under a new name");
    assert_eq!(renamed.ids[36].track, "30");
    assert_eq!(renamed.excluded[9].name, "30 segment 4");
    home.write_track(3, 0.0);
    home.write_track(3, 0.2);
    assert_eq!(home.examples(&home.import()).ids.len(), 21 * 4);
    assert_eq!(home.n_computed(), 4, "an added track");
}

#[test]
fn a_file_that_changed_behind_the_index_is_an_error() {
    let home = Home::new();
    let audio = home.import();
    home.write_track(7, 0.1);
    let error = home.examples_until(&audio, usize::MAX).err().unwrap().to_string();
    assert!(error.contains("07.wav has changed since it was imported"), "{error}");
}

#[test]
fn what_was_stopped_goes_on_from_its_shards_and_damaged_ones_are_made_anew() {
    let (calm, home) = (Home::new(), Home::new());
    let wanted = calm.examples(&calm.import());
    let audio = home.import();
    home.stop_at(&audio, 12);
    assert_eq!(home.n_computed(), 12 * 4);
    let went_on = home.examples(&audio);
    assert_eq!(home.n_computed(), 12 * 4, "the first shard of eight was finished");
    assert_eq!(home.notes(), "continues from 8 of 20 tracks");
    assert_eq!(went_on.matrix.as_slice(), wanted.matrix.as_slice());

    drop(went_on);
    fs::remove_dir_all(home.cache()).unwrap();
    home.stop_at(&audio, 20);
    home.n_computed();
    // A kill would leave this state.
    let partial = home.cache().join(format!("{}.partial", &wanted.hash[..32]));
    fs::write(partial.join("shard-000002.partial"), "cut off").unwrap();
    fs::create_dir(partial.join("whole")).unwrap();
    fs::write(partial.join("whole/matrix.f32"), [7; 999]).unwrap();
    flip(&partial.join("shard-000001"), 0.7);
    let went_on = home.examples(&audio);
    assert_eq!(home.n_computed(), 12 * 4, "the second and the last");
    let said = home.notes();
    assert!(said.contains("shard-000001: is damaged: its checksum does not match; its"), "{said}");
    assert_eq!(went_on.matrix.as_slice(), wanted.matrix.as_slice());
    let left: Vec<_> = fs::read_dir(home.cache()).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(left.len(), 1, "the entry: {left:?}");
    let file = |home: &Home, name: &str| {
        fs::read(home.cache().join(&wanted.hash[..32]).join(name)).unwrap()
    };
    for name in ["matrix.f32", "entry.json"] {
        assert_eq!(file(&home, name), file(&calm, name), "{name}");
    }
}

#[test]
fn two_at_a_time_share_the_work_and_see_the_same() {
    let (calm, home) = (Home::new(), Home::new());
    let wanted = calm.examples(&calm.import());
    let audio = home.import();
    let both: Vec<Examples> = std::thread::scope(|scope| {
        let start = || scope.spawn(|| home.examples(&audio));
        [start(), start()].map(|thread| thread.join().unwrap()).into()
    });
    assert_eq!(home.n_computed(), N_TRACKS * 4, "no track is computed twice");
    for examples in &both {
        assert_eq!(examples.matrix.as_slice(), wanted.matrix.as_slice());
    }
    assert_eq!(Cache::new(home.cache()).items().unwrap().len(), 1);
}

#[test]
fn what_a_process_left_that_was_killed_after_publishing_is_removed_by_the_next_one() {
    let home = Home::new();
    let audio = home.import();
    home.examples(&audio);
    let items = || Cache::new(home.cache()).items().unwrap();
    let name = items()[0].name.clone();
    let shards = home.cache().join(format!("{name}.partial"));
    fs::create_dir(&shards).unwrap();
    fs::write(shards.join("shard-000000"), "").unwrap();
    fs::create_dir(home.cache().join(format!("{name}.partial.somewhere-1-0123456789.removed")))
        .unwrap();
    home.n_computed();
    home.examples(&audio);
    assert_eq!(home.n_computed(), 0);
    assert_eq!(items().len(), 1, "{:?}", items());
}

#[test]
fn a_damaged_entry_is_named_and_made_again() {
    let home = Home::new();
    let audio = home.import();
    let wanted = home.examples(&audio).matrix.as_slice().to_vec();
    let folder = Cache::new(home.cache()).items().unwrap()[0].name.clone();
    let folder = home.cache().join(folder);
    let remove = |path: &Path| fs::remove_file(path).unwrap();
    let cut = |path: &Path| fs::write(path, [0; 12]).unwrap();
    let flip_last = |path: &Path| flip(path, 0.99);
    let edit = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.replacen("\"n_tracks\":20", "\"n_tracks\":21", 1)).unwrap();
    };
    let damages: [(&str, Damage, &str); 6] = [
        ("matrix.f32", &remove, "is missing"),
        ("matrix.f32", &cut, "has 12 bytes, 640 were written"),
        ("entry.json", &remove, "is missing"),
        ("entry.json", &cut, "is damaged: expected value"),
        ("entry.json", &flip_last, "is damaged"),
        ("entry.json", &edit, "is damaged: its checksum does not match"),
    ];
    home.n_computed();
    for (file, damage, words) in damages {
        damage(&folder.join(file));
        let items = Cache::new(home.cache()).items().unwrap();
        assert!(
            matches!(&items[0].content, Content::Damaged(said) if said.contains(words)),
            "{items:?}"
        );
        let made = home.examples(&audio);
        let said = home.notes();
        assert!(said.contains(file) && said.contains(words), "{said}");
        assert!(said.ends_with("; the features will be computed again"), "{said}");
        assert_eq!(made.matrix.as_slice(), wanted);
        assert_eq!(home.n_computed(), N_TRACKS * 4);
    }
    // One changed bit of the matrix: the check finds it, and its rows are not reused.
    flip(&folder.join("matrix.f32"), 0.5);
    let cache = Cache::new(home.cache());
    let error = cache.check(&cache.items().unwrap()[0]).unwrap_err().to_string();
    assert!(error.contains("matrix.f32: is damaged: its sha256 is"), "{error}");
    home.write_track(7, 0.1);
    home.examples(&home.import());
    assert_eq!(home.n_computed(), N_TRACKS * 4);
    assert!(home.notes().ends_with("; its rows are not reused"));
}

#[test]
fn the_cache_is_listed_and_what_is_being_made_stays() {
    let home = Home::new();
    let audio = home.import();
    let cache = Cache::new(home.cache());
    assert_eq!(cache.items().unwrap(), []);
    home.stop_at(&audio, 9);
    let items = cache.items().unwrap();
    let Content::Partial { recipe: Some(recipe), n_tracks_done: 8 } = &items[0].content else {
        panic!("{items:?}")
    };
    assert_eq!((recipe.dataset.as_str(), recipe.n_tracks), ("mine", N_TRACKS));
    // First a running process works in the folder; then it has ended.
    let folder = home.cache().join(&items[0].name);
    let worker = folder.join(format!("worker.{}", crate::disk::unique_name()));
    fs::write(&worker, "").unwrap();
    let item = &cache.items().unwrap()[0];
    assert!(item.is_in_use);
    assert_eq!(cache.remove(item).unwrap(), Removed::InUse);
    fs::remove_file(worker).unwrap();
    assert!(!cache.items().unwrap()[0].is_in_use);
    assert!(matches!(cache.remove(&items[0]).unwrap(), Removed::Freed(n) if n > 64));
    assert_eq!(cache.items().unwrap(), []);

    let examples = home.examples(&audio);
    fs::create_dir(home.cache().join("0123.partial-77")).unwrap();
    let items = cache.items().unwrap();
    assert_eq!(items[0].content, Content::Leftover);
    assert!(matches!(&items[1].content, Content::Whole { n_examples: 80, .. }), "{items:?}");
    cache.check(&items[1]).unwrap();
    assert_eq!(cache.remove(&items[0]).unwrap(), Removed::Freed(0));
    // Readers take no lock: a mapped matrix can be removed and still be read.
    let numbers = examples.matrix.as_slice().to_vec();
    assert_eq!(cache.remove(&items[1]).unwrap(), Removed::Freed(items[1].n_bytes));
    assert_eq!(cache.items().unwrap(), []);
    assert_eq!(fs::read_dir(home.cache()).unwrap().count(), 0);
    assert_eq!(examples.matrix.as_slice(), numbers);
    home.n_computed();
    home.examples(&audio);
    assert_eq!(home.n_computed(), N_TRACKS * 4, "it was removed and is computed again");
}

#[test]
fn the_folder_of_shards_may_vanish_and_other_processes_may_publish_first() {
    let (calm, home) = (Home::new(), Home::new());
    let wanted = calm.examples(&calm.import());
    let audio = home.import();
    let (hash, settings) = (&wanted.hash[..32], serde_json::json!({"counted": {}}));
    let partial = home.cache().join(format!("{hash}.partial"));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let with = |at_track: usize, act: &(dyn Fn() + Sync)| {
        let watch = |step: Step| {
            match step {
                Step::Tracks { n_done, .. } if n_done == at_track => act(),
                Step::Note(text) => home.notes.lock().unwrap().push(text),
                _ => {}
            }
            true
        };
        pool.install(|| {
            super::examples(&audio, SEGMENTS, &home.feature, &settings, &home.cache(), &watch)
        })
    };
    // The cache is cleaned half-way, and the features are computed again.
    let did = AtomicUsize::new(0);
    let made = with(12, &|| {
        if did.fetch_add(1, Ordering::Relaxed) == 0 {
            fs::remove_dir_all(&partial).unwrap();
        }
    });
    assert_eq!(made.unwrap().matrix.as_slice(), wanted.matrix.as_slice());
    assert!(did.into_inner() >= 1);
    // Another process publishes the features and removes the shards; the features are used.
    fs::remove_dir_all(home.cache()).unwrap();
    home.notes();
    let made = with(12, &|| {
        let [from, to] = [&calm, &home].map(|home| home.cache().join(hash));
        fs::create_dir(&to).unwrap();
        for name in ["matrix.f32", "entry.json"] {
            fs::copy(from.join(name), to.join(name)).unwrap();
        }
        fs::remove_dir_all(&partial).unwrap();
    });
    assert_eq!(made.unwrap().matrix.as_slice(), wanted.matrix.as_slice());
    let said = home.notes();
    assert!(said.contains("tracks were computed by other processes at the same time"), "{said}");
    assert_eq!(fs::read_dir(home.cache()).unwrap().count(), 1);
}
