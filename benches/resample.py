"""Holds our resampler against soxr_hq (librosa's default) and prints the table of benches/README.md.

    pip install soxr soundfile numpy
    cargo bench --bench resample --no-run
    python benches/resample.py MUSIC.flac...

Difference: ours - soxr, away from the ends, in dB of the signal's RMS. Music is read as mono,
brought to the rate that is resampled from (by soxr_vhq) and cut to 30 s. Exact: the largest
difference of a resampled tone from the tone computed at the new rate, in dB of its peak, over tones
to 0.9 of the lower Nyquist frequency; soxr's beside it. Ripple, edge and stopband are the level of
such tones, below and above.
"""

import glob
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import soundfile
import soxr

HERE = pathlib.Path(__file__).parent
BINARY = os.environ.get("ENCORE_RESAMPLE") or max(
    (p for p in glob.glob(str(HERE.parent / "target/release/deps/resample-*")) if os.access(p, os.X_OK) and not p.endswith(".d")),
    key=os.path.getmtime,
)
PAIRS = [(44100, 22050), (48000, 22050), (22050, 16000), (16000, 22050)]


def ours(x, from_hz, to_hz):
    with tempfile.TemporaryDirectory() as folder:
        source, result = f"{folder}/in.f32", f"{folder}/out.f32"
        np.asarray(x, "<f4").tofile(source)
        command = [BINARY, source, str(from_hz), str(to_hz), result]
        seconds = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        return np.fromfile(result, "<f4").astype(float), seconds


def db(ratio):
    return 20 * np.log10(max(ratio, 1e-20))


def noise(sr):
    return 0.2 * np.random.default_rng(0).standard_normal(10 * sr)


def chirp(sr):
    t = np.arange(10 * sr) / sr
    return 0.5 * np.sin(2 * np.pi * (20 * t + (sr / 2 - 20) / 20 * t**2))


def low_passed(x, sr, cutoff_hz):
    spectrum = np.fft.rfft(x)
    spectrum[np.fft.rfftfreq(len(x), 1 / sr) > cutoff_hz] = 0
    return np.fft.irfft(spectrum, len(x))


def sine(frequency, sr, n):
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(n) / sr)


def exactness(from_hz, to_hz):
    """Largest difference from the exact tone, in dB: ours and soxr_hq's."""
    inner = slice(to_hz, 3 * to_hz)
    worst = [0.0, 0.0]
    for f in np.linspace(0.01, 0.9, 24) * min(from_hz, to_hz) / 2:
        x, wanted = sine(f, from_hz, 4 * from_hz), sine(f, to_hz, 4 * to_hz)
        both = ours(x, from_hz, to_hz)[0], soxr.resample(np.asarray(x, "f4"), from_hz, to_hz, "HQ")
        for i, got in enumerate(both):
            worst[i] = max(worst[i], np.abs(got[inner] - wanted[inner]).max() / 0.5)
    return [db(w) for w in worst]


def response(from_hz, to_hz):
    """Passband ripple below 0.9 of the lower Nyquist frequency, gains near it, and the least
    attenuation above it, from tones (so that what aliases is seen)."""
    nyquist = min(from_hz, to_hz) / 2
    n = 4 * from_hz
    inner = slice(to_hz, 3 * to_hz)

    def gain(frequency):
        y, _ = ours(sine(frequency, from_hz, n), from_hz, to_hz)
        return np.sqrt(2 * np.mean(y[inner] ** 2)) / 0.5

    passband = [db(gain(f)) for f in np.linspace(0.01, 0.9, 24) * nyquist]
    edges = {f: db(gain(f * nyquist)) for f in (0.91, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995)}
    stop = None
    if from_hz > to_hz:
        stop = max(db(gain(f)) for f in np.linspace(1.0005, from_hz / 2 / nyquist - 0.001, 40) * nyquist)
    return max(abs(g) for g in passband), edges, stop


def main():
    music = []
    for path in sys.argv[1:]:
        y, sr = soundfile.read(path, dtype="float64", always_2d=True)
        music.append((y.mean(axis=1), sr))
    for from_hz, to_hz in PAIRS:
        nyquist = min(from_hz, to_hz) / 2
        clips = [soxr.resample(y, sr, from_hz, "VHQ")[: 30 * from_hz] for y, sr in music]
        signals = [("noise", [noise(from_hz)]), ("chirp", [chirp(from_hz)]), ("music", clips)]
        for name, signals_of_name in signals:
            if not signals_of_name:
                continue
            worst, rms, inside, seconds, seconds_soxr = [], [], [], 0, 0
            for x in signals_of_name:
                y, s = ours(x, from_hz, to_hz)
                start = time.perf_counter()
                z = soxr.resample(np.asarray(x, "f4"), from_hz, to_hz, "HQ").astype(float)
                seconds_soxr += time.perf_counter() - start
                seconds += s
                m = min(len(y), len(z))
                edge = to_hz // 4
                level = np.sqrt(np.mean(z[edge : m - edge] ** 2))
                d = (y[:m] - z[:m])[edge : m - edge]
                worst.append(db(np.abs(d).max() / level))
                rms.append(db(np.sqrt(np.mean(d**2)) / level))
                d = low_passed(y[:m] - z[:m], to_hz, 0.9 * nyquist)[edge : m - edge]
                inside.append(db(np.sqrt(np.mean(d**2)) / level))
            print(
                f"{from_hz} -> {to_hz} | {name:5} | max {max(worst):6.1f} dB | rms {max(rms):6.1f} dB"
                f" | rms below 0.9 Nyquist {max(inside):6.1f} dB | soxr's time / ours {seconds_soxr / seconds:.1f}",
                flush=True,
            )
        exact, exact_soxr = exactness(from_hz, to_hz)
        print(f"{from_hz} -> {to_hz} | exact: ours {exact:.1f} dB, soxr_hq {exact_soxr:.1f} dB")
        ripple, edges, stop = response(from_hz, to_hz)
        points = ", ".join(f"{f}: {g:.2f}" for f, g in edges.items())
        stopband = "none" if stop is None else f"{stop:.1f} dB"
        print(f"{from_hz} -> {to_hz} | ripple {ripple:.5f} dB | edge in dB at {points} | stopband {stopband}")


main()
