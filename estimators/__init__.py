"""Estimators: scikit-learn's face of the families, over the one Predictor."""
