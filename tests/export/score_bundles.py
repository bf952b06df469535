"""Scores a table with the score.py of every bundle, as a user would, while everything but one engine is out of reach.

    score_bundles.py ENGINE TABLE OUT BUNDLE...

Checks each bundle, then writes OUT/PLACE-BATCH.csv for the bundle at each place and each batch size."""

import runpy
import sys

ENGINE, TABLE, OUT, *BUNDLES = sys.argv[1:]
FORBIDDEN = {"torch": ["onnxruntime", "onnx", "numpy"], "onnxruntime": ["torch", "onnx"]}[ENGINE]
# An import of any of them fails from here on, whoever tries it.
for name in FORBIDDEN:
    assert name not in sys.modules, name
    sys.modules[name] = None


def score(bundle, *arguments):
    sys.argv = [f"{bundle}/score.py", *arguments]
    runpy.run_path(sys.argv[0], run_name="__main__")


for place, bundle in enumerate(BUNDLES):
    score(bundle, "--check")
    for batch in (1, 3, 257):
        score(bundle, TABLE, "--batch", str(batch), "--out", f"{OUT}/{place}-{batch}.csv")
assert ENGINE in sys.modules, "the engine that is there was taken without being named"
