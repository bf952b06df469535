"""Reads the scalars of every subfolder with TensorBoard's own reader: {folder: {tag: [{step, value, wall_time}]}} as JSON."""

import json
import pathlib
import sys

from tensorboard.backend.event_processing import event_accumulator

scalars = {}
for folder in sorted(path for path in pathlib.Path(sys.argv[1]).iterdir() if path.is_dir()):
    reader = event_accumulator.EventAccumulator(str(folder))
    reader.Reload()
    scalars[folder.name] = {
        tag: [{"step": point.step, "value": point.value, "wall_time": point.wall_time} for point in reader.Scalars(tag)]
        for tag in reader.Tags()["scalars"]
    }
print(json.dumps(scalars))
