"""What benches/mfcc.rs measures, by librosa 0.11.0 and soundfile, on one thread.

    pip install librosa==0.11.0 soundfile
    python benches/mfcc_librosa.py FOLDER [N_CLIPS]
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"

import pathlib
import sys
import tempfile
import time

import librosa
import numpy as np
import soundfile

SEGMENT_SAMPLES = 66150
N_ROUNDS = 3


def ten_segments(y):
    for start in range(0, len(y) - SEGMENT_SAMPLES + 1, SEGMENT_SAMPLES):
        librosa.feature.mfcc(y=y[start : start + SEGMENT_SAMPLES], sr=22050, n_mfcc=13)


def ten_statistics(y):
    for start in range(0, len(y) - SEGMENT_SAMPLES + 1, SEGMENT_SAMPLES):
        statistics(y[start : start + SEGMENT_SAMPLES])


def statistics(y):
    """The 53 columns of `[features.statistics]`, everything over one STFT."""
    feature, sr = librosa.feature, 22050
    magnitude = np.abs(librosa.stft(y))
    power = magnitude**2
    log_mel = librosa.power_to_db(feature.melspectrogram(S=power, sr=sr))
    centroid = feature.spectral_centroid(S=magnitude, sr=sr)
    parts = [
        feature.chroma_stft(S=power, sr=sr),
        feature.rms(y=y),
        centroid,
        feature.spectral_bandwidth(S=magnitude, sr=sr, centroid=centroid),
        feature.spectral_rolloff(S=magnitude, sr=sr),
        feature.zero_crossing_rate(y),
        *feature.mfcc(S=log_mel, n_mfcc=20),
    ]
    onset = librosa.onset.onset_strength(S=log_mel, sr=sr)
    tempo = feature.tempo(onset_envelope=onset, sr=sr)
    return [tempo] + [number for part in parts for number in (part.mean(), part.var())]


def report(what, n_clips, run):
    """Best of some rounds, in CPU-seconds of this process."""
    best = float("inf")
    for _ in range(N_ROUNDS):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    print(f"{what:<24} {n_clips / best:8.1f} clips/s", flush=True)


def main():
    clips = sorted(p for p in pathlib.Path(sys.argv[1]).rglob("*") if p.is_file())
    clips = clips[:: max(1, len(clips) // int(sys.argv[2]))] if len(sys.argv) > 2 else clips
    waves = [soundfile.read(p, dtype="float32")[0] for p in clips]
    ten_segments(waves[0])
    ten_statistics(waves[0])
    print(f"{len(clips)} clips, best of {N_ROUNDS} rounds, one thread, librosa {librosa.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        wavs = [f"{folder}/{i}.wav" for i in range(len(clips))]
        for path, y in zip(wavs, waves):
            soundfile.write(path, y, 22050, subtype="PCM_16")
        report("decode as given", len(clips), lambda: [soundfile.read(p, dtype="float32") for p in clips])
        report("decode 16-bit wav", len(clips), lambda: [soundfile.read(p, dtype="float32") for p in wavs])
        report("MFCC, 10 segments", len(clips), lambda: [ten_segments(y) for y in waves])
        report("statistics, 10 segments", len(clips), lambda: [ten_statistics(y) for y in waves])
        report("wav to MFCC", len(clips), lambda: [ten_segments(librosa.load(p, sr=None)[0]) for p in wavs])


main()
