"""The list of models, a model's page and its form."""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from ..bodies import Bodies
from ..rest import address_of
from ..served_model import ServedModel
from ..service import ModelSpec, Service
from ..status import Code, ServingError, invalid
from ..streams import Streams
from .forms import Form, Forms, Shown, as_dict, signature_lines

_TEMPLATES = Path(__file__).parent / "templates"
# Nothing but this server's own style and script, and nothing of it inside other sites.
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
_FILES = {"style.css": "text/css", "page.js": "text/javascript"}
_MOST_FIELDS = 20
_MOST_RANGES = 12


class Pages:
    """Pages to try the models.

    Args:
        service: the models.
        streams: for texts that are continued.
        bodies: reads forms.
    """

    def __init__(self, service: Service, streams: Streams, bodies: Bodies) -> None:
        self.service, self.bodies, self.forms = service, bodies, Forms(service, streams)
        self._jinja = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def routes(self) -> list[BaseRoute]:
        """For Starlette."""
        return [
            Route("/", self._index),
            *(Route(f"/page/{name}", self._file) for name in _FILES),
            Route("/models/{name}", self._model, methods=["GET", "POST"]),
        ]

    async def _index(self, request: Request) -> Response:  # noqa: ARG002  (a route's form)
        await self.service.settled(self.service.timeout)
        models = []
        for name in self.service.repository.names():
            numbers = sorted(self.service.repository.available(name), reverse=True)
            card: dict[str, Any] = {}
            with contextlib.suppress(ServingError):  # a version may go while the list is made
                async with self.service.lease(ModelSpec(name)) as model:
                    card = model.card
            failed = [v.error.message for v in self.service.repository.status(name) if v.error] if not numbers else []
            models.append({"name": name, "versions": numbers, "about": _about(card), "failed": failed[:1]})
        return self._html("index.html", models=models)

    async def _file(self, request: Request) -> Response:
        name = request.url.path.rpartition("/")[2]
        return Response(
            (_TEMPLATES / name).read_bytes(), headers={**_HEADERS, "cache-control": "no-cache"}, media_type=_FILES[name]
        )

    async def _model(self, request: Request) -> Response:
        name = request.path_params["name"]
        try:
            fields = await self._fields(request) if request.method == "POST" else {}
            spec = ModelSpec(name, _version(fields.get("version") or request.query_params.get("version", "")))
            async with self.service.lease(spec) as model:
                return await self._answered(request, model, fields)
        except ServingError as error:
            return self._html("problem.html", error.http_status, name=name, problem=error.text)

    async def _answered(self, request: Request, model: ServedModel, fields: Mapping[str, str]) -> Response:
        """A model's page, with an answer where its form was sent."""
        raw, own = self.forms.json(model), self.forms.of(model)
        form = raw if "json" in fields else own
        shown, problem, status = None, "", 200
        if request.method == "POST":
            started, code = time.perf_counter(), Code.OK
            try:
                shown = await form.answer(fields)
            except ServingError as error:
                problem, status, code = error.text, error.http_status, error.code
            self.service.finished(
                model.name, api="page", entrypoint="REST", code=code, started=started, version=str(model.version)
            )
        return self._html(
            "model.html",
            status,
            model=model,
            facts=_facts(model.card),
            metrics=_numbers(model.card.get("metrics")),
            verdict=str(model.card.get("verdict") or ""),
            signatures=signature_lines(model),
            versions=sorted(self.service.repository.available(model.name), reverse=True),
            form=own,
            raw=raw,
            asked_raw=form is raw and own is not raw,
            values={**own.values, **raw.values, **fields},
            shown=shown,
            problem=problem,
            curl=_curl_line(request, shown),
            stream=self._stream_facts(model, own),
        )

    def _stream_facts(self, model: ServedModel, form: Form) -> dict[str, str]:
        """What the script needs to go on token by token."""
        if form.kind != "language" or "step" not in model.signatures:
            return {}
        pipeline = model.card["schema"]["pipeline"]
        path = f"/v1/models/{quote(model.name, safe='')}/versions/{model.version}/streams"
        between = "" if pipeline.get("tokens") == "char" else " "
        return {"path": path, "between": between, "lines": "yes" if pipeline.get("lines") else ""}

    async def _fields(self, request: Request) -> dict[str, str]:
        body = await self.bodies.read(request)
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError as error:
            raise invalid(f"the form cannot be read: {error}") from error
        return {name: value.replace("\r\n", "\n") for name, value in pairs}

    def _html(self, template: str, status: int = 200, **context: Any) -> Response:
        return HTMLResponse(self._jinja.get_template(template).render(context), status, _HEADERS)


