"""
scikit-learn's tools
====================

Families are estimators: cross-validation over runs, a search over parameters, pipelines of one's own.
"""

from sklearn.model_selection import GridSearchCV, cross_val_score

import ecodyn

runs = ecodyn.load("../../data/circles_p59_d128.nc").window(60, 1000).every(20)
print("linear:", cross_val_score(ecodyn.Linear("exchangeable"), runs, cv=4).round(3))
search = GridSearchCV(ecodyn.SINDy("exchangeable"), {"max_terms": [3, 5, 8]}, cv=4).fit(runs)
print("SINDy:", search.best_params_, round(search.best_score_, 3))
search.best_estimator_.print()
