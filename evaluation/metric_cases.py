"""Writes metric_cases.json beside it: small cases whose measures are computed with scikit-learn 1.9.1 (kappa_temporal and
calibration_error with NumPy).

    python -m venv venv && venv/bin/pip install scikit-learn==1.9.1 && venv/bin/python evaluation/metric_cases.py
"""
import json
import pathlib
import warnings

import numpy as np
from sklearn import metrics as m
from sklearn.calibration import calibration_curve

warnings.simplefilter("ignore")
random = np.random.default_rng(1)


def kappa_temporal(y, guess, w):
    right, same = np.average(guess[1:] == y[1:], weights=w[1:]), np.average(y[:-1] == y[1:], weights=w[1:])
    return (right - same) / (1 - same) if same < 1 else np.nan


def calibration_error(y, p, w):
    """Of class 1; with more classes of the predicted one being right."""
    chance = p[:, 1] if p.shape[1] == 2 else p.max(axis=1)
    hit = y == 1 if p.shape[1] == 2 else y == p.argmax(axis=1)
    bins = np.minimum(np.floor(chance * 15), 14)
    error = sum(abs((w * (chance - hit))[bins == b].sum()) for b in range(15)) / w.sum()
    if np.all(w == 1):
        shares, chances = calibration_curve(hit, chance, n_bins=15)
        sizes = np.unique(bins, return_counts=True)[1]
        assert np.isclose(error, np.average(abs(shares - chances), weights=sizes))
    return error


def hinge(y, p, w):
    if p.shape[1] > 2:
        return m.hinge_loss(y, p, labels=range(p.shape[1]), sample_weight=w)
    # Two rows without weight, as scikit-learn takes the only class that occurs for the negative one.
    return m.hinge_loss(np.append(y, [0, 1]), np.append(p[:, 1] - p[:, 0], [0, 0]), sample_weight=np.append(w, [0, 0]))


def averages(y, guess, classes, one):
    """Measures of single classes, averaged; the plain names are of class 1 where there are two classes."""
    plain = {"average": "binary" if classes == 2 else "macro", "zero_division": 0, **one}
    measures = {
        "f1": m.f1_score(y, guess, **plain),
        "f2": m.fbeta_score(y, guess, beta=2, **plain),
        "f0_5": m.fbeta_score(y, guess, beta=0.5, **plain),
    }
    for name, score in [("f1", m.f1_score), ("precision", m.precision_score), ("recall", m.recall_score), ("jaccard", m.jaccard_score)]:
        measures[name] = score(y, guess, **plain)
        for average in ["macro", "weighted"]:
            measures[f"{name}_{average}"] = score(y, guess, average=average, zero_division=0, **one)
        micro = score(y, guess, average="micro", zero_division=0, **one)
        right = m.accuracy_score(y, guess, **one)
        assert np.isclose(micro, right / (2 - right) if name == "jaccard" else right)  # which is why there is no such measure
    assert np.isclose(measures.pop("recall_weighted"), right)
    return measures


def pairs(y, p, w):
    """Hand and Till's area, over the classes that occur."""
    present, areas = np.unique(y), []
    for a in present:
        for b in present:
            rows = (y == a) | (y == b)
            if a != b:
                areas.append(m.roc_auc_score(y[rows] == a, p[rows, a], sample_weight=w[rows]))
    return np.mean(areas) if areas else np.nan


def classification(y, p, w):
    classes = p.shape[1]
    labels, guess, present = range(classes), p.argmax(axis=1), np.unique(y)
    weight = np.ones(len(y)) if w is None else w
    one = {"sample_weight": w}
    rest = [1] if classes == 2 else present

    def mean(score):
        return np.mean([score(y == c, p[:, c], **one) for c in rest]) if len(present) > 1 else np.nan

    measures = {
        "accuracy": m.accuracy_score(y, guess, **one),
        "balanced_accuracy": m.balanced_accuracy_score(y, guess, **one),
        "log_loss": m.log_loss(y, p, labels=labels, **one),
        "brier": m.brier_score_loss(y, p if classes > 2 else p[:, 1], labels=labels, **one),
        "auc": mean(m.roc_auc_score),
        "average_precision": mean(m.average_precision_score) if len(present) > 1 else float(present[0] == 1) or np.nan,
        **averages(y, guess, classes, one),
        "mcc": m.matthews_corrcoef(y, guess, **one),
        "kappa": m.cohen_kappa_score(y, guess, **one),
        "kappa_temporal": kappa_temporal(y, guess, weight),
        "hinge": hinge(y, p, weight),
        "calibration_error": calibration_error(y, p, weight),
        "d2_log_loss": m.d2_log_loss_score(y, y_proba=p, labels=labels, **one) if len(present) > 1 else np.nan,
        "d2_brier": m.d2_brier_score(y, y_proba=p, labels=labels, **one) if len(present) > 1 else np.nan,
    }
    if classes == 2:
        ratios = m.class_likelihood_ratios(y, guess, labels=[0, 1], **one)
        measures |= {"positive_likelihood_ratio": ratios[0], "negative_likelihood_ratio": ratios[1]}
    else:
        shares = np.bincount(y, weight, classes)
        measures |= {
            "top_3_accuracy": m.top_k_accuracy_score(classes - 1 - y, p[:, ::-1], k=3, labels=labels, **one),  # of ties the first
            "auc_ovo": pairs(y, p, weight),
            "auc_weighted": np.average([m.roc_auc_score(y == c, p[:, c], **one) for c in present], weights=shares[present]),
        }
    if classes > 2 and len(present) == classes:
        assert np.isclose(measures["auc"], m.roc_auc_score(y, p, multi_class="ovr", **one))
        assert np.isclose(measures["auc_weighted"], m.roc_auc_score(y, p, multi_class="ovr", average="weighted", **one))
        assert w is not None or np.isclose(measures["auc_ovo"], m.roc_auc_score(y, p, multi_class="ovo"))
        assert np.isclose(measures["average_precision"], m.average_precision_score(y, p, **one))
    return measures


