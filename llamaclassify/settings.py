"""What a session is made with: the key, the server and the limits, from the arguments or the environment."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from yarl import URL

from .errors import ConfigurationError
from .policies import FollowServer, RateLimit
from .wire.limits import Limiter, RateBudget
from .wire.secret import Secret

HOSTED_URL = "https://api.cloud.llamaindex.ai"
"""The hosted service in North America; Europe is https://api.cloud.eu.llamaindex.ai."""
_HOSTED_DOMAIN = ".llamaindex.ai"


def secret_of(api_key: str | Secret | None) -> Secret:
    """Take the key that was given, or that of ``LLAMA_CLOUD_API_KEY``.

    Raises:
        ConfigurationError: There is none, or it cannot be one.
    """
    if isinstance(api_key, Secret):
        return api_key
    given, api_key = os.environ.get("LLAMA_CLOUD_API_KEY") if api_key is None else api_key, None
    if not isinstance(given, str) or not given.strip():
        message = (
            "api_key: none given; set LLAMA_CLOUD_API_KEY, or run a server of your own: llamaclassify serve"
        )
        raise ConfigurationError(message)
    if not given.strip().isprintable() or not given.isascii():
        del given
        raise ConfigurationError("api_key: holds characters that no key has")
    return Secret(given.strip())


def limit_of(
    rate_limit: RateLimit | RateBudget | FollowServer | None, url: str
) -> RateLimit | RateBudget | None:
    """Give the limit that was given, or that of the server at `url`.

    Raises:
        ConfigurationError: It is none.
    """
    if rate_limit is FollowServer.FOLLOW_SERVER:
        host = urlsplit(url).hostname or ""
        rate_limit = RateLimit() if host.endswith(_HOSTED_DOMAIN) else RateLimit.unlimited()
    if rate_limit is not None and not isinstance(rate_limit, RateLimit | RateBudget):
        kind = type(rate_limit).__name__
        message = f"rate_limit: expected a RateLimit, a RateBudget or None, got {kind}"
        raise ConfigurationError(message)
    return rate_limit


def budget_of(rate_limit: RateLimit | RateBudget | FollowServer | None, url: str) -> RateBudget | None:
    """Give what paces a session with the server at `url`; None where nothing is to."""
    limit = limit_of(rate_limit, url)
    return Limiter(limit) if isinstance(limit, RateLimit) else limit


def url_of(base_url: str | None) -> str:
    """Take the server that was given, that of ``LLAMA_CLOUD_BASE_URL``, or the hosted service.

    Raises:
        ConfigurationError: It is no http or https URL, or holds more than a host, a port and a path.
    """
    url = base_url or os.environ.get("LLAMA_CLOUD_BASE_URL") or HOSTED_URL
    try:
        parts = urlsplit(url)
        right = parts.scheme in {"http", "https"} and bool(URL(url).host) and parts.port != 0
        bare = "@" not in parts.netloc and not parts.query and not parts.fragment
    except ValueError:
        right = bare = False
    if not right or not bare:
        raise ConfigurationError(f"base_url: expected http://host… or https://host…, got {url!r}")
    return url
