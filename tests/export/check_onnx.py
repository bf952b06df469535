"""Checks every NAME.onnx of a folder by ONNX's own checker and runs it on NAME.input.f32 in batches; prints a JSON line for each with the
largest difference from NAME.expected.f32 at every batch size."""

import json
import pathlib
import sys

import numpy
import onnx
import onnxruntime

folder = pathlib.Path(sys.argv[1])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 2
for path in sorted(folder.glob("*.onnx")):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (taken,), (given,) = session.get_inputs(), session.get_outputs()
    window, features = taken.shape[1:]
    windows = numpy.fromfile(path.with_suffix(".input.f32"), "<f4").reshape(-1, window, features)
    expected = numpy.fromfile(path.with_suffix(".expected.f32"), "<f4")
    differences = {}
    for batch in (1, 3, 257):
        parts = [session.run(["prediction"], {"features": windows[i : i + batch]})[0] for i in range(0, len(windows), batch)]
        predictions = numpy.concatenate(parts)
        assert predictions.shape == expected.shape and predictions.dtype == numpy.float32, predictions.shape
        differences[batch] = float(numpy.abs(predictions - expected).max())
    print(json.dumps({
        "name": path.stem,
        "opset": model.opset_import[0].version,
        "ir_version": model.ir_version,
        "doc": model.doc_string,
        "metadata": {entry.key: entry.value for entry in model.metadata_props},
        "input": [taken.name, taken.type, [str(size) for size in taken.shape]],
        "output": [given.name, given.type, [str(size) for size in given.shape]],
        "spread": float(expected.std()),
        "largest": float(numpy.abs(expected).max()),
        "differences": differences,
    }))
