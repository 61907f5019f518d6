"""The model card: what the model is for, what it was made from, how good it was."""

from typing import Any

from ..predictor import CardText

# What some baselines read beside the inputs of their task.
_EXTRA_INPUTS = {
    "id": "`id`: string [batch], name of the series, as in the training data.",
    "step": "`step`: int64 [batch], place of the last row on the time axis, in steps since 1970-01-01 or rows.",
}


def _streams(about: dict[str, Any]) -> str:
    """What the signature ``step`` does, or why there is none."""
    if "why_not" in about:
        return f"None: {about['why_not']}."
    later = f" A prediction is NaN until {about['first']} have been read." if about["first"] > 1 else ""
    return f"Signature `step`, an observation at a time: {about['note']}.{later}"


def model_card(name: str, info: dict[str, Any], text: CardText) -> str:
    """Markdown for a reader.

    Args:
        name: of the model.
        info: the content of ``recurra.json``.
        text: what the schema says of purpose, signature, data and limits.

    Source: Mitchell et al. (2019), Model cards for model reporting, FAT*.
    """
    data, training = info["data"], info["training"]
    lines = [f"# {name}", "", f"{text.purpose} Task: {info['task']}.", "", "## Input and output", *text.signature]
    lines += [_EXTRA_INPUTS[extra] for extra in info["extra_inputs"]]
    lines += info["notes"]
    lines += ["", "## Training data"]
    lines.append(f"{data['source']}: {text.data} (sha256 {data['hash'][:12]}…). {text.split}")
    if training:
        lines += ["", "## Model"] + [f"- {key}: {value}" for key, value in training.items()]
        lines.append(f"- parameters: {info['parameters']:,}")
    lines += ["", "## Accuracy, measured on data held out from each training"]
    if info["metrics"]:
        lines += [f"- {key}: {value:.4g}" for key, value in info["metrics"].items() if value is not None]
    else:
        lines.append("Not measured: the model was trained without a comparison.")
    if info["verdict"]:
        lines += ["", "## Verdict of the comparison it came from", info["verdict"]]
    lines += ["", "## Streams", _streams(info["stream"])]
    lines += ["", "## Limits", f"{text.limits} It was not made for decisions about people.", ""]
    return "\n".join(lines)
