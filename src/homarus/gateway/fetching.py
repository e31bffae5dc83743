"""What the configuration lets be fetched from the web."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homarus.security.safe_fetch import FetchRules

if TYPE_CHECKING:
    from homarus.config.schema import Config


def fetch_rules(config: Config) -> FetchRules:
    """Return the rules of `tools.web.fetch`."""
    fetch = config.tools.web.fetch
    guard = fetch.ssrf_policy
    return FetchRules(
        may_be_private=guard.dangerously_allow_private_network,
        hosts=frozenset(host.lower().rstrip(".") for host in guard.allowed_hostnames),
        timeout=float(fetch.timeout_seconds),
        redirects=fetch.max_redirects,
    )
