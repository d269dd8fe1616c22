"""What a request must hold before it is sent, checked on the wire's own JSON.

One set of bounds for three readers: the client (a `ConfigurationError`), a rules file (a message with
the file's name) and the embedded server (a 422). The bounds are the service's: a type of 1 to 50 letters,
digits, spaces, hyphens or underscores, unique; a description of 10 to 2000 characters; at least one rule.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from attrs import frozen

from ..errors import ConfigurationError
from ..models_v1 import LANGUAGES

T = TypeVar("T")

TYPE_LENGTH = 50
DESCRIPTION_LENGTHS = (10, 2000)
INPUT_LENGTH = 200
TRANSACTION_ID_LENGTH = 255
NAME_LENGTH = 255
CLASSIFIER_FILES = 500
CLASSIFIER_DESCRIPTION_LENGTH = 500
CLASSIFIER_MODES = ("FAST", "MULTIMODAL")

_TYPE_CHARACTERS = re.compile(r"[\w -]+")
_MOST_PAGES = 999_999
_PAGES = re.compile(r"\s*([0-9]{1,6})\s*(?:-\s*([0-9]{1,6})\s*)?")


@frozen
class Issue:
    """One thing that is wrong with a request.

    Attributes:
        loc: Where: keys and indices from the request's root.
        message: What is wrong and what would be right.
        kind: The service's short name for it, such as ``missing`` or ``string_too_long``.
    """

    loc: tuple[str | int, ...]
    message: str
    kind: str

    @property
    def where(self) -> str:
        """The place as people write it: ``configuration.rules[0].type``."""
        parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.loc)
        return "".join(parts).lstrip(".")

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def refuse(issues: Iterator[Issue]) -> None:
    """Raise one `ConfigurationError` naming every issue, if there is any."""
    if found := [str(issue) for issue in issues]:
        raise ConfigurationError("; ".join(found))


def identifier(name: str, value: Any) -> str:
    """Percent-encode an id for a path; ids are opaque, but an empty one or dots would name another path."""
    if not isinstance(value, str) or value.strip() in {"", ".", ".."}:
        message = f"{name}: expected an id, got {value!r}"
        raise ConfigurationError(message)
    return quote(value, safe="")


def listed(name: str, values: Iterable[T] | None) -> tuple[T, ...] | None:
    """Take the values of a list; one text alone would fall apart into its letters."""
    if isinstance(values, str):
        message = f"{name}: expected a list, got the text {values!r}; give [{values!r}]"
        raise ConfigurationError(message)
    if values is not None and not isinstance(values, Iterable):
        message = f"{name}: expected a list, got {type(values).__name__}"
        raise ConfigurationError(message)
    return None if values is None else tuple(values)


def page_size_in(page_size: int | None, largest: int) -> int | None:
    """Check a page size, 1 to `largest`; None leaves it to the server."""
    if page_size is not None and (type(page_size) is not int or not 1 <= page_size <= largest):
        message = f"page_size: must be 1 to {largest}, got {page_size!r}"
        raise ConfigurationError(message)
    return page_size


def create_issues(body: Mapping[str, Any]) -> Iterator[Issue]:
    """Check the body of ``POST /api/v2/classify``."""
    yield from input_issues(body)
    yield from rules_issues(body)


def input_issues(body: Mapping[str, Any]) -> Iterator[Issue]:
    """Check what is a create's own: its input and its idempotency key."""
    yield from _text(body, "file_input", ("file_input",), 1, INPUT_LENGTH)
    if body.get("transaction_id") is not None:
        yield from _text(body, "transaction_id", ("transaction_id",), 1, TRANSACTION_ID_LENGTH)


