"""The one place where JSON becomes models and models become JSON (cattrs).

Reading ignores unknown keys, takes null and absent for the same, keeps unknown statuses as they are and
reads the older spelling of a job's input; it never turns a null into ``'None'`` nor a text into a number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

import attrs

from ..errors import ResponseDecodeError
from ..models import Configuration, Job, JobStatus, timestamp
from ..models_v1 import ClassifierStatus

if TYPE_CHECKING:
    from cattrs import Converter

_REMEMBERED = 8
"""So many different configurations are recognised when they come again."""
_recent_configurations: deque[tuple[Any, Configuration]] = deque(maxlen=_REMEMBERED)

# cattrs is imported with the first JSON that is read: it would be a tenth of the package's import.
T = TypeVar("T")
CLASSIFY_PRODUCT = "classify_v2"
"""The product type of saved configurations for classification."""


def decode(kind: type[T], data: Any, *, request: str) -> T:
    """Structure `data` as `kind`; `request` names what was asked, for the error's text.

    The data is not to be changed afterwards: an equal configuration is not structured again.

    Raises:
        ResponseDecodeError: The data does not have that shape; `path` says where.
    """
    try:
        return _converter(thorough=False).structure(data, kind)
    except Exception:  # cattrs raises what the hooks and the data happen to raise
        path, problem = _diagnose(data, kind)
        raise ResponseDecodeError(request, path, problem) from None


def share_configuration(job: dict[str, Any]) -> None:
    """Put the model in the place of a job's configuration: so all the jobs of a batch hold but one."""
    echoed = job.get("configuration")
    for before, made in _recent_configurations:
        if before == echoed:
            job["configuration"] = made
            return
    if echoed is not None:
        with suppress(Exception):  # what is wrong with it is told where the job is decoded
            job["configuration"] = _converter(thorough=False).structure(echoed, Configuration)


def encode(value: Any) -> Any:
    """Give the wire's JSON with every key, null where there is nothing: what a server answers."""
    return _converter(thorough=False).unstructure(value)


def encode_request(value: Any) -> Any:
    """Give the wire's JSON with no null in it: what a client sends."""
    return _without_nulls(encode(value))


def _without_nulls(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_nulls(value) for key, value in data.items() if value is not None}
    if isinstance(data, list | tuple):
        return [_without_nulls(value) for value in data]
    return data


def _diagnose(data: Any, kind: Any) -> tuple[str, str]:
    """Structure once more, slowly, for the exact place of the first fault."""
    from cattrs import transform_error  # noqa: PLC0415

    try:
        _converter(thorough=True).structure(data, kind)
    except Exception as error:
        problem, _, path = transform_error(error)[0].rpartition(" @ ")
        return path, problem
    return "$", "not understood"


@cache
def _converter(*, thorough: bool) -> Converter:
    """Make the converter; a thorough one is slower and knows where the fault is."""
    from cattrs import Converter  # noqa: PLC0415

    converter = Converter(detailed_validation=thorough)
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _exactly(kind))
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(datetime, _moment)
    converter.register_unstructure_hook(datetime, timestamp)
    for known in (JobStatus, ClassifierStatus):
        converter.register_structure_hook(known | str, _status_of(known))
        converter.register_unstructure_hook(known | str, str)
    converter.register_structure_hook(Configuration | dict[str, Any], _parameters)
    converter.register_unstructure_hook(Configuration | dict[str, Any], _parameters_json)
    converter.register_structure_hook_factory(attrs.has, _tolerant_hook)
    return converter


def _tolerant_hook(kind: type[T], converter: Converter) -> Callable[[Any, Any], T]:
    from cattrs.gen import make_dict_structure_fn, override  # noqa: PLC0415

    # What is null is left out below: no field need look for it once more.
    model: Any = get_origin(kind) or kind
    attrs.resolve_types(model)
    fields: dict[str, Any] = {
        field.name: override(struct_hook=_hook_for(inner, converter))
        for field in attrs.fields(model)
        if (inner := _optional(field.type)) is not None
    }
    structure = make_dict_structure_fn(kind, converter, **fields)

    def hook(data: Any, _: Any) -> T:
        if not isinstance(data, dict):
            message = f"expected an object, got {type(data).__name__}"
            raise TypeError(message)
        present = {key: value for key, value in data.items() if value is not None}
        if kind is Job and "document_input_value" in present:
            present.setdefault("file_input", present["document_input_value"])
        return structure(present, kind)

    hooked: Any = hook
    return _remembering(hooked) if kind is Configuration else hook  # type: ignore[return-value]


def _hook_for(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    structure = converter.get_structure_hook(kind)
    # Whoever calls it says ``X | None``, but it must hear X.
    return lambda data, _: structure(data, kind)


def _optional(kind: Any) -> Any:
    """Give the X of ``X | None``; None where it is something else."""
    parts = get_args(kind)
    others = [part for part in parts if part is not NoneType]
    return others[0] if isinstance(kind, UnionType) and len(parts) == 2 and len(others) == 1 else None


def _remembering(structure: Callable[[Any, Any], Configuration]) -> Callable[[Any, Any], Configuration]:
    """Structure what came before only once: every job of a batch echoes the same configuration."""

    def hook(data: Any, kind: Any) -> Configuration:
        if isinstance(data, Configuration):
            return data
        for before, made in _recent_configurations:
            if before == data:
                return made
        made = structure(data, kind)
        _recent_configurations.appendleft((data, made))
        return made

    return hook


def _exactly(kind: type[T]) -> Callable[[Any, Any], T]:
    def hook(data: Any, _: Any) -> T:
        if type(data) is not kind:
            message = f"expected {kind.__name__}, got {type(data).__name__}"
            raise TypeError(message)
        return data

    return hook


_text = _exactly(str)


def _number(data: Any, _: Any) -> float:
    if isinstance(data, bool) or not isinstance(data, int | float):
        message = f"expected a number, got {type(data).__name__}"
        raise TypeError(message)
    return float(data)


def _moment(data: Any, _: Any) -> datetime:
    moment = datetime.fromisoformat(_text(data, str))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _status_of(known: type[StrEnum]) -> Callable[[Any, Any], str]:
    """Read a status, keeping one that is not known as the text it is."""

    def hook(data: Any, _: Any) -> str:
        text = _text(data, str)
        return known(text) if text in known.__members__ else text

    return hook


def _parameters(data: Any, _: Any) -> Configuration | dict[str, Any]:
    """Read a saved configuration's parameters: ours as a model, other products' as they are."""
    if not isinstance(data, dict):
        message = f"expected an object, got {type(data).__name__}"
        raise TypeError(message)
    if data.get("product_type") == CLASSIFY_PRODUCT:
        return _converter(thorough=False).structure(data, Configuration)
    return data


def _parameters_json(parameters: Configuration | dict[str, Any]) -> Any:
    if isinstance(parameters, Configuration):
        return {"product_type": CLASSIFY_PRODUCT, **_converter(thorough=False).unstructure(parameters)}
    return parameters
