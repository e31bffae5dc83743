"""`tools.web`: what may be fetched from the web; the keys of search and of reading pages are kept as they are."""

from __future__ import annotations

from pydantic import ConfigDict

from homarus.config.base import Count, Many, Positive, Section, Text, section


class FetchGuard(Section):
    """Which addresses may be fetched besides those of the internet."""

    dangerously_allow_private_network: bool = False
    """Let addresses of this machine and its network be fetched."""
    allowed_hostnames: Many[Text] = ()
    """Hosts that may be fetched wherever they are."""


class WebFetch(Section):
    """Fetching from the web."""

    model_config = ConfigDict(extra="allow")

    timeout_seconds: Positive = 30
    """Longest fetch, seconds."""
    max_redirects: Count = 3
    """Redirects that are followed."""
    ssrf_policy: FetchGuard = section()
    """Guard of the network."""


class WebTools(Section):
    """Web search and fetch."""

    model_config = ConfigDict(extra="allow")

    fetch: WebFetch = section()
    """Fetching from the web."""