def rules_issues(body: Mapping[str, Any]) -> Iterator[Issue]:
    """Check that a create has exactly one of a configuration and the id of a saved one."""
    configuration, saved = body.get("configuration"), body.get("configuration_id")
    if configuration is None and saved is None:
        message = "give rules, a configuration or a configuration_id"
        yield Issue(("configuration",), message, "missing")
    elif configuration is not None and saved is not None:
        message = "give either rules (a configuration) or a configuration_id, not both"
        yield Issue(("configuration_id",), message, "value_error")
    elif configuration is not None:
        yield from configuration_issues(configuration, ("configuration",))
    else:
        yield from _text(body, "configuration_id", ("configuration_id",), 1, INPUT_LENGTH)


def configuration_issues(data: Any, loc: tuple[str | int, ...] = ()) -> Iterator[Issue]:
    """Check a configuration object: its rules, its mode and how it says to read the document."""
    if not isinstance(data, Mapping):
        yield Issue(loc, f"expected an object with rules, got {_kind(data)}", "model_type")
        return
    yield from _rules(data.get("rules"), (*loc, "rules"))
    if data.get("mode") not in (None, "FAST"):
        yield Issue((*loc, "mode"), f'must be "FAST", got {data["mode"]!r}', "literal_error")
    if data.get("parsing_configuration") is not None:
        yield from _parsing(data["parsing_configuration"], (*loc, "parsing_configuration"))


def _rules(rules: Any, loc: tuple[str | int, ...]) -> Iterator[Issue]:
    if not isinstance(rules, list | tuple) or not rules:
        kind = "too_short" if isinstance(rules, list | tuple) else "missing"
        yield Issue(loc, "give at least one rule, each with a type and a description", kind)
        return
    for index, rule in enumerate(rules):
        here = (*loc, index)
        if not isinstance(rule, Mapping):
            message = f"expected an object with type and description, got {_kind(rule)}"
            yield Issue(here, message, "model_type")
            continue
        yield from _rule_type(rule, (*here, "type"))
        yield from _text(rule, "description", (*here, "description"), *DESCRIPTION_LENGTHS)
    types = Counter(str(rule.get("type")) for rule in rules if isinstance(rule, Mapping))
    for name, count in types.items():
        if count > 1 and name != "None":
            message = f"{count} rules have the type {name!r}; each type must be unique"
            yield Issue(loc, message, "value_error")


def _rule_type(rule: Mapping[str, Any], loc: tuple[str | int, ...]) -> Iterator[Issue]:
    problems = list(_text(rule, "type", loc, 1, TYPE_LENGTH))
    yield from problems
    if not problems and not (_TYPE_CHARACTERS.fullmatch(rule["type"]) and rule["type"].strip()):
        message = f"{rule['type']!r} may hold letters, digits, spaces, hyphens and underscores only"
        yield Issue(loc, message, "string_pattern_mismatch")


def _parsing(parsing: Any, loc: tuple[str | int, ...]) -> Iterator[Issue]:
    if not isinstance(parsing, Mapping):
        yield Issue(loc, f"expected an object, got {_kind(parsing)}", "model_type")
        return
    if parsing.get("lang") is not None:
        yield from _text(parsing, "lang", (*loc, "lang"), 1, TYPE_LENGTH)
    max_pages = parsing.get("max_pages")
    if max_pages is not None and (type(max_pages) is not int or max_pages < 1):
        message = f"must be a whole number of 1 or more, got {max_pages!r}"
        yield Issue((*loc, "max_pages"), message, "greater_than_equal")
    pages = parsing.get("target_pages")
    if pages is not None:
        try:
            page_ranges(pages)
        except ValueError as error:
            yield Issue((*loc, "target_pages"), str(error), "value_error")


def page_ranges(pages: Any) -> tuple[range, ...]:
    """Read 1-based pages and ranges such as ``"1,3,5-7"``.

    Raises:
        ValueError: It is not such a list; the text says what is wrong.
    """
    found = []
    for part in str(pages).split(","):
        match = _PAGES.fullmatch(part)
        first = int(match[1]) if match else 0
        last = int(match[2] or first) if match else 0
        if not isinstance(pages, str) or not 1 <= first <= last:
            message = f'must list pages from 1 on, such as "1,3,5-7", got {pages!r}'
            raise ValueError(message)
        found.append(range(first, last + 1))
    return tuple(found)


