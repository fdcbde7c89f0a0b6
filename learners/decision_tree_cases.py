#!/usr/bin/env python3
"""Makes the stored cases of decision_tree_test.cc with scikit-learn."""
import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

i = np.arange(300)
a, b = i * 37 % 101, i * 53 % 97
score = np.sin(a / 10) * 3 + b / 20 + (i * 29 % 13) / 6
X, w = np.column_stack([a, b]).astype(float), 1.0 + i % 3
options = dict(max_leaf_nodes=12, min_samples_leaf=7, random_state=0)
for classes, y in [(0, score), (2, score > 3.4), (3, (score > 2).astype(int) + (score > 4))]:
    tree = (DecisionTreeRegressor if classes == 0 else DecisionTreeClassifier)(**options).fit(X, y, sample_weight=w)
    p = tree.predict(X) if classes == 0 else tree.predict_proba(X)
    print("    {%d, {%s}}," % (classes, ", ".join("%.10g" % v for v in p[[0, 7, 50, 123, 299]].ravel())))
