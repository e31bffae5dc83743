"""What the `session_status` tool tells an agent about itself."""

from __future__ import annotations

from datetime import UTC, datetime

from homarus import __version__
from homarus.gateway.services import Services
from homarus.gateway.turn_factory import zone_of
from homarus.sessions.keys import parse_key


class SessionStatus:
    """Implements homarus.tools' StatusSource."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def describe(self, session_key: str) -> str:
        """Return version, time, session, model and tokens as short lines."""
        services = self._services
        config = services.config.current.config
        now = datetime.fromtimestamp(services.clock.now_ms() / 1000, UTC)
        session = await services.sessions.get(parse_key(session_key))
        lines = [
            f"Homarus {__version__}",
            f"Time: {now.astimezone(zone_of(config)):%A %Y-%m-%d %H:%M %Z} ({now:%H:%M} UTC)",
            f"Session: {session_key}",
            f"Model: {services.models.resolve(None).info.ref}",
        ]
        if session is not None:
            lines.append(f"Tokens in this session: {session.input_tokens} in, {session.output_tokens} out")
        lines.append(f"Runs going on: {len(services.runs.active())}")
        connected = [f"{item.channel}/{item.account}" for item in services.channels.accounts() if item.is_connected]
        lines.append(f"Channels connected: {', '.join(connected) or 'none'}")
        return "\n".join(lines)
