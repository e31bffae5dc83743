"""The settings of one connection, with defaults filled in and secrets read."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct, field
from pydantic import SecretStr

from homarus.channels.irc.config import IrcAccountConfig, SaslMechanism
from homarus.discreet import Discreet
from homarus.errors import ConfigError

TLS_PORT = 6697
PLAIN_PORT = 6667
_LARGEST_SECRET_FILE = 4096


class Timings(Struct, frozen=True):
    """How long things may take, in seconds.

    `idle` is the silence after which we send a PING and `grace` how long the answer may take (the usual 60 to 120 and
    30 to 60 s); `confirm` is how long a sent part may stay unconfirmed; `replay` is how old a line that a bouncer
    plays back may be and still be answered.
    """

    connect: float = 20.0
    register: float = 60.0
    write: float = 30.0
    confirm: float = 30.0
    idle: float = 90.0
    grace: float = 45.0
    login: float = 15.0
    rejoin: float = 60.0
    drain: float = 5.0
    replay: float = 600.0


class Settings(Discreet, frozen=True):
    """Everything a connection needs; secrets are not shown in repr."""

    hidden = frozenset({"password", "sasl_password", "nickserv_password"})

    account_id: str
    host: str
    port: int
    tls: bool
    nick: str
    username: str
    realname: str
    password: str | None = None
    sasl_mechanism: SaslMechanism = SaslMechanism.AUTO
    sasl_account: str = ""
    sasl_password: str | None = None
    is_sasl_required: bool = False
    nickserv: str = "NickServ"
    nickserv_password: str | None = None
    nickserv_email: str | None = None
    rooms: tuple[str, ...] = ()
    mention_patterns: tuple[re.Pattern[str], ...] = ()
    tls_ca_file: str | None = None
    tls_cert_file: str | None = None
    tls_key_file: str | None = None
    is_tls_unverified: bool = False
    flood_burst: int = 4
    flood_interval: float = 2.0
    timings: Timings = field(default_factory=Timings)

    @property
    def path(self) -> str:
        """Return the configuration path of this account, for error messages."""
        return "channels.irc" if self.account_id == "default" else f"channels.irc.accounts.{self.account_id}"


def settings_of(config: IrcAccountConfig, account_id: str, timings: Timings | None = None) -> Settings:
    """Return the settings of a resolved account. Raises ConfigError for a missing host or an unreadable file."""
    path = "channels.irc" if account_id == "default" else f"channels.irc.accounts.{account_id}"
    if not config.host:
        raise ConfigError("no IRC server is named", path=f"{path}.host", fix=f'set {path}.host, e.g. "irc.libera.chat"')
    nickserv = config.nickserv
    nickserv_password = _secret(nickserv.password, nickserv.password_file, f"{path}.nickserv")
    sasl_password = _secret(config.sasl.password, config.sasl.password_file, f"{path}.sasl")
    is_external = config.sasl.mechanism is SaslMechanism.EXTERNAL
    if is_external and not config.tls_cert_file:
        raise ConfigError(
            "SASL EXTERNAL logs in with a client certificate",
            path=f"{path}.tlsCertFile",
            fix=f"set {path}.tlsCertFile (and tlsKeyFile) to a PEM file",
        )
    return Settings(
        account_id=account_id,
        host=config.host,
        port=config.port or (TLS_PORT if config.tls else PLAIN_PORT),
        tls=config.tls,
        nick=config.nick,
        username=_word(config.username or config.nick),
        realname=_line(config.realname or config.name or "Homarus assistant"),
        password=_secret(config.password, config.password_file, path),
        sasl_mechanism=config.sasl.mechanism,
        sasl_account=config.sasl.account or config.nick,
        sasl_password=sasl_password or (nickserv_password if nickserv.enabled is not False else None),
        is_sasl_required=bool(sasl_password) or config.sasl.mechanism not in {SaslMechanism.AUTO, SaslMechanism.OFF},
        nickserv=_word(nickserv.service),
        nickserv_password=nickserv_password if nickserv.enabled is not False else None,
        nickserv_email=nickserv.register_email or "" if nickserv.is_registering else None,
        rooms=tuple(config.channels),
        mention_patterns=tuple(re.compile(pattern, re.IGNORECASE) for pattern in config.mention_patterns),
        tls_ca_file=config.tls_ca_file,
        tls_cert_file=config.tls_cert_file,
        tls_key_file=config.tls_key_file,
        is_tls_unverified=config.dangerously_disable_tls_verification,
        flood_burst=config.flood.burst,
        flood_interval=config.flood.interval_seconds,
        timings=timings or Timings(),
    )


def _secret(value: SecretStr | None, file: str | None, path: str) -> str | None:
    if value is not None and value.get_secret_value():
        return _checked(value.get_secret_value(), f"{path}.password")
    if file is None:
        return None
    try:
        with Path(file).expanduser().open(encoding="utf-8") as stream:
            text = stream.read(_LARGEST_SECRET_FILE).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot read {file}: {error}", path=f"{path}.passwordFile", fix="correct the path or the permissions"
        ) from error
    if not text:
        raise ConfigError(f"{file} is empty", path=f"{path}.passwordFile", fix="write the password into the file")
    return _checked(text, f"{path}.passwordFile")


def _checked(secret: str, path: str) -> str:
    if any(ord(char) < 32 for char in secret):
        raise ConfigError("the password contains a line break or control character", path=path, fix="remove it")
    return secret


def _word(text: str) -> str:
    return "".join(char for char in text if ord(char) > 32 and char not in ":@!")[:60] or "homarus"


def _line(text: str) -> str:
    return " ".join(text.split())[:150]
