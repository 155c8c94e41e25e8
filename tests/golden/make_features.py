"""Makes the golden values of the frame features, spectrograms and windows: what librosa 0.11.0 says of
the signals that make_mfcc.py made, and of one more, a rhythm out of tune.

    pip install librosa==0.11.0 soundfile
    python tests/golden/make_mfcc.py
    python tests/golden/make_features.py

Writes beside itself: features_beats.flac, and features.txt in the form of mfcc.txt. Every `step`-th
column is kept where a case says `step`; every `every`-th frame, or five of them. Left out, and told,
are frames whose roll-off librosa's own rounding decides.
"""

import pathlib
import warnings

import librosa
import numpy as np
import soundfile

HERE = pathlib.Path(__file__).parent
SR = 22050

assert librosa.__version__ == "0.11.0", librosa.__version__
warnings.filterwarnings("ignore", message="Trying to estimate tuning")
warnings.filterwarnings("ignore", message="n_fft=")


def beats():
    """Six seconds: a decaying tone at every beat of 100 per minute, 0.23 semitones sharp."""
    t = np.arange(6 * SR) / SR
    beat = np.floor(t / 0.6).astype(int)
    since = t - 0.6 * beat
    semitones = np.array([0, 4, 7, 12, 7, 4, 0, -3, -5, 0])[beat] + 0.23
    hz = 440 * 2 ** (semitones / 12)
    tone = np.sin(2 * np.pi * hz * since) + 0.4 * np.sin(4 * np.pi * hz * since)
    return 0.05 * np.exp(-12 * since) * tone


SHORT = dict(n_fft=1024, win_length=800, hop_length=256)
MIRRORED = dict(pad_mode="reflect")
SIGNALS = ("noise", "tones", "chirp", "silence", "very_quiet", "half_silent", "clipped", "beats")
KINDS = ("chroma_stft", "spectral_centroid", "spectral_bandwidth", "spectral_rolloff")
SAMPLED = ("rms", "zero_crossing_rate")

# Settings of librosa's function of that name. `stft` is |X| ** power; `tempo` one number.
CASES = [(kind, signal, {}) for kind in KINDS + SAMPLED + ("onset_strength", "tempo") for signal in SIGNALS]
for kind in KINDS:
    CASES += [
        (kind, "chirp", SHORT),
        (kind, "clipped", dict(window="hamming", hop_length=441)),
        (kind, "noise", dict(window="blackman", n_fft=1500)),
        (kind, "beats", dict(window="boxcar", center=False, n_fft=4096, hop_length=1024)),
        (kind, "tones", MIRRORED),
        (kind, "tones", dict(sr=16000)),
        (kind, "short", MIRRORED),
        (kind, "short", dict(n_fft=255, hop_length=100)),
    ]
CASES += [
    ("chroma_stft", "beats", dict(n_chroma=24)),
    ("chroma_stft", "noise", dict(n_chroma=7)),
    ("chroma_stft", "chirp", dict(tuning=0.0)),
    ("chroma_stft", "tones", dict(tuning=-0.31, n_fft=4096)),
    ("spectral_rolloff", "noise", dict(roll_percent=0.5)),
    ("spectral_rolloff", "tones", dict(roll_percent=0.99)),
    ("rms", "chirp", dict(n_fft=512, hop_length=300)),
    ("rms", "short", MIRRORED),
    ("rms", "tones", dict(center=False)),
    ("zero_crossing_rate", "chirp", dict(n_fft=512, hop_length=300)),
    ("zero_crossing_rate", "short", {}),
    ("zero_crossing_rate", "tones", dict(center=False)),
    ("onset_strength", "beats", dict(n_fft=1024, hop_length=256, n_mels=64, fmax=8000.0)),
    ("onset_strength", "noise", dict(aggregate="median")),
    ("tempo", "beats", dict(aggregate="median")),
    ("tempo", "noise", dict(aggregate="median")),
    ("tempo", "beats", dict(hop_length=256)),
    ("tempo", "beats", dict(n_fft=1024, n_mels=40, sr=16000)),
    ("stft", "noise", dict(power=2.0)),
    ("stft", "chirp", dict(power=1.0)),
    ("stft", "clipped", dict(power=2.0, window="blackman", pad_mode="reflect")),
    ("stft", "half_silent", dict(power=1.0, window="boxcar")),
    ("stft", "very_quiet", dict(power=2.0, window="hamming", center=False)),
    ("stft_db", "noise", {}),
    ("stft_db", "beats", dict(ref="max", top_db=60.0)),
    ("mfcc", "noise", dict(window="hamming")),
    ("mfcc", "chirp", dict(window="blackman", win_length=1200)),
    ("mfcc", "clipped", dict(window="boxcar", pad_mode="reflect", power=1.0)),
    ("log_mel", "clipped", dict(window="hamming", n_fft=512, win_length=400, hop_length=160, n_mels=40, htk=True)),
    ("log_mel", "noise", dict(window="blackman", fmin=60.0, fmax=9000.0, norm=None, ref="max")),
]


