"""Makes the files of audio/decode_tests.rs: one stereo tone in each format that we cannot write.

    pip install soundfile
    python tests/golden/make_tones.py

0.3 s at 22,050 Hz: left 0.5, right 0.25 times the sine of 440 Hz, so 0.375 as mono.
"""

import pathlib

import numpy as np
import soundfile

HERE = pathlib.Path(__file__).parent
SR = 22050
sine = np.sin(2 * np.pi * 440 * np.arange(int(0.3 * SR)) / SR)
stereo = np.stack([0.5 * sine, 0.25 * sine], axis=1)
for name, subtype in [
    ("flac", "PCM_16"),
    ("ogg", "VORBIS"),
    ("mp3", "MPEG_LAYER_III"),
    ("aiff", "PCM_16"),
    ("wav", "IMA_ADPCM"),
    ("au", "ULAW"),
]:
    soundfile.write(HERE / f"tone.{name}", stereo, SR, subtype=subtype)