def _version(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise invalid(f"a version is a whole number; received {text!r:.40}")
    return int(text)


def _curl_line(request: Request, shown: Shown | None) -> str:
    if shown is None or not shown.curl[0]:
        return ""
    path, body = shown.curl
    return f"curl -d {shlex.quote(body)} {address_of(request)}{quote(path, safe='/:')}"


def _about(card: Mapping[str, Any]) -> str:
    """A model in a few words."""
    data = as_dict(card.get("data"))
    target = ", ".join(map(str, data.get("targets", ()))) or str(data.get("target") or "")
    task = str(card.get("task") or "")
    return f"{task}: {target}" if target and task not in ("", "language-model") else task


def _facts(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the card says, as name and value."""
    data = as_dict(card.get("data"))
    training = as_dict(card.get("training"))
    rows = f"{data['rows']:,} rows" if isinstance(data.get("rows"), int) else ""
    if isinstance(data.get("characters"), int):
        rows = f"{data['characters']:,} characters"
    span = f"{data['first']} to {data['last']}" if "first" in data else ""
    source = ", ".join(part for part in (str(data.get("source") or ""), rows, span) if part)
    config = training.get("config")
    settings = ", ".join(f"{k} {v}" for k, v in config.items()) if isinstance(config, dict) else ""
    model = ", ".join(
        part for part in (str(training.get("family") or training.get("baseline") or ""), settings) if part
    )
    facts = [
        ("Task", _about(card)),
        ("Trained on", source),
        ("Model", model),
        ("Values", _ranges(card)),
        ("Parameters", f"{card['parameters']:,}" if isinstance(card.get("parameters"), int) else ""),
        ("Notes", " ".join(map(str, card.get("notes") or ()))),
        ("Streams", _streams(card.get("stream"))),
    ]
    return [(name, value.replace("`", "")) for name, value in facts if value]


def _ranges(card: Mapping[str, Any]) -> str:
    """What the training data ranged over, channel by channel."""
    schema = as_dict(card.get("schema"))
    columns = as_dict(schema.get("pipeline")).get("columns")
    names = []
    for column in columns if isinstance(columns, list) else ():
        categories = column["categories"]
        names += [column["name"]] if categories is None else [f"{column['name']} {name}" for name in categories]
    limits = as_dict(as_dict(card.get("ranges")).get("values"))
    pairs = list(zip(limits.get("min", ()), limits.get("max", ()), strict=False))
    if len(names) != len(pairs):
        names = [f"channel {i}" for i in range(len(pairs))]
    told = [f"{name} {low:.5g} to {high:.5g}" for name, (low, high) in zip(names, pairs, strict=True)]
    return "; ".join(told[:_MOST_RANGES]) + (" …" if len(told) > _MOST_RANGES else "")


def _streams(about: object) -> str:
    if not isinstance(about, dict):
        return ""
    return f"none: {about['why_not']}" if about.get("why_not") else str(about.get("note", ""))


def _numbers(metrics: object) -> list[tuple[str, str]]:
    found = metrics.items() if isinstance(metrics, dict) else ()
    return [(str(name), f"{value:.4g}") for name, value in found if isinstance(value, int | float)]
