"""Predictors: a fitted pipeline and a trained model, joined: raw in, raw out, in the user's units and labels."""

from .series import Intervals, SeriesPredictor, forecast_table

__all__ = ["Intervals", "SeriesPredictor", "forecast_table"]
