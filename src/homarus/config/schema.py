"""The root of the configuration: everything `homarus.json` may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, JsonValue

from homarus.config.base import Many, Section, later, section
from homarus.config.bindings import Binding

if TYPE_CHECKING:
    from homarus.config.agents import Agents
    from homarus.config.channels import Channels
    from homarus.config.commands import Commands
    from homarus.config.cron import Cron
    from homarus.config.discovery import Discovery
    from homarus.config.gateway import Gateway
    from homarus.config.logging import Logging
    from homarus.config.messages import Messages
    from homarus.config.meta import EnvironmentVariables, Meta, Storage
    from homarus.config.models import Models
    from homarus.config.node_host import NodeHost
    from homarus.config.secret_sources import Secrets
    from homarus.config.sessions import Session
    from homarus.config.talk import Talk
    from homarus.config.tools import Tools
else:
    Agents = later("agents", "Agents")
    Channels = later("channels", "Channels")
    Commands = later("commands", "Commands")
    Cron = later("cron", "Cron")
    Discovery = later("discovery", "Discovery")
    Gateway = later("gateway", "Gateway")
    Logging = later("logging", "Logging")
    Messages = later("messages", "Messages")
    EnvironmentVariables = later("meta", "EnvironmentVariables")
    Meta = later("meta", "Meta")
    Storage = later("meta", "Storage")
    Models = later("models", "Models")
    NodeHost = later("node_host", "NodeHost")
    Secrets = later("secret_sources", "Secrets")
    Session = later("sessions", "Session")
    Talk = later("talk", "Talk")
    Tools = later("tools", "Tools")


class Families(Section):
    """Families of an OpenClaw 2026.4 file that are accepted as they are and have no effect yet."""

    acp: dict[str, JsonValue] | None = None
    """External agents over ACP."""
    approvals: dict[str, JsonValue] | None = None
    """Where approval questions go."""
    audio: dict[str, JsonValue] | None = None
    """Transcription of voice messages."""
    auth: dict[str, JsonValue] | None = None
    """Credential profiles."""
    broadcast: dict[str, JsonValue] | None = None
    """Several agents on one chat."""
    browser: dict[str, JsonValue] | None = None
    """Browser control."""
    canvas_host: dict[str, JsonValue] | None = None
    """Canvas pages."""
    cli: dict[str, JsonValue] | None = None
    """Command line looks."""
    diagnostics: dict[str, JsonValue] | None = None
    """Tracing and debugging."""
    hooks: dict[str, JsonValue] | None = None
    """Incoming webhooks."""
    mcp: dict[str, JsonValue] | None = None
    """MCP servers."""
    media: dict[str, JsonValue] | None = None
    """Stored attachments."""
    memory: dict[str, JsonValue] | None = None
    """Memory backend."""
    plugins: dict[str, JsonValue] | None = None
    """Plugins."""
    skills: dict[str, JsonValue] | None = None
    """Skills."""
    ui: dict[str, JsonValue] | None = None
    """Looks of the apps."""
    update: dict[str, JsonValue] | None = None
    """Updates."""
    web: dict[str, JsonValue] | None = None
    """Reconnects of the WhatsApp web session."""
    wizard: dict[str, JsonValue] | None = None
    """Notes of the setup wizard."""


class Config(Families):
    """The whole configuration; every section has defaults, so an empty file is valid."""

    schema_: str | None = Field(default=None, alias="$schema")
    """JSON Schema address for editors."""
    gateway: Gateway = section()
    """The server."""
    agents: Agents = section()
    """Agents and what they share."""
    models: Models = section()
    """Model providers."""
    channels: Channels = section()
    """Chat channels."""
    session: Session = section()
    """Sessions."""
    messages: Messages = section()
    """Messages."""
    talk: Talk = section()
    """Talk mode."""
    node_host: NodeHost = section()
    """Running as a node."""
    bindings: Many[Binding] = ()
    """Which agent answers which chats; the most specific match wins."""
    logging: Logging = section()
    """The log."""
    tools: Tools = section()
    """Tool policy."""
    commands: Commands = section()
    """Slash commands."""
    cron: Cron = section()
    """The scheduler."""
    discovery: Discovery = section()
    """Being found on the network."""
    storage: Storage = section()
    """The database."""
    secrets: Secrets = section()
    """Secret sources."""
    env: EnvironmentVariables = section()
    """Variables."""
    meta: Meta = section()
    """Notes tools leave in the file."""
