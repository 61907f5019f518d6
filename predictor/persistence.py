"""A predictor on disk: ``predictor.json`` and what its model learnt, without pickle."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..atomic import replacing
from ..errors import InputError
from .forecast import ForecastBaseline, ForecastNetwork, ForecastSchema
from .language_model import LanguageModelBaseline, LanguageModelNetwork, LanguageModelSchema
from .sequences import SequenceBaseline, SequenceNetwork, SequenceSchema

if TYPE_CHECKING:
    from .predictor import Predictor, Schema, ServingModel

_FILE = "predictor.json"
Config = dict[str, Any]


def _forecast(schema: Config, model: Config, folder: Path) -> tuple[Schema[Any], ServingModel]:
    own = ForecastSchema.from_config(schema)
    made = ForecastNetwork if model["kind"] == ForecastNetwork.kind else ForecastBaseline
    return own, made.restored(own, folder, model)


def _sequences(schema: Config, model: Config, folder: Path) -> tuple[Schema[Any], ServingModel]:
    own = SequenceSchema.from_config(schema)
    made = SequenceNetwork if model["kind"] == SequenceNetwork.kind else SequenceBaseline
    return own, made.restored(own, folder, model)


def _language_model(schema: Config, model: Config, folder: Path) -> tuple[Schema[Any], ServingModel]:
    own = LanguageModelSchema.from_config(schema)
    made = LanguageModelNetwork if model["kind"] == LanguageModelNetwork.kind else LanguageModelBaseline
    return own, made.restored(own, folder, model)


# By the kind of the schema: how it is read, and how a whole predictor is.
_SCHEMAS: dict[str, Callable[[Config], Schema[Any]]] = {
    ForecastSchema.kind: ForecastSchema.from_config,
    SequenceSchema.kind: SequenceSchema.from_config,
    LanguageModelSchema.kind: LanguageModelSchema.from_config,
}
_PREDICTORS: dict[str, Callable[[Config, Config, Path], tuple[Schema[Any], ServingModel]]] = {
    ForecastSchema.kind: _forecast,
    SequenceSchema.kind: _sequences,
    LanguageModelSchema.kind: _language_model,
}


def load_schema(config: Config) -> Schema[Any]:
    """The schema that :meth:`Schema.to_config` described; which frame it reads follows from its kind."""
    return _SCHEMAS[config["kind"]](config)


def is_saved(folder: Path) -> bool:
    """Whether a predictor was saved in the folder."""
    return (folder / _FILE).is_file()


def save_predictor(predictor: Predictor[Any], folder: Path) -> None:
    """Write the model's files, then ``predictor.json``: where that is, the rest is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    model = predictor.model.save(folder)
    config = {"task": predictor.task, "schema": predictor.schema.to_config(), "model": model}
    with replacing(folder / _FILE) as file:
        file.write_text(json.dumps(config, indent=1), encoding="utf-8")


def load_parts(folder: Path) -> tuple[Schema[Any], ServingModel, str]:
    """Read what :func:`save_predictor` wrote: schema, model and task.

    Raises:
        InputError: if there is no predictor in the folder.
    """
    file = folder / _FILE
    if not file.exists():
        raise InputError(f"{folder} holds no saved predictor: there is no {_FILE} in it")
    config = json.loads(file.read_text(encoding="utf-8"))
    schema, model = _PREDICTORS[config["schema"]["kind"]](config["schema"], config["model"], folder)
    return schema, model, config["task"]