def compute(y, kind, settings):
    s = dict(settings)
    sr = s.pop("sr", SR)
    frames = {k: s.pop(k) for k in ("n_fft", "win_length", "hop_length", "window", "center", "pad_mode") if k in s}
    if kind in KINDS:
        return getattr(librosa.feature, kind)(y=y, sr=sr, **frames, **s).T
    if kind in SAMPLED:
        if "n_fft" in frames:
            frames["frame_length"] = frames.pop("n_fft")
        return getattr(librosa.feature, kind)(y=y, **frames).T
    if kind.startswith("stft"):
        magnitude = np.abs(librosa.stft(y, **frames))
        if kind == "stft":
            return (magnitude ** s["power"]).T
        ref = np.max if s.get("ref") == "max" else 1.0
        return librosa.power_to_db(magnitude**2, ref=ref, top_db=s.get("top_db", 80.0)).T
    if kind == "mfcc":
        return librosa.feature.mfcc(y=y, sr=sr, **frames, **s).T
    aggregate = np.median if s.pop("aggregate", "mean") == "median" else np.mean
    ref = np.max if s.pop("ref", "one") == "max" else 1.0
    log_mel = librosa.power_to_db(librosa.feature.melspectrogram(y=y, sr=sr, **frames, **s), ref=ref)
    if kind == "log_mel":
        return log_mel.T
    sizes = {k: frames[k] for k in ("n_fft", "hop_length") if k in frames}
    onset = librosa.onset.onset_strength(S=log_mel, sr=sr, aggregate=aggregate, **sizes)
    if not settings:
        assert np.array_equal(onset, librosa.onset.onset_strength(y=y, sr=sr))
    if kind == "onset_strength":
        return onset[:, np.newaxis]
    hop = dict(hop_length=frames.get("hop_length", 512))
    return librosa.feature.tempo(onset_envelope=onset, sr=sr, **hop)[:, np.newaxis]


def undecided(y, settings):
    """Frames whose running sum is nearer to the roll-off's threshold than single precision tells."""
    s = {k: v for k, v in settings.items() if k not in ("sr", "roll_percent")}
    sums = np.cumsum(np.abs(librosa.stft(y, **s)).astype(np.float64), axis=0)
    threshold = settings.get("roll_percent", 0.85) * sums[-1]
    return set(np.nonzero((np.abs(sums - threshold) < 5e-6 * threshold).any(axis=0))[0])


def main():
    pcm = np.rint(beats() * 32768).astype(np.int16)
    soundfile.write(HERE / "features_beats.flac", pcm, SR, subtype="PCM_16")
    samples = {
        name: librosa.load(HERE / (f"mfcc_{name}.wav" if name != "beats" else "features_beats.flac"), sr=None)[0]
        for name in (*SIGNALS, "short")
    }
    with open(HERE / "features.txt", "w", encoding="ascii") as out:
        out.write(f"# librosa {librosa.__version__}, numpy {np.__version__}; tests/golden/make_features.py\n")
        for kind, signal, settings in CASES:
            values = compute(samples[signal], kind, settings)
            n_frames, n_columns = values.shape
            step = 16 if kind.startswith("stft") else 1
            some = {0, 1, n_frames // 2, n_frames - 2, n_frames - 1} & set(range(n_frames))
            every = max(1, n_frames // 40) if n_columns == 1 else n_frames
            some |= set(range(0, n_frames, every))
            if kind == "spectral_rolloff" and (doubtful := undecided(samples[signal], settings) & some):
                some -= doubtful
                print(f"{kind} {signal} {settings}: without frames {sorted(map(int, doubtful))}")
            words = [f"{key}={value}" for key, value in settings.items()] + ([f"step={step}"] if step > 1 else [])
            name = "_".join([kind, signal] + [str(v) for v in settings.values()])
            out.write(" ".join(["case", name, signal, kind, str(n_frames), str(n_columns)] + words) + "\n")
            for frame in sorted(some):
                out.write(f"{frame} " + " ".join(f"{v:.7g}" for v in values[frame, ::step]) + "\n")


main()
