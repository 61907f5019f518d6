"""JSON as RapidJSON reads it in TensorFlow Serving: NaN and Infinity, text after the document, any depth.

Python's own scanner, in C, reads nearly everything. What it cannot read goes through a second parser without recursion,
which either reads it too (``Inf``, a byte order mark, an unknown key nested 500,000 deep) or says where and why it is
wrong, in RapidJSON's words.

Source: rapidjson/reader.h and rapidjson/error/en.h; tensorflow_serving/util/json_tensor.cc.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container
from typing import Any

from .status import ServingError, invalid

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?P<fraction>\.\d*)?(?P<exponent>[eE][+-]?\d*)?")
_WORD = re.compile(r"-?Infinity|-?Inf|-?NaN|true|false|null")
_WORDS = {"true": True, "false": False, "null": None}
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_PERHAPS_TOO_BIG = re.compile(rb"\d[eE]\+?0*[3-9]\d\d")
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_DECODER = json.JSONDecoder()
# A tensor has at most 254 axes; what a request nests deeper is not one.
_DEEPEST = 300
_QUOTED_BYTES = 256


def parse(body: bytes, *, wanted: Container[str]) -> Any:
    """Read a request's body.

    Args:
        body: UTF-8.
        wanted: keys of the top level that are looked at; other ones may be nested as deep as they like.

    Raises:
        ServingError: INVALID_ARGUMENT with RapidJSON's text and the offset.
    """
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _wrong("Invalid encoding in string.", error.start) from error
    if _PERHAPS_TOO_BIG.search(body):  # Python would make it infinite without a word
        return _Parser(text, wanted).parse()
    try:
        return _DECODER.raw_decode(text, _end(_SPACE, text, 0))[0]
    except (ValueError, RecursionError):  # a number of thousands of digits is a plain ValueError
        return _Parser(text, wanted).parse()


def parse_object(body: bytes, *, wanted: Container[str]) -> dict[str, Any]:
    """Read a body that has to be an object."""
    document = parse(body, wanted=wanted)
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {quoted(document)} Is not object")
    return document


def quoted(value: Any) -> str:
    """A value as it was written, for a message: cut, because it may be a hundred megabytes long."""
    parts, size = [], 0
    for part in json.JSONEncoder(indent=4, ensure_ascii=False).iterencode(value):
        parts.append(part)
        size += len(part)
        if size > _QUOTED_BYTES:
            break
    return "".join(parts).encode(errors="replace")[:_QUOTED_BYTES].decode(errors="ignore")


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _wrong(what: str, offset: int) -> ServingError:
    return invalid(f"JSON Parse error: {what} at offset: {offset}")


class _Parser:
    """A parser with a stack of its own in place of recursion."""

    def __init__(self, text: str, wanted: Container[str]) -> None:
        self.text, self.wanted = text, wanted
        self.at = 1 if text.startswith("\ufeff") else 0

    def parse(self) -> Any:
        self.space()
        if self.at == len(self.text):
            raise self.error("The document is empty.")
        root: list[Any] = []
        stack: list[list[Any] | dict[str, Any]] = [root]
        key = ""
        while True:
            if not self.value(stack, key):  # an array or object was opened and is not empty
                key = self.name() if isinstance(stack[-1], dict) else ""
                continue
            while True:  # a value is complete: go on in what surrounds it
                if len(stack) == 1:
                    return root[0]
                self.space()
                mark, end = self.peek(), "}" if isinstance(stack[-1], dict) else "]"
                if mark == ",":
                    self.at += 1
                    self.space()
                    key = self.name() if end == "}" else ""
                    break
                if mark != end:
                    after = "an object member" if end == "}" else "an array element"
                    raise self.error(f"Missing a comma or {end} after {after}.")
                self.at += 1
                stack.pop()

    def value(self, stack: list[Any], key: str) -> bool:
        """Read a value into the innermost container; False if it is an array or object that has only begun."""
        self.space()
        mark = self.peek()
        if mark not in ("[", "{"):
            self.put(stack[-1], key, self.string() if mark == '"' else self.literal())
            return True
        self.at += 1
        if len(stack) == 2 and isinstance(stack[1], dict) and key not in self.wanted:  # unknown keys are ignored
            self.skip(mark)
            return True
        if len(stack) > _DEEPEST:
            raise self.error(f"Nested deeper than {_DEEPEST} levels.")
        made: Any = [] if mark == "[" else {}
        self.put(stack[-1], key, made)
        self.space()
        if self.peek() == ("]" if mark == "[" else "}"):
            self.at += 1
            return True
        stack.append(made)
        return False

    def skip(self, mark: str) -> None:
        """Pass over the rest of an array or object, whatever its depth; only brackets and strings are looked at."""
        closing = ["]" if mark == "[" else "}"]
        while closing:
            self.space()
            mark = self.peek()
            if mark == '"':
                self.string()
                continue
            self.at += 1
            if mark in ("[", "{"):
                closing.append("]" if mark == "[" else "}")
            elif mark in ("]", "}"):
                if mark != closing.pop():
                    raise self.error("Missing a comma or ] after an array element.")
            elif not mark:
                raise self.error("Invalid value.")

    @staticmethod
    def put(container: Any, key: str, value: Any) -> None:
        if isinstance(container, dict):
            container.setdefault(key, value)  # RapidJSON finds the first of two equal keys
        else:
            container.append(value)

    def name(self) -> str:
        self.space()
        if self.peek() != '"':
            raise self.error("Missing a name for object member.")
        name = self.string()
        self.space()
        if self.peek() != ":":
            raise self.error("Missing a colon after a name of object member.")
        self.at += 1
        return name

    def literal(self) -> Any:
        if found := _WORD.match(self.text, self.at):
            self.at = found.end()
            word = found[0]
            return _WORDS[word] if word in _WORDS else float(word)
        found = _NUMBER.match(self.text, self.at)
        if not found:
            raise self.error("Invalid value.")
        start, self.at = self.at, found.end()
        if found["fraction"] == ".":
            raise self.error("Miss fraction part in number.")
        if found["exponent"] and not found["exponent"][-1].isdigit():
            raise self.error("Miss exponent in number.")
        if not found["fraction"] and not found["exponent"] and len(found[0]) < 20:
            return int(found[0])
        number = float(found[0])
        if abs(number) == float("inf"):
            self.at = start
            raise self.error("Number too big to be stored in double.")
        return number

    def string(self) -> str:
        self.at += 1
        parts = []
        while True:
            start, self.at = self.at, _end(_PLAIN, self.text, self.at)
            parts.append(self.text[start : self.at])
            mark = self.peek()
            if mark == '"':
                self.at += 1
                return "".join(parts)
            if mark == "\\":
                parts.append(self.escape())
            elif mark in ("", "\0"):
                raise self.error("Missing a closing quotation mark in string.")
            else:
                raise self.error("Invalid encoding in string.")

    def escape(self) -> str:
        start, mark = self.at, self.text[self.at + 1 : self.at + 2]
        if mark in _ESCAPES:
            self.at += 2
            return _ESCAPES[mark]
        if mark != "u":
            raise self.error("Invalid escape character in string.")
        number = self.hexadecimal()
        if 0xD800 <= number < 0xDC00 and self.text.startswith("\\u", self.at):
            low = self.hexadecimal()
            if 0xDC00 <= low < 0xE000:
                return chr(0x10000 + ((number - 0xD800) << 10) + low - 0xDC00)
        if 0xD800 <= number < 0xE000:
            self.at = start
            raise self.error("The surrogate pair in string is invalid.")
        return chr(number)

    def hexadecimal(self) -> int:
        digits = _HEX.match(self.text, self.at + 2)
        if not digits:
            raise self.error("Incorrect hex digit after \\u escape in string.")
        self.at = digits.end()
        return int(digits[0], 16)

    def space(self) -> None:
        self.at = _end(_SPACE, self.text, self.at)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def error(self, what: str) -> ServingError:
        return _wrong(what, len(self.text[: self.at].encode(errors="replace")))
