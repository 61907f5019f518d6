"""Predictors: raw in, raw out, in the user's units and labels.

A :class:`Predictor` is a schema (what is read and how outputs become a table) and a model that serves raw inputs: a
network with its preprocessing, a fitted baseline, or the signature of a SavedModel. Nothing here trains or exports.
"""

from .card_text import CardText
from .predictor import Predictor
from .protocol import Schema, ServingModel
from .text_generator import TextGenerator

__all__ = ["CardText", "Predictor", "Schema", "ServingModel", "TextGenerator"]
