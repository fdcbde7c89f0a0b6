#!/usr/bin/env python3
"""Makes the stored cases of nearest_neighbours_test.cc and naive_bayes_test.cc with scikit-learn."""
import numpy as np
from sklearn.naive_bayes import CategoricalNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

u = np.arange(200.0)
a, b, c = np.sin(1.7 * u) * 10 + 3, np.cos(2.3 * u), (u * u + 2 * u) % 5
score = 0.2 * a + 2 * b + 1.5 * (c % 2) + np.cos(3.1 * u)
three = (score >= -0.3).astype(int) + (score >= 1.8)
train, test = slice(0, 160), [160, 171, 188, 199]
Z = np.column_stack([(v - v[train].mean()) / v[train].std() for v in (a, b)])
# Two categories that differ are 1 apart: one column a level, scaled by the square root of a half.
Z = np.column_stack([Z] + [(c == k) / np.sqrt(2) for k in range(5)])
show = lambda name, p: print("// %s\n{%s}" % (name, ", ".join("%.10g" % v for v in np.ravel(p))))
for votes in "uniform", "distance":
    show(votes, KNeighborsRegressor(9, weights=votes).fit(Z[train], score[train]).predict(Z[test]))
    show(votes, KNeighborsClassifier(9, weights=votes).fit(Z[train], three[train]).predict_proba(Z[test]))
w = 1 + u[train] % 3
X = np.column_stack([a, b])
prior = np.bincount(three[train], w * 160 / w.sum()) + 0.5
log = GaussianNB(priors=prior / prior.sum(), var_smoothing=0).fit(X[train], three[train], w).predict_joint_log_proba(X[test])
level = np.unique(c, return_inverse=True)[1]  # without the values that never occur, which CategoricalNB would smooth, too
bayes = CategoricalNB(alpha=1).fit(level[train, None], three[train], w * 160 / w.sum())
log += bayes.predict_joint_log_proba(level[test, None]) - bayes.class_log_prior_
show("naive bayes", np.exp(log) / np.exp(log).sum(1, keepdims=True))
