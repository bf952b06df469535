"""Records runs with TensorBoard's writer, an event file a run: benches/store.rs asks for it."""

import json
import os
import sys
import tempfile
import time

from tensorboard import version
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter


def record(folder, points):
    writer = EventFileWriter(folder)
    for step in range(points):
        value = Summary.Value(tag="train_loss", simple_value=1.0 / (step + 1))
        writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=[value])))
    writer.close()


def main():
    for line in sys.stdin:
        request = json.loads(line)
        with tempfile.TemporaryDirectory(dir=request["folder"]) as folder:
            record(f"{folder}/first", 1)
            began = time.perf_counter()
            for run in range(request["runs"]):
                record(f"{folder}/{run}", request["points"])
            seconds = time.perf_counter() - began
            # Ours is durable when it is done, so theirs has to be.
            began = time.perf_counter()
            os.sync()
            seconds += time.perf_counter() - began
        answer = {"seconds": seconds, "points": request["points"], "version": version.VERSION}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
