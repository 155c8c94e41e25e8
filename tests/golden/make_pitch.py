"""Makes the golden values of the pitch shift's phase vocoder: what librosa 0.11.0 says of a short chord.

    pip install librosa==0.11.0
    python tests/golden/make_pitch.py

Writes pitch.txt beside itself: per line a rate, and every 200th sample of the stretched chord.
"""

import pathlib

import librosa
import numpy as np

SR, N = 22050, 8000

assert librosa.__version__ == "0.11.0", librosa.__version__
t = np.arange(N) / SR
chord = sum(0.2 * np.sin(2 * np.pi * hz * t) for hz in (220.0, 330.5, 1471.0)) * np.exp(-3 * t)
lines = []
for semitones in (-7, -2, 0.5, 5, 12):
    rate = 2.0 ** (-semitones / 12)
    stretched = librosa.effects.time_stretch(chord.astype(np.float32).astype(np.float64), rate=rate)
    lines.append(" ".join([repr(rate), str(len(stretched))] + [f"{x:.7f}" for x in stretched[::200]]))
pathlib.Path(__file__).with_name("pitch.txt").write_text("\n".join(lines) + "\n")