def regression(y, p, w):
    one = {"sample_weight": w}
    def defined(score, lowest_truth, lowest, **options):
        return score(y, p, **options, **one) if y.min() >= lowest_truth and p.min() >= lowest else np.nan

    tiny = np.nextafter(0, 1)
    assert np.isclose(m.d2_absolute_error_score(y, p, **one), m.d2_pinball_score(y, p, **one))
    return {
        "mse": m.mean_squared_error(y, p, **one),
        "rmse": m.root_mean_squared_error(y, p, **one),
        "mae": m.mean_absolute_error(y, p, **one),
        "mape": m.mean_absolute_percentage_error(y, p, **one),
        "r2": m.r2_score(y, p, **one),
        "rmsle": defined(m.root_mean_squared_log_error, np.nextafter(-1, 0), np.nextafter(-1, 0)),
        "msle": defined(m.mean_squared_log_error, np.nextafter(-1, 0), np.nextafter(-1, 0)),
        "median_absolute_error": m.median_absolute_error(y, p, **one),
        "pinball": m.mean_pinball_loss(y, p, **one),
        **{f"pinball_{level:02}": m.mean_pinball_loss(y, p, alpha=level / 100, **one) for level in (5, 10, 25, 75, 90, 95)},
        "max_error": m.max_error(y, p) if w is None else m.max_error(y[w > 0], p[w > 0]),
        "explained_variance": m.explained_variance_score(y, p, **one),
        "d2_absolute_error": m.d2_absolute_error_score(y, p, **one),
        "poisson_deviance": defined(m.mean_poisson_deviance, 0, tiny),
        "gamma_deviance": defined(m.mean_gamma_deviance, tiny, tiny),
        "tweedie_deviance": defined(m.mean_tweedie_deviance, 0, tiny, power=1.5),
    }


def draw(classes, rows, present):
    """Probabilities in 64ths, so that they have ties and sum to 1 exactly."""
    y = random.choice(present, rows)
    p = random.multinomial(64 - classes, random.dirichlet(np.ones(classes), rows)) + 1
    lift = np.minimum(p.sum(axis=1) - p[np.arange(rows), y] - classes + 1, 20) // 2
    for row in range(rows):  # towards the truth
        donor = np.argmax(np.where(np.arange(classes) == y[row], 0, p[row]))
        step = min(lift[row], p[row, donor] - 1)
        p[row, donor] -= step
        p[row, y[row]] += step
    return y, p / 64


cases = []


def add(name, y, p, w, measures):
    null = lambda x: None if np.isnan(x) else float(x)
    cases.append({
        "name": name,
        "classes": 0 if p.ndim == 1 else p.shape[1],
        "truth": y.tolist(),
        "predictions": p.ravel().tolist(),
        "weights": [] if w is None else w.tolist(),
        "measures": {k: null(v) for k, v in measures.items()},
    })


for name, classes, rows, present, weighted in [
    ("binary with ties", 2, 40, [0, 1], False),
    ("binary with weights", 2, 30, [0, 1, 1, 1], True),
    ("rare class", 2, 30, [0] * 12 + [1], False),
    ("one class only", 2, 6, [1], False),
    ("three classes", 3, 40, [0, 1, 2], False),
    ("three classes with weights", 3, 30, [0, 1, 2], True),
    ("four classes, one missing", 4, 30, [0, 1, 3], False),
    ("six classes, two missing, with weights", 6, 20, [0, 2, 3, 5], True),
]:
    y, p = draw(classes, rows, present)
    w = random.integers(0, 9, rows) / 4 if weighted else None
    add(name, y, p, w, classification(y, p, w))

for name, y, p, weighted in [
    ("regression", random.normal(size=31), random.normal(size=31), False),
    ("positive values", random.gamma(2, 3, 30), random.gamma(2, 3, 30), False),
    ("with weights and ties", random.integers(0, 5, 30), random.integers(1, 5, 30), True),
    ("far from zero", 1e6 + random.normal(size=20), 1e6 + random.normal(size=20), False),
    ("constant truth", np.full(5, 2.5), random.normal(size=5), False),
    ("met exactly", np.full(5, 2.5), np.full(5, 2.5), False),
]:
    y, p = np.round(y, 3).astype(float), np.round(p, 3).astype(float)
    w = random.integers(0, 9, len(y)) / 4 if weighted else None
    add(name, y, p, w, regression(y, p, w))

path = pathlib.Path(__file__).with_suffix(".json")
path.write_text("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")
