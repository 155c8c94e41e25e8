"""Reads event files with TensorBoard's own reader, and prints what it finds as JSON: tensorboard_reads.py FOLDER"""

import json
import os
import sys

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import plugin_data_pb2

found = {}
for name in sorted(os.listdir(sys.argv[1])):
    # 0 keeps every point.
    keep = {kind: 0 for kind in ("scalars", "images", "tensors", "compressedHistograms", "histograms", "audio")}
    reader = event_accumulator.EventAccumulator(os.path.join(sys.argv[1], name), size_guidance=keep)
    reader.Reload()
    tags = reader.Tags()
    scalars = {tag: [[it.step, it.value, it.wall_time] for it in reader.Scalars(tag)] for tag in tags["scalars"]}
    images = {tag: [[it.width, it.height, len(it.encoded_image_string)] for it in reader.Images(tag)] for tag in tags["images"]}
    hparams = {}
    for tag, content in reader.summary_metadata.items():
        if content.plugin_data.plugin_name != "hparams":
            continue
        data = plugin_data_pb2.HParamsPluginData.FromString(content.plugin_data.content)
        if data.HasField("session_start_info"):
            info = data.session_start_info
            hparams["group"] = info.group_name
            for key, value in info.hparams.items():
                hparams[key] = getattr(value, value.WhichOneof("kind"))
        if data.HasField("session_end_info"):
            hparams["status"] = data.session_end_info.status
    found[name] = {"scalars": scalars, "images": images, "hparams": hparams}
json.dump(found, sys.stdout)
