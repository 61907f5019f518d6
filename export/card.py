"""The model card: what the model is for, what it was made from, how good it was."""

from typing import Any


def model_card(name: str, info: dict[str, Any], said: dict[str, Any]) -> str:
    """Markdown for a reader.

    Args:
        name: of the model.
        info: what ``recurra.json`` holds.
        said: words of the task: ``purpose``, ``signature`` (lines), ``data``, ``split`` and ``limits``.

    Source: Mitchell et al. (2019), Model cards for model reporting, FAT*.
    """
    data, training = info["data"], info["training"]
    lines = [f"# {name}", "", said["purpose"], "", "## Input and output", *said["signature"]]
    lines += ["", "## Training data"]
    lines.append(f"{data['source']}: {said['data']} (sha256 {data['hash'][:12]}…). {said['split']}")
    if training:
        lines += ["", "## Model"] + [f"- {key}: {value}" for key, value in training.items()]
        lines.append(f"- parameters: {info['parameters']:,}")
    lines += [
        "",
        "## Accuracy, measured on data after each training"
        if info["task"] == "forecast"
        else "## Accuracy, measured on data held out of each training",
    ]
    if info["metrics"]:
        lines += [f"- {key}: {value:.4g}" for key, value in info["metrics"].items() if value is not None]
    else:
        lines.append("Not measured: the model was trained without a comparison.")
    lines += ["", "## Limits", f"{said['limits']} It was not made for decisions about people.", ""]
    return "\n".join(lines)


def listed(names: list[str]) -> str:
    """Names as code, with commas."""
    return ", ".join(f"`{name}`" for name in names)
