"""`models.providers.<id>.request`: proxy, TLS and credential placement of provider calls."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from homarus.config.base import Section, Text, section
from homarus.config.secret import Secret


class ProviderDefaultAuth(Section):
    """The credential goes where the provider expects it."""

    mode: Literal["provider-default"]
    """Selects this placement."""


class BearerAuth(Section):
    """The credential goes into an Authorization header."""

    mode: Literal["authorization-bearer"]
    """Selects this placement."""
    token: Secret
    """Token sent after `Bearer`."""


class HeaderAuth(Section):
    """The credential goes into a header of your choice."""

    mode: Literal["header"]
    """Selects this placement."""
    header_name: Text
    """Header name."""
    value: Secret
    """Header value."""
    prefix: str | None = None
    """Text put before the value."""


class ClientTls(Section):
    """Trust and client certificate, as PEM text."""

    ca: Secret | None = None
    """Trusted authorities."""
    cert: Secret | None = None
    """Client certificate."""
    key: Secret | None = None
    """Client key."""
    passphrase: Secret | None = None
    """Passphrase of the key."""
    server_name: str | None = None
    """Name expected in the certificate."""
    insecure_skip_verify: bool | None = None
    """Do not verify the certificate (unsafe)."""


class EnvironmentProxy(Section):
    """The proxy named by HTTPS_PROXY and NO_PROXY."""

    mode: Literal["env-proxy"]
    """Selects this kind."""
    tls: ClientTls | None = None
    """TLS towards the proxy."""


class ExplicitProxy(Section):
    """A proxy named here."""

    mode: Literal["explicit-proxy"]
    """Selects this kind."""
    url: Text
    """Address of the proxy."""
    tls: ClientTls | None = None
    """TLS towards the proxy."""


class RequestOptions(Section):
    """Transport of provider calls."""

    headers: dict[str, Secret] = section()
    """Extra HTTP headers."""
    auth: Annotated[ProviderDefaultAuth | BearerAuth | HeaderAuth, Field(discriminator="mode")] | None = None
    """Where the credential goes."""
    proxy: Annotated[EnvironmentProxy | ExplicitProxy, Field(discriminator="mode")] | None = None
    """Proxy of these calls."""
    tls: ClientTls | None = None
    """TLS towards the provider."""
