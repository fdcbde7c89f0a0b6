"""Makes calibration_cases.json: calibrations by scikit-learn and SciPy, to which ours must be equal. python3 search/calibration_cases.py"""
import json
import pathlib

import numpy as np
import sklearn
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.calibration import _sigmoid_calibration
from sklearn.isotonic import IsotonicRegression

rng = np.random.default_rng(7)


def temperature(p, y, w):
    def loss(s):
        return -(w * log_softmax(s * np.log(p), axis=1)[np.arange(len(y)), y]).sum()

    return minimize_scalar(loss, bounds=(0.01, 100), method="bounded", options={"xatol": 1e-12}).x


def binary(rows, weighted):
    p = np.round(1 / (1 + np.exp(-2 * rng.normal(size=rows))), 2).clip(0.01, 0.99)  # with ties
    y = (rng.random(rows) < 0.15 + 0.6 * p).astype(int)
    w = rng.integers(1, 4, rows).astype(float) if weighted else np.ones(rows)
    a, b = _sigmoid_calibration(np.log(p / (1 - p)), y, sample_weight=w)
    least = 0.5 / (w.sum() + 1)
    isotonic = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip").fit(p, y, sample_weight=w)
    at = np.linspace(0, 1, 41)
    return {"truth": y.tolist(), "weights": w.tolist(), "predictions": np.column_stack([1 - p, p]).tolist(),
            "temperature": temperature(np.column_stack([1 - p, p]), y, w), "platt": [-a, -b],
            "at": at.tolist(), "isotonic": isotonic.predict(at).tolist()}


def multiclass(rows):
    p = rng.dirichlet([1, 2, 0.5], rows).clip(1e-6, 1)
    p /= p.sum(axis=1, keepdims=True)
    y = np.array([rng.choice(3, p=row ** 0.5 / (row ** 0.5).sum()) for row in p])
    return {"truth": y.tolist(), "weights": [1.0] * rows, "predictions": p.tolist(), "temperature": temperature(p, y, np.ones(rows))}


cases = {"scikit-learn": sklearn.__version__, "cases": [binary(150, False), binary(150, True), multiclass(120)]}
path = pathlib.Path(__file__).with_name("calibration_cases.json")
path.write_text(json.dumps(cases, indent=None) + "\n")