def _text(
    data: Mapping[str, Any], key: str, loc: tuple[str | int, ...], shortest: int, longest: int
) -> Iterator[Issue]:
    value = data.get(key)
    bounds = f"{shortest} to {longest} characters"
    if value is None:
        yield Issue(loc, f"is missing; give {bounds}", "missing")
    elif not isinstance(value, str):
        yield Issue(loc, f"must be a text of {bounds}, got {_kind(value)}", "string_type")
    elif not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        yield Issue(loc, "holds half a character (a lone surrogate)", "string_unicode")
    elif len(value) < shortest:
        message = f"must have {bounds}, has {len(value)}: {value!r}"
        yield Issue(loc, message, "string_too_short")
    elif len(value) > longest:
        message = f"must have {bounds}, has {len(value)}: {value[:30]!r}…"
        yield Issue(loc, message, "string_too_long")


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number"}
    return names.get(type(value), "nothing" if value is None else type(value).__name__)


def saved_configuration_issues(body: Mapping[str, Any]) -> Iterator[Issue]:
    """Check the body of ``POST /api/v1/beta/configurations``."""
    yield from _text(body, "name", ("name",), 1, NAME_LENGTH)
    yield from _saved_parameters(body.get("parameters"), ("parameters",))


def saved_configuration_change_issues(body: Mapping[str, Any]) -> Iterator[Issue]:
    """Check the body of ``PUT /api/v1/beta/configurations/{config_id}``; what is absent or null stays."""
    if body.get("name") is not None:
        yield from _text(body, "name", ("name",), 1, NAME_LENGTH)
    if body.get("parameters") is not None:
        yield from _saved_parameters(body["parameters"], ("parameters",))


def _saved_parameters(parameters: Any, loc: tuple[str | int, ...]) -> Iterator[Issue]:
    if not isinstance(parameters, Mapping):
        kind = "missing" if parameters is None else "model_type"
        yield Issue(loc, f"expected an object with a product_type, got {_kind(parameters)}", kind)
        return
    yield from _text(parameters, "product_type", (*loc, "product_type"), 1, TYPE_LENGTH)
    if parameters.get("product_type") == "classify_v2":
        yield from configuration_issues(parameters, loc)


def classifier_job_issues(body: Mapping[str, Any]) -> Iterator[Issue]:
    """Check the body of ``POST /api/v1/classifier/jobs``."""
    yield from _classifier_files(body.get("file_ids"), ("file_ids",))
    yield from _rules(body.get("rules"), ("rules",))
    yield from _classifier_descriptions(body.get("rules"), ("rules",))
    if body.get("mode") is not None and body["mode"] not in CLASSIFIER_MODES:
        message = f"must be one of {', '.join(CLASSIFIER_MODES)}, got {body['mode']!r}"
        yield Issue(("mode",), message, "enum")
    if body.get("parsing_configuration") is not None:
        yield from _classifier_parsing(body["parsing_configuration"], ("parsing_configuration",))
    yield from webhook_issues(body.get("webhook_configurations"))


def _classifier_files(file_ids: Any, loc: tuple[str | int, ...]) -> Iterator[Issue]:
    if not isinstance(file_ids, list | tuple):
        kind = "missing" if file_ids is None else "list_type"
        yield Issue(loc, f"give a list of 1 to {CLASSIFIER_FILES} file ids, got {_kind(file_ids)}", kind)
    elif not 1 <= len(file_ids) <= CLASSIFIER_FILES:
        kind = "too_long" if file_ids else "too_short"
        yield Issue(loc, f"must have 1 to {CLASSIFIER_FILES} file ids, has {len(file_ids)}", kind)
    else:
        for index, file_id in enumerate(file_ids):
            if not isinstance(file_id, str) or not file_id:
                yield Issue((*loc, index), f"expected a file id, got {file_id!r}", "string_type")


