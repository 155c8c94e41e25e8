"""Makes the files of audio/decode: one stereo tone in each format that we cannot write ourselves.

    pip install soundfile imageio-ffmpeg
    python tests/golden/make_tones.py

0.3 s at 22,050 Hz (the wav encodings: 0.02 s): left 0.5, right 0.25 times the sine of 440 Hz, so
0.375 as mono. Encoders are not the same everywhere: the committed files are those of libsndfile
1.2.2 (LAME, libvorbis) and ffmpeg 9.0 (its own aac and alac, libmp3lame).
"""

import pathlib
import subprocess

import imageio_ffmpeg
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

# Every encoding of wav, as WAVE_FORMAT_PCM / IEEE_FLOAT and once as WAVE_FORMAT_EXTENSIBLE.
for name, subtype, container in [
    ("u8", "PCM_U8", "WAV"),
    ("s16", "PCM_16", "WAV"),
    ("s24", "PCM_24", "WAV"),
    ("s32", "PCM_32", "WAV"),
    ("f32", "FLOAT", "WAV"),
    ("f64", "DOUBLE", "WAV"),
    ("extensible", "PCM_24", "WAVEX"),
]:
    path = HERE / f"tone_{name}.wav"
    soundfile.write(path, stereo[:441], SR, subtype=subtype, format=container)

# What libsndfile does not write. `-bitexact` leaves out dates and versions.
ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
for name, options in [
    ("tone.m4a", ["-c:a", "aac", "-b:a", "128k"]),
    ("tone_index_first.m4a", ["-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart"]),
    ("tone_alac.m4a", ["-c:a", "alac"]),
    ("tone_no_tag.mp3", ["-c:a", "libmp3lame", "-b:a", "64k", "-write_xing", "0", "-id3v2_version", "0"]),
]:
    source = ["-f", "f64le", "-ar", str(SR), "-ac", "2", "-i", "pipe:"]
    command = [ffmpeg, "-v", "error", "-y", *source, "-bitexact", *options, HERE / name]
    subprocess.run(command, input=stereo.tobytes(), check=True)
