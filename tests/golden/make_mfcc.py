"""Makes the golden values of tests/golden_features.rs: signals (16-bit wav) and what librosa 0.11.0 says.

    pip install librosa==0.11.0 soundfile
    python tests/golden/make_mfcc.py

Writes beside itself: mfcc_<signal>.wav, and mfcc.txt with one line of settings and the values of
some frames for each case. Signals are stored, so that both sides read the same samples.
"""

import pathlib

import librosa
import numpy as np
import soundfile

HERE = pathlib.Path(__file__).parent
SR = 22050
N = SR // 2

assert librosa.__version__ == "0.11.0", librosa.__version__


def noise(n, seed=1):
    """White noise in [-1, 1) from a linear congruential generator."""
    state, out = seed, np.empty(n)
    for i in range(n):
        state = (1664525 * state + 1013904223) % 2**32
        out[i] = state / 2**31 - 1
    return out


t = np.arange(N) / SR
# A little noise under the pure tones: we transform in single precision, and bands 80 dB below the
# loudest of their frame would compare rounding noise.
hiss = 1e-2 * noise(N, 11)
half = np.where(np.arange(N) < N // 2, 1.0, 0.0)
SIGNALS = {
    "noise": 0.5 * noise(N),
    "tones": 0.3 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * 3137 * t) + hiss,
    "chirp": 0.8 * np.sin(2 * np.pi * (50 * t + 0.5 * (10500 - 50) / t[-1] * t**2)) + hiss,
    "silence": np.zeros(N),
    "very_quiet": 3 / 32768 * noise(N, 7),
    "half_silent": 0.7 * half * noise(N, 9),
    "clipped": np.clip(4 * np.sin(2 * np.pi * 220 * t) + 0.3 * noise(N, 5), -1, 1),
    "short": 0.5 * noise(300, 3),
}

# name, signal, kind, settings of librosa. `ref` is "one" or "max".
CASES = [
    ("defaults_noise", "noise", "mfcc", {}),
    ("report_tones", "tones", "mfcc", dict(n_mfcc=13)),
    ("report_chirp", "chirp", "mfcc", dict(n_mfcc=13)),
    ("silence", "silence", "mfcc", dict(n_mfcc=13)),
    ("very_quiet", "very_quiet", "mfcc", dict(n_mfcc=13)),
    ("half_silent", "half_silent", "mfcc", dict(n_mfcc=13)),
    ("clipped", "clipped", "mfcc", dict(n_mfcc=13)),
    ("shorter_than_a_frame", "short", "mfcc", dict(n_mfcc=13)),
    ("mirrored_short", "short", "mfcc", dict(n_mfcc=13, pad_mode="reflect")),
    ("mirrored", "chirp", "mfcc", dict(n_mfcc=13, pad_mode="reflect")),
    ("not_centred", "tones", "mfcc", dict(n_mfcc=13, center=False)),
    ("short_window", "chirp", "mfcc", dict(n_mfcc=13, n_fft=1024, win_length=400, hop_length=160)),
    ("odd_window", "noise", "mfcc", dict(n_mfcc=13, n_fft=1023, win_length=401, hop_length=333)),
    ("htk", "chirp", "mfcc", dict(n_mfcc=13, htk=True, norm=None)),
    ("narrow_band", "clipped", "mfcc", dict(n_mfcc=13, n_mels=40, fmin=300.0, fmax=8000.0)),
    ("lifter", "noise", "mfcc", dict(n_mfcc=24, lifter=22.0)),
    ("all_coefficients", "tones", "mfcc", dict(n_mfcc=40, n_mels=40)),
    ("empty_bands", "noise", "mfcc", dict(n_mfcc=13, n_fft=512, n_mels=128)),
    ("log_mel_defaults", "noise", "log_mel", {}),
    ("log_mel_max", "chirp", "log_mel", dict(ref="max")),
    ("log_mel_half_silent", "half_silent", "log_mel", dict(ref="max", top_db=None)),
    ("log_mel_magnitude", "tones", "log_mel", dict(power=1.0, n_mels=64)),
    ("log_mel_exponent", "clipped", "log_mel", dict(power=1.5, n_mels=64, amin=1e-6, top_db=60.0)),
    ("log_mel_16k", "noise", "log_mel", dict(sr=16000, n_fft=400, hop_length=160, n_mels=80, htk=True)),
]


def compute(y, kind, settings):
    s = dict(settings)
    db = dict(amin=s.pop("amin", 1e-10), top_db=s.pop("top_db", 80.0))
    db["ref"] = np.max if s.pop("ref", "one") == "max" else 1.0
    cepstral = {k: s.pop(k) for k in ("n_mfcc", "lifter") if k in s}
    mel = librosa.feature.melspectrogram(y=y, sr=s.pop("sr", SR), **s)
    if kind == "log_mel":
        return librosa.power_to_db(mel, **db).T
    # mfcc() passes everything on to melspectrogram() but calls power_to_db() with its defaults.
    # Its `norm` is the cosine transform's; the filters' is called `mel_norm` there.
    if "norm" in s:
        s["mel_norm"] = s.pop("norm")
    direct = librosa.feature.mfcc(y=y, sr=SR, **cepstral, **s)
    assert np.array_equal(direct, librosa.feature.mfcc(S=librosa.power_to_db(mel), **cepstral))
    return direct.T


def main():
    samples = {}
    for name, signal in SIGNALS.items():
        path = HERE / f"mfcc_{name}.wav"
        pcm = np.clip(np.rint(signal * 32768), -32768, 32767).astype(np.int16)
        soundfile.write(path, pcm, SR, subtype="PCM_16")
        samples[name], rate = librosa.load(path, sr=None)
        assert rate == SR
    with open(HERE / "mfcc.txt", "w", encoding="ascii") as out:
        out.write(f"# librosa {librosa.__version__}, numpy {np.__version__}; tests/golden/make_mfcc.py\n")
        for name, signal, kind, settings in CASES:
            values = compute(samples[signal], kind, settings)
            n_frames = len(values)
            words = " ".join(f"{key}={value}" for key, value in settings.items())
            out.write(f"case {name} {signal} {kind} {n_frames} {values.shape[1]} {words}".rstrip() + "\n")
            for frame in sorted({0, 1, n_frames // 2, n_frames - 2, n_frames - 1} & set(range(n_frames))):
                out.write(f"{frame} " + " ".join(f"{v:.5f}" for v in values[frame]) + "\n")


main()