def _classifier_descriptions(rules: Any, loc: tuple[str | int, ...]) -> Iterator[Issue]:
    """Check v1's own bound; what v2 does not take either has been said already."""
    for index, rule in enumerate(rules if isinstance(rules, list | tuple) else ()):
        text = rule.get("description") if isinstance(rule, Mapping) else None
        if isinstance(text, str) and CLASSIFIER_DESCRIPTION_LENGTH < len(text) <= DESCRIPTION_LENGTHS[1]:
            message = f"must have at most {CLASSIFIER_DESCRIPTION_LENGTH} characters, has {len(text)}"
            yield Issue((*loc, index, "description"), message, "string_too_long")


def _classifier_parsing(parsing: Any, loc: tuple[str | int, ...]) -> Iterator[Issue]:
    if not isinstance(parsing, Mapping):
        yield Issue(loc, f"expected an object, got {_kind(parsing)}", "model_type")
        return
    lang, max_pages, pages = (parsing.get(key) for key in ("lang", "max_pages", "target_pages"))
    if lang is not None and not (isinstance(lang, str) and lang in LANGUAGES):
        message = f"must be one of the {len(LANGUAGES)} language codes, such as en or ch_sim, got {lang!r}"
        yield Issue((*loc, "lang"), message, "enum")
    if max_pages is not None and (type(max_pages) is not int or max_pages < 1):
        message = f"must be a whole number of 1 or more, got {max_pages!r}"
        yield Issue((*loc, "max_pages"), message, "greater_than_equal")
    if pages is None:
        return
    if not isinstance(pages, list | tuple) or not all(
        type(page) is int and 0 <= page < _MOST_PAGES for page in pages
    ):
        message = f"must list pages from 0 on, such as [0, 2], got {pages!r}"
        yield Issue((*loc, "target_pages"), message, "value_error")
    elif not pages:
        yield Issue((*loc, "target_pages"), "must list at least one page", "too_short")
    elif max_pages is not None:
        message = "give either max_pages or target_pages, not both"
        yield Issue((*loc, "target_pages"), message, "value_error")


def webhook_issues(webhooks: Any) -> Iterator[Issue]:
    """Check webhook configurations; None is none."""
    loc = ("webhook_configurations",)
    if webhooks is None:
        return
    if not isinstance(webhooks, list | tuple):
        yield Issue(loc, f"expected a list of objects, got {_kind(webhooks)}", "list_type")
        return
    for index, webhook in enumerate(webhooks):
        if not isinstance(webhook, Mapping):
            yield Issue((*loc, index), f"expected an object, got {_kind(webhook)}", "model_type")
            continue
        for key, value in webhook.items():
            if key not in _WEBHOOK_KEYS:
                message = f"is no key of a webhook; there are {', '.join(_WEBHOOK_KEYS)}"
                yield Issue((*loc, index, key), message, "extra_forbidden")
            elif value is not None and not _WEBHOOK_KEYS[key][1](value):
                message = f"must be {_WEBHOOK_KEYS[key][0]}, got {_kind(value)}"
                yield Issue((*loc, index, key), message, "value_error")


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(text, str) for text in value)


_WEBHOOK_KEYS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "webhook_url": (
        "a text that starts with http: or https:",
        lambda value: isinstance(value, str) and value.startswith(("http:", "https:")),
    ),
    "webhook_headers": ("an object", lambda value: isinstance(value, Mapping)),
    "webhook_events": ("a list of texts", _are_texts),
    "webhook_output_format": ('"string" or "json"', lambda value: value in ("string", "json")),
    "webhook_signing_secret": ("a text", lambda value: isinstance(value, str)),
}
"""What each key of a v1 webhook must be, in words and as a test."""
