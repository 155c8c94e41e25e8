//! Clips per CPU-second on one thread: decoding, and the ten MFCC matrices or rows of statistics of
//! each clip.
//!
//! `ENCORE_BENCH_CLIPS=<folder of audio> cargo bench --bench mfcc`; without the folder, it uses 30
//! s of noise. `benches/mfcc_librosa.py` does the same with librosa.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{
    env, fs,
    hint::black_box,
    path::{Path, PathBuf},
    time::Instant,
};

use rayon::prelude::*;

use encore::audio::{
    FrameFeature, FrameFeatures, FrameSettings, Mfcc, MfccSettings, Waveform, Workspace, decode,
    write_wav,
};
use encore::features::{AUDIO_FEATURES, AudioFeature};
use encore::schema::{Tree, read};

const SEGMENT_SAMPLES: usize = 66_150;
const N_ROUNDS: usize = 5;

fn main() {
    let scratch = env::temp_dir().join(format!("encore-bench-{}", std::process::id()));
    fs::create_dir_all(&scratch).expect("the temporary folder is writable");
    let clips = env::var_os("ENCORE_BENCH_CLIPS").map_or_else(
        || vec![stand_in(&scratch)],
        |folder| {
            let mut clips = Vec::new();
            list_files(Path::new(&folder), &mut clips);
            clips.sort();
            clips
        },
    );
    let wavs: Vec<PathBuf> = clips
        .iter()
        .enumerate()
        .map(|(clip_idx, clip)| {
            let path = scratch.join(format!("{clip_idx}.wav"));
            write_wav(&path, &decode(clip).expect("the clip decodes")).expect("it is written");
            path
        })
        .collect();
    let waveforms: Vec<Waveform> =
        wavs.iter().map(|path| decode(path).expect("it was just written")).collect();
    let plan = Mfcc::new(&MfccSettings { n_mfcc: 13, ..Default::default() }).expect("in range");
    let mut workspace = Workspace::new();
    let mut out = vec![0.0; plan.n_frames(SEGMENT_SAMPLES) * plan.n_mfcc()];
    let mut ten_segments = |waveform: &Waveform| {
        for segment in waveform.samples.chunks_exact(SEGMENT_SAMPLES) {
            plan.compute(&mut workspace, segment, &mut out);
            black_box(&out);
        }
    };
    println!("{} clips, best of {N_ROUNDS} rounds, one thread", clips.len());
    report("decode as given", clips.len(), || {
        for path in &clips {
            drop(black_box(decode(path)));
        }
    });
    report("decode 16-bit wav", wavs.len(), || {
        for path in &wavs {
            drop(black_box(decode(path)));
        }
    });
    report("MFCC, 10 segments", wavs.len(), || waveforms.iter().for_each(&mut ten_segments));
    report("wav to MFCC", wavs.len(), || {
        for path in &wavs {
            ten_segments(&decode(path).expect("it was just written"));
        }
    });
    two_threads(&wavs, &plan);
    let statistics = statistics();
    let mut worker = statistics.worker();
    let mut out = vec![0.0; statistics.shape(SEGMENT_SAMPLES)[0]];
    report("statistics, 10 segments", wavs.len(), || {
        for segment in waveforms.iter().flat_map(|w| w.samples.chunks_exact(SEGMENT_SAMPLES)) {
            worker.compute(segment, &mut out);
            black_box(&out);
        }
    });
    for part in [
        FrameFeature::ChromaStft,
        FrameFeature::Rms,
        FrameFeature::SpectralCentroid,
        FrameFeature::SpectralBandwidth,
        FrameFeature::SpectralRolloff,
        FrameFeature::ZeroCrossingRate,
        FrameFeature::OnsetStrength,
    ] {
        let plan = FrameFeatures::new(&FrameSettings::default(), &[part]).expect("in range");
        let mut out = vec![0.0; plan.n_values(SEGMENT_SAMPLES)];
        report(&format!("{part:?}"), wavs.len(), || {
            for segment in waveforms.iter().flat_map(|w| w.samples.chunks_exact(SEGMENT_SAMPLES)) {
                plan.compute(&mut workspace, segment, &mut out);
                black_box(&out);
            }
        });
    }
    fs::remove_dir_all(&scratch).expect("it is ours");
}

/// Prints the speed-up of two threads over one from wav to MFCC, in wall time, alternating.
fn two_threads(wavs: &[PathBuf], plan: &Mfcc) {
    let n_values = plan.n_frames(SEGMENT_SAMPLES) * plan.n_mfcc();
    let wall_s = |n_threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build();
        let pool = pool.expect("threads can be started");
        let start = Instant::now();
        pool.install(|| {
            wavs.par_iter().for_each_init(
                || (Workspace::new(), vec![0.0; n_values]),
                |(workspace, out), path| {
                    let waveform = decode(path).expect("it was just written");
                    for segment in waveform.samples.chunks_exact(SEGMENT_SAMPLES) {
                        plan.compute(workspace, segment, out);
                        black_box(&out);
                    }
                },
            );
        });
        start.elapsed().as_secs_f64()
    };
    let mut best = [f64::INFINITY; 2];
    for _ in 0..N_ROUNDS {
        for (best, n_threads) in best.iter_mut().zip([1, 2]) {
            *best = best.min(wall_s(n_threads));
        }
    }
    println!("{:<24} {:8.2} times one", "wav to MFCC, two threads", best[0] / best[1]);
}

/// Returns `[features.statistics]` with its defaults.
fn statistics() -> Box<dyn AudioFeature> {
    let entry = AUDIO_FEATURES.iter().find(|entry| entry.name == "statistics");
    let entry = entry.expect("it is in the list");
    let tree = Tree::parse("nothing", "").expect("nothing is valid");
    read(&tree, |fields| (entry.read)(fields, 22_050)).expect("the defaults are in range").0
}

/// Prints the clips per CPU-second of this thread in the best round.
fn report(what: &str, n_clips: usize, mut run: impl FnMut()) {
    let start = Instant::now();
    let best_s = (0..N_ROUNDS)
        .map(|_| {
            let before_s = cpu_s(start);
            run();
            cpu_s(start) - before_s
        })
        .fold(f64::INFINITY, f64::min);
    println!("{what:<24} {:8.1} clips/s", n_clips as f64 / best_s);
}

/// Returns the CPU time of this thread on Linux, otherwise the wall time since `start`.
fn cpu_s(start: Instant) -> f64 {
    fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok())
        .map_or_else(|| start.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

fn stand_in(folder: &Path) -> PathBuf {
    let mut state = 1_u32;
    let samples = (0..661_500)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (f64::from(state) / f64::from(1_u32 << 31) - 1.0) as f32 * 0.3
        })
        .collect();
    let path = folder.join("noise.wav");
    write_wav(&path, &Waveform { samples, sample_rate_hz: 22_050 }).expect("it is written");
    path
}

fn list_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("its entries can be read").path();
        if path.is_dir() { list_files(&path, files) } else { files.push(path) }
    }
}
