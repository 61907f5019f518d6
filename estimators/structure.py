"""What a network looks like, as text: equal for networks that differ in nothing but their weights and seeds."""

from __future__ import annotations

import json
import re
from typing import Any

import keras

_NUMBERED = re.compile(r"_\d+$")


def structure_of(model: keras.Model) -> str:
    """The model's config as JSON, layers numbered anew: Keras counts them through the whole process."""
    config = json.loads(json.dumps(model.get_config()))  # tuples become lists
    config["name"] = "network"  # a family may be called like one of its layers
    return json.dumps(_renamed(config, {}, {}), sort_keys=True)


def network_of(structure: str, *, dtype: str = "float32") -> keras.Model:
    """A network with weights of its own; in another precision where that is asked for."""
    from ..models import seeded

    config = json.loads(structure)
    with seeded(0):
        return keras.Model.from_config(config if dtype == "float32" else _in_precision(config, dtype))


def _renamed(config: Any, new: dict[str, str], counts: dict[str, int]) -> Any:
    """Every name that Keras numbered, numbered by its place in this config."""

    def name(old: str) -> str:
        base = _NUMBERED.sub("", old)
        if old not in new:
            new[old] = base if base not in counts else f"{base}_{counts[base]}"
            counts[base] = counts.get(base, 0) + 1
        return new[old]

    if isinstance(config, list):
        return [_renamed(item, new, counts) for item in config]
    if not isinstance(config, dict):
        return config
    renamed: dict[str, Any] = {}
    for key, value in config.items():
        if key == "name" and isinstance(value, str):
            renamed[key] = name(value)
        elif key == "keras_history":
            renamed[key] = [name(value[0]), *value[1:]]
        elif key in ("input_layers", "output_layers"):
            renamed[key] = _renamed_places(value, name)
        else:
            renamed[key] = _renamed(value, new, counts)
    return renamed


def _renamed_places(places: Any, name: Any) -> Any:
    """Inputs and outputs of a model: ["values", 0, 0], or such by name or in a list."""
    if isinstance(places, dict):
        return {key: _renamed_places(place, name) for key, place in places.items()}
    if isinstance(places, list) and places and isinstance(places[0], str):
        return [name(places[0]), *places[1:]]
    return [_renamed_places(place, name) for place in places]


def _in_precision(config: Any, dtype: str) -> Any:
    if isinstance(config, dict):
        return {key: _in_precision(value, dtype) for key, value in config.items()}
    if isinstance(config, list):
        return [_in_precision(item, dtype) for item in config]
    return dtype if config == "float32" else config
