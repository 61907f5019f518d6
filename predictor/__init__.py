"""Predictors: a fitted pipeline and a trained model, joined: raw in, raw out, in the user's units and labels."""

from .examples import ExamplePredictor, answer_table
from .language import LanguagePredictor, Writer
from .series import Intervals, SeriesPredictor, forecast_table

__all__ = [
    "ExamplePredictor",
    "Intervals",
    "LanguagePredictor",
    "SeriesPredictor",
    "Writer",
    "answer_table",
    "forecast_table",
]
