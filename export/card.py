"""The model card: what the model is for, what it was made from, how good it was."""

from typing import Any


def model_card(name: str, info: dict[str, Any]) -> str:
    """Markdown from ``recurra.json``.

    Source: Mitchell et al. (2019), Model cards for model reporting, FAT*.
    """
    data, pipeline, training = info["data"], info["pipeline"], info["training"]
    lines = [
        f"# {name}",
        "",
        f"Forecasts the next {pipeline['horizon']} steps ({data['freq']}) of {_listed(pipeline['targets'])} "
        f"from the last {pipeline['lookback']}.",
        "",
        "## Input and output",
        f"`values`: float32 [batch, {pipeline['lookback']}, {len(info['channels'])}], in the units of the data, oldest "
        f"row first, NaN where missing ({pipeline['missing']}). Channels: {_listed(info['channels'])}.",
    ]
    if pipeline["future"]:
        lines.append(
            f"`future`: float32 [batch, {pipeline['horizon']}, ...]: the channels known ahead, the last ones above."
        )
    if pipeline["calendar"]:
        lines.append("`time`: int64 [batch, lookback + horizon], seconds since 1970 on the clock the data go by.")
    lines.append(f"`forecast`: float32 [batch, {pipeline['horizon']}, {len(pipeline['targets'])}], in the same units.")
    if info["intervals"]:
        levels = ", ".join(f"{level} %" for level in info["intervals"])
        lines.append(f"`forecast-lo-…`, `forecast-hi-…`: split-conformal intervals aimed at {levels}.")
        lines += info["interval_notes"]
    lines += ["", "## Training data"]
    lines.append(
        f"{data['source']}: {data['rows']:,} rows, {data['series']:,} series, {data['first']} to {data['last']} "
        f"(sha256 {data['hash'][:12]}…). The newest part stopped the training and calibrated the intervals."
    )
    if training:
        lines += ["", "## Model"] + [f"- {key}: {value}" for key, value in training.items()]
        lines.append(f"- parameters: {info['parameters']:,}")
    lines += ["", "## Accuracy, measured on data after each training"]
    if info["metrics"]:
        lines += [f"- {key}: {value:.4g}" for key, value in info["metrics"].items() if value is not None]
    else:
        lines.append("Not measured: the model was trained without a comparison.")
    lines += [
        "",
        "## Limits",
        "It has seen the series above and knows no other. Intervals are calibrated on the newest part of the training "
        "data; how much of the truth they held on data after each training stands above as coverage, where it was "
        "measured. After a break in the series they are too narrow. It was not made for decisions about people.",
        "",
    ]
    return "\n".join(lines)


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
