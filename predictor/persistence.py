"""A predictor on disk: ``predictor.json`` and what its model learnt, without pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..atomic import replacing
from ..errors import InputError
from .forecast import ForecastBaseline, ForecastNetwork, ForecastSchema
from .language_model import LanguageModelBaseline, LanguageModelNetwork, LanguageModelSchema
from .sequences import SequenceBaseline, SequenceNetwork, SequenceSchema

if TYPE_CHECKING:
    from .predictor import Predictor, Schema, ServingModel

SCHEMAS = {"series": ForecastSchema, "sequences": SequenceSchema, "language_model": LanguageModelSchema}
MODELS = {
    model.kind: model
    for model in (
        ForecastNetwork,
        ForecastBaseline,
        SequenceNetwork,
        SequenceBaseline,
        LanguageModelNetwork,
        LanguageModelBaseline,
    )
}
_FILE = "predictor.json"


def load_schema(config: dict[str, Any]) -> Schema[Any]:
    """The schema that :meth:`Schema.to_config` described; which frame it reads follows from its kind."""
    return SCHEMAS[config["kind"]].from_config(config)


def save_predictor(predictor: Predictor[Any], folder: Path) -> None:
    """Write the model's files, then ``predictor.json``: where that stands, the rest is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    model = predictor.model.save(folder)
    with replacing(folder / _FILE) as file:
        config = {"task": predictor.task, "schema": predictor.schema.to_config(), "model": model}
        file.write_text(json.dumps(config, indent=1), encoding="utf-8")


def load_parts(folder: Path) -> tuple[Schema[Any], ServingModel, str]:
    """Read what :func:`save_predictor` wrote.

    Raises:
        InputError: if there is no predictor in the folder.
    """
    file = folder / _FILE
    if not file.exists():
        raise InputError(f"{folder} holds no saved predictor: there is no {_FILE} in it")
    config = json.loads(file.read_text(encoding="utf-8"))
    schema = load_schema(config["schema"])
    return schema, MODELS[config["model"]["kind"]].restored(schema, folder, config["model"]), config["task"]
