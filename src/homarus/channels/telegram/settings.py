"""One bot account with defaults filled in and secrets read."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct, field

from homarus.channels.contract import ChatKind
from homarus.channels.policy_config import TableMode
from homarus.channels.telegram.config import API_ROOT, TelegramAccountConfig, check_token
from homarus.channels.telegram.families import Families
from homarus.channels.telegram.options import CapabilitiesConfig, NetworkConfig
from homarus.discreet import Discreet
from homarus.errors import ConfigError

DOWNLOAD_LIMIT = 20 * 1024 * 1024
"""Bytes of the largest file that getFile gives (Bot API, cloud server)."""

WEBHOOK_PATH = "/telegram-webhook"
"""The local path when neither `webhookPath` nor `webhookUrl` names one."""

WEBHOOK_PORT = 8787
"""The port when `webhookHost` is set and `webhookPort` is not, as in OpenClaw."""

COMMANDS = (
    ("new", "Start a new conversation"),
    ("stop", "Stop the running answer"),
    ("status", "Show what the assistant is doing"),
    ("help", "Show what can be asked"),
)
"""The command menu: names and descriptions."""

_LARGEST_SECRET_FILE = 4096


class Timings(Struct, frozen=True):
    """How long things may take, in seconds.

    `poll` is what getUpdates may hold a request (25 to 50 are usual) and `grace` what the answer may take beyond it;
    `album` is how long the other pictures of an album are waited for; `check` is the time between looks at the webhook.
    """

    connect: float = 10.0
    request: float = 30.0
    upload: float = 90.0
    download: float = 30.0
    typing: float = 5.0
    poll: float = 50.0
    grace: float = 10.0
    album: float = 0.8
    check: float = 900.0


class Webhook(Discreet, frozen=True):
    """How Telegram calls us: `url` is what it is told, `path` what the gateway serves, and `listen` a host and port of
    its own where the path is served too."""

    hidden = frozenset({"secret"})

    url: str
    path: str
    secret: str
    certificate: str | None = None
    listen: tuple[str, int] | None = None


class Settings(Discreet, frozen=True):
    """Everything one bot needs; secrets are not shown in repr. `media_limit` is in bytes."""

    hidden = frozenset({"token", "proxy"})

    account_id: str
    token: str
    api_root: str = API_ROOT
    proxy: str | None = None
    webhook: Webhook | None = None
    commands: tuple[tuple[str, str], ...] = COMMANDS
    are_commands_listed: bool = True
    has_link_previews: bool = False
    buttons: frozenset[ChatKind] = frozenset(ChatKind)
    wants_reactions: bool = False
    families: Families = Families.BOTH
    media_limit: int = DOWNLOAD_LIMIT
    local_roots: tuple[str, ...] = ()
    tables: TableMode = TableMode.CODE
    timings: Timings = field(default_factory=Timings)

    @property
    def path(self) -> str:
        """Return the configuration path of this account, for error messages."""
        return path_of(self.account_id)


def path_of(account_id: str) -> str:
    """Return the configuration path of an account."""
    return "channels.telegram" if account_id == "default" else f"channels.telegram.accounts.{account_id}"


def settings_of(config: TelegramAccountConfig, account_id: str, timings: Timings | None = None) -> Settings:
    """Return the settings of a resolved account. Raises ConfigError for a missing token or secret, or a file that
    cannot be read."""
    path = path_of(account_id)
    custom = tuple((item.command.removeprefix("/"), item.description) for item in config.custom_commands)
    times = timings or Timings()
    if timings is None and config.timeout_seconds is not None:
        times = Timings(request=float(min(config.timeout_seconds, 110)))  # the outbox gives an attempt 120 s
    most = int((config.media_max_mb or 20) * 1024 * 1024)
    return Settings(
        account_id=account_id,
        token=_token(config, path),
        api_root=config.api_root,
        proxy=config.proxy,
        webhook=_webhook(config, path),
        commands=_unique((*COMMANDS, *custom)),
        are_commands_listed=config.commands.native is not False,
        has_link_previews=config.link_preview is True,
        families=_families(config.network),
        wants_reactions=config.reaction_notifications not in {None, "off"},
        buttons=_button_chats(config.capabilities),
        media_limit=min(most, DOWNLOAD_LIMIT),
        local_roots=tuple(config.trusted_local_file_roots),
        tables=config.markdown.tables or TableMode.CODE,
        timings=times,
    )


def _families(network: NetworkConfig) -> Families:
    if network.dns_result_order == "ipv4first":
        return Families.IPV4_FIRST
    return Families.IN_ORDER if network.auto_select_family is False else Families.BOTH


def _button_chats(given: list[str] | CapabilitiesConfig | None) -> frozenset[ChatKind]:
    """Return where buttons are offered and may be pressed; who may press them is for the core to say."""
    if isinstance(given, list):
        return frozenset(ChatKind) if "inlineButtons" in given else frozenset()
    where = given.inline_buttons if given is not None else None
    chats = {"off": (), "dm": (ChatKind.DIRECT,), "group": (ChatKind.GROUP,)}
    return frozenset(chats.get(where or "all", tuple(ChatKind)))


def _unique(commands: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple(dict(commands).items())


def _token(config: TelegramAccountConfig, path: str) -> str:
    if config.bot_token is not None and config.bot_token.get_secret_value():
        return config.bot_token.get_secret_value()
    if config.token_file is None:
        raise ConfigError(
            "no bot token is given",
            path=f"{path}.botToken",
            fix=f"create a bot with @BotFather and set {path}.botToken or {path}.tokenFile",
        )
    return _read(config.token_file, f"{path}.tokenFile")


def _read(name: str, path: str) -> str:
    try:
        with Path(name).expanduser().open(encoding="utf-8") as stream:
            token = stream.read(_LARGEST_SECRET_FILE).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot read {name}: {error}", path=path, fix="correct the path or the permissions"
        ) from error
    try:
        check_token(token)
    except ValueError as error:
        fix = "write the token, and nothing else, into the file"
        raise ConfigError(f"{name}: {error}", path=path, fix=fix) from None
    return token


def _webhook(config: TelegramAccountConfig, path: str) -> Webhook | None:
    if config.webhook_url is None:
        return None
    if config.webhook_secret is None:
        raise ConfigError(
            "a webhook without a secret would take updates from anybody",
            path=f"{path}.webhookSecret",
            fix=f"set {path}.webhookSecret to 32 or more random letters and digits",
        )
    local = config.webhook_path or urlsplit(config.webhook_url).path.rstrip("/") or WEBHOOK_PATH
    secret = config.webhook_secret.get_secret_value()
    return Webhook(config.webhook_url, local, secret, config.webhook_cert_path, _listen(config))


def _listen(config: TelegramAccountConfig) -> tuple[str, int] | None:
    """Return where the webhook listens besides the gateway's own port; only this machine unless a host is named."""
    if config.webhook_port is None and config.webhook_host is None:
        return None
    port = WEBHOOK_PORT if config.webhook_port is None else config.webhook_port
    return config.webhook_host or "127.0.0.1", port
