"""Writes augment.json: what numpy, torch and torchaudio make of one small example, for the draws that are written beside.

    python make_augment.py        # numpy 2.4, torch 2.15, torchaudio 2.11
"""

import json
import pathlib
import warnings

warnings.simplefilter("ignore")
import numpy as np
import torch
import torchaudio

FRAMES, BANDS, CHANNELS = 9, 7, 2
rng = np.random.default_rng(7)
x = np.round(rng.normal(-40.0, 12.0, (FRAMES, BANDS, CHANNELS)), 3).astype(np.float32)


def plain(values):
    return [float(value) for value in np.asarray(values, np.float32).ravel()]


def eq(knots):
    """Half a cosine between knots at even distances."""
    place = np.linspace(0, len(knots) - 1, BANDS)
    low = np.minimum(place.astype(int), len(knots) - 2)
    share = (1 - np.cos(np.pi * (place - low))) / 2
    curve = np.asarray(knots)[low] * (1 - share) + np.asarray(knots)[low + 1] * share
    return x + curve[None, :, None].astype(np.float32)


def stretch(start, rate):
    """numpy.interp over the frames, which are mirrored behind the last one."""
    mirrored = np.concatenate([x, x[-2:0:-1]] * 12)
    place = start + rate * np.arange(FRAMES)
    out = np.empty_like(x)
    for band in range(BANDS):
        for channel in range(CHANNELS):
            line = mirrored[:, band, channel].astype(np.float64)
            out[:, band, channel] = np.interp(place, np.arange(len(line)), line)
    return out


def shift(by):
    """Bands moved up, with the outermost band repeated."""
    padded = np.pad(x, ((0, 0), (abs(by), abs(by)), (0, 0)), mode="edge")
    return padded[:, abs(by) - by : abs(by) - by + BANDS]


def torchaudio_mask(seed, size, axis):
    """torchaudio's mask along an axis; the range that it drew is told by what it covers."""
    spec = torch.from_numpy(x).permute(2, 1, 0)  # channels, bands, frames
    torch.manual_seed(seed)
    mean = float(np.mean(x.astype(np.float64)))
    masked = torchaudio.functional.mask_along_axis(spec, size, mean, axis)
    out = masked.permute(2, 1, 0).numpy()
    changed = np.flatnonzero((out != x).any(axis=tuple(i for i in range(3) if i != {1: 1, 2: 0}[axis])))
    return [int(changed[0]), int(changed[-1]) + 1], out


def rand_bbox(width, height, lam, cx, cy):
    """The box of the published code of CutMix."""
    cut = np.sqrt(1.0 - lam)
    cut_w, cut_h = int(width * cut), int(height * cut)
    return [int(np.clip(v, 0, n)) for v, n in [
        (cx - cut_w // 2, width), (cy - cut_h // 2, height), (cx + cut_w // 2, width), (cy + cut_h // 2, height)]]


def cuts():
    made = []
    for lam, cx, cy in [(0.5, 60, 64), (0.9, 2, 120), (0.1, 129, 0), (0.37, 0, 127), (0.999, 65, 64)]:
        x1, y1, x2, y2 = rand_bbox(130, 128, lam, cx, cy)
        share = 1 - (x2 - x1) * (y2 - y1) / (130 * 128)
        made.append({"removed": 1 - lam, "center": [cx, cy], "frames": [x1, x2], "bands": [y1, y2], "share": share})
    return made


bands, over_bands = torchaudio_mask(1, 5, 1)
frames, over_frames = torchaudio_mask(5, 7, 2)
golden = {
    "shape": [FRAMES, BANDS, CHANNELS],
    "x": plain(x),
    "roll": [{"by": by, "y": plain(np.roll(x, by, axis=0))} for by in [0, 1, 4, 8]],
    "time_reversal": plain(torch.flip(torch.from_numpy(x), [0])),
    "shift": [{"by": by, "y": plain(shift(by))} for by in [-6, -3, -1, 0, 1, 2, 6]],
    "eq": [{"knots": knots, "y": plain(eq(knots))} for knots in [[1.5, -2.0], [3.0, -4.0, 0.5, 6.0]]],
    "stretch": [{"start": start, "rate": rate, "y": plain(stretch(start, rate))}
                for start, rate in [(0.0, 1.0), (0.0, 1.25), (1.3, 0.8), (0.0, 2.5), (7.2, 0.1), (0.0, 10.0)]],
    "mask": [{"bands": bands, "frames": [0, FRAMES], "y": plain(over_bands)},
             {"bands": [0, BANDS], "frames": frames, "y": plain(over_frames)}],
    "cutmix": cuts(),
}
(pathlib.Path(__file__).parent / "augment.json").write_text(json.dumps(golden) + "\n")
print("bands", bands, "frames", frames)
