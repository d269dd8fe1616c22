"""What a create sends: checked before anything is sent, and encoded once for all creates of a call."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping
from itertools import chain
from types import UnionType
from typing import Any

from attrs import frozen

from ..errors import ConfigurationError
from ..models import Configuration, ParsingConfiguration, Rule, WebhookConfiguration
from .checks import (
    CLASSIFIER_DESCRIPTION_LENGTH as LONG_DESCRIPTION,
    INPUT_LENGTH,
    TRANSACTION_ID_LENGTH,
    input_issues,
    listed,
    refuse,
    rules_issues,
    webhook_issues,
)
from .converter import encode_request
from .transport import json_bytes


@frozen
class JobBody:
    """What the creates of one call have in common: checked and encoded once, however many they are.

    Attributes:
        configuration: What is classified by, as canonical JSON: the configuration itself or a saved one's id.
    """

    configuration: bytes
    _opening: bytes

    @classmethod
    def made(
        cls,
        *,
        rules: Iterable[Rule] | None,
        configuration: Configuration | None,
        configuration_id: str | None,
        webhook_configurations: Iterable[WebhookConfiguration] | None,
        webhook_configuration_ids: Iterable[str] | None,
    ) -> JobBody:
        """Check and encode it.

        Raises:
            ConfigurationError: It cannot be right; every field at fault is named.
        """
        named = {
            "configuration": _one_configuration(rules, configuration),
            "configuration_id": configuration_id,
        }
        webhooks = {
            "webhook_configurations": listed("webhook_configurations", webhook_configurations),
            "webhook_configuration_ids": listed("webhook_configuration_ids", webhook_configuration_ids),
        }
        body = encode_request(named | webhooks)
        refuse(chain(rules_issues(body), webhook_issues(body.get("webhook_configurations"))))
        _warn_of_long_descriptions(body)
        chosen = {key: body[key] for key in named if key in body}
        return cls(json.dumps(chosen, sort_keys=True).encode(), json_bytes(body)[:-1])

    def of(self, file_input: str, transaction_id: str) -> bytes:
        """Give the body of one create.

        Raises:
            ConfigurationError: The input or the transaction id cannot be right.
        """
        own = {"file_input": file_input, "transaction_id": transaction_id}
        if not (_is_plain(file_input, INPUT_LENGTH) and _is_plain(transaction_id, TRANSACTION_ID_LENGTH)):
            refuse(input_issues(own))
        return b"%b,%b" % (self._opening, json_bytes(own)[1:])


def _warn_of_long_descriptions(body: Mapping[str, Any]) -> None:
    for index, rule in enumerate(body.get("configuration", {}).get("rules", ())):
        if len(rule["description"]) > LONG_DESCRIPTION:
            message = (
                f"rules[{index}].description has {len(rule['description'])} characters; "
                f"some versions of the service refuse more than {LONG_DESCRIPTION}"
            )
            warnings.warn(message, UserWarning, stacklevel=4)


def _is_plain(text: object, longest: int) -> bool:
    """Tell at a glance that a text is right, as those of thousands of creates are."""
    return isinstance(text, str) and 0 < len(text) <= longest and text.isascii()


def _one_configuration(
    rules: Iterable[Rule] | None, configuration: Configuration | None
) -> Configuration | None:
    """Make one configuration of the two ways to give rules."""
    if rules is not None and configuration is not None:
        message = "configuration: give either rules or a configuration, not both"
        raise ConfigurationError(message)
    expect("configuration", configuration, Configuration | None)
    if rules is not None:
        configuration = Configuration(rules=listed("rules", rules) or ())
    if configuration is None:
        return None
    for index, rule in enumerate(configuration.rules):
        expect(f"rules[{index}]", rule, Rule)
    expect("parsing_configuration", configuration.parsing_configuration, ParsingConfiguration | None)
    return configuration


def expect(name: str, value: object, kind: type | UnionType) -> None:
    """Refuse a value of another type.

    Raises:
        ConfigurationError: It is not of that type.
    """
    if not isinstance(value, kind):
        wanted = str(kind).removesuffix(" | None").rpartition(".")[2].strip("'>")
        raise ConfigurationError(f"{name}: expected a {wanted}, got {type(value).__name__}")
