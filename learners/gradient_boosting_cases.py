#!/usr/bin/env python3
"""Makes the stored cases of gradient_boosting_test.cc with the Python packages lightgbm and numpy."""
import lightgbm as lgb
import numpy as np

i = np.arange(500)
X = np.column_stack([i * 37 % 101, i * 53 % 97, i % 7]).astype(float)
X[i % 11 == 0, 1] = np.nan
y = 0.35 * (i * 37 % 101) + 0.2 * (i * 53 % 97) + 25 * (i % 7 % 2) + i * 29 % 13 + 1
options = dict(num_leaves=15, learning_rate=0.2, min_data_in_leaf=10, min_data_per_group=20, min_data_in_bin=1, feature_pre_filter=False,
               deterministic=True, force_col_wise=True, num_threads=1, verbosity=-1, seed=5)
deviation = y.std()
for name, more in [("absolute", dict(objective="regression_l1")), ("huber", dict(objective="huber", alpha=0.5 * deviation)),
                   ("quantile", dict(objective="quantile", alpha=0.9)), ("poisson", dict(objective="poisson")),
                   ("gamma", dict(objective="gamma")), ("tweedie", dict(objective="tweedie", tweedie_variance_power=1.3))]:
    unit = y.mean() if name in ("poisson", "gamma", "tweedie") else 1
    p = lgb.train({**options, **more}, lgb.Dataset(X, y / unit, categorical_feature=[2]), 20).predict(X) * unit
    print('    {"%s", {%s}},' % (name, ", ".join("%.10g" % v for v in p[[0, 1, 7, 22, 123, 499]])))
p = lgb.train({**options, "objective": "regression"}, lgb.Dataset(X, np.log(y), categorical_feature=[2]), 20).predict(X)
p = np.exp(p) * y.sum() / np.exp(p).sum()
print('    {"log_squared", {%s}},' % ", ".join("%.10g" % v for v in p[[0, 1, 7, 22, 123, 499]]))
