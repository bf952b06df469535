"""Writes distribution.json: inputs and expected outputs for src/workbench/look/distribution.rs, from numpy and scipy.

    python -m venv /tmp/golden && /tmp/golden/bin/pip install numpy==2.4.6 scipy==1.17.1
    /tmp/golden/bin/python tests/golden/make_distribution.py

- Bins: numpy.linspace between the 0.5th and 99.5th percentile (numpy's default, linear) of the values of all sections, 40 of them; a constant
  gets half a unit on either side, as numpy.histogram does.
- Counts: numpy.histogram over those bounds, whose last bin holds both of its bounds.
- Standard deviation: numpy's default, divided by the number of values.
- Distance: the statistic of scipy.stats.ks_2samp against the first section.
"""

import json
import pathlib

import numpy as np
import scipy.stats

BINS = 40
rng = np.random.default_rng(20260822)


def case(name, train, validation, test):
    sections = [np.round(np.asarray(values, float), 6) for values in (train, validation, test)]
    low, high = np.percentile(np.concatenate(sections), [0.5, 99.5])
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, BINS + 1)
    described = []
    for position, values in enumerate(sections):
        counts, _ = np.histogram(values, edges)
        distance = None
        if position > 0:
            distance = float(scipy.stats.ks_2samp(values, sections[0]).statistic)
        described.append(
            {
                "values": values.tolist(),
                "mean": float(values.mean()),
                "std": float(values.std()),
                "min": float(values.min()),
                "max": float(values.max()),
                "below": int((values < edges[0]).sum()),
                "counts": counts.tolist(),
                "above": int((values > edges[-1]).sum()),
                "distance": distance,
            }
        )
    return {"name": name, "edges": edges.tolist(), "sections": described}


cases = [
    case("normal", rng.normal(size=400), rng.normal(0.2, 1.1, 90), rng.normal(-0.3, 0.8, 120)),
    case("heavy tails", rng.standard_t(2, 300) * 0.01, rng.standard_t(2, 60) * 0.01, rng.standard_t(2, 80) * 0.02),
    case("ties", rng.integers(0, 7, 250), rng.integers(0, 7, 70), rng.integers(2, 9, 61)),
    case("zeros and ones", rng.integers(0, 2, 200), rng.integers(0, 2, 50), np.ones(20)),
    case("constant", np.full(30, 2.5), np.full(10, 2.5), np.full(5, 2.5)),
    case("percentiles on values", np.arange(600) / 8, np.arange(201) / 8, np.arange(200) / 8 + 10),
    case("far apart", rng.normal(size=50), rng.normal(size=40) + 100, [-50.0]),
]
path = pathlib.Path(__file__).with_name("distribution.json")
path.write_text(json.dumps({"numpy": np.__version__, "scipy": scipy.__version__, "cases": cases}, indent=1) + "\n")
