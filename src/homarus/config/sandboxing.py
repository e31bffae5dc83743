"""`agents.defaults.sandbox`: isolation of tool runs."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from homarus.config.base import Count, Many, Positive, PositiveNumber, Section, Text, section
from homarus.config.secret import Secret


class Ulimit(Section):
    """Soft and hard limit."""

    soft: Count | None = None
    """Soft limit."""
    hard: Count | None = None
    """Hard limit."""


class DockerSandbox(Section):
    """Container settings."""

    image: str = "openclaw-sandbox:bookworm-slim"
    """Container image."""
    container_prefix: str = "openclaw-sbx-"
    """Container name prefix."""
    workdir: str = "/workspace"
    """Working folder."""
    read_only_root: bool = True
    """Root file system read-only."""
    tmpfs: Many[str] = ("/tmp", "/var/tmp", "/run")  # noqa: S108 - mount points inside the container
    """Memory mounts."""
    network: str = "none"
    """Network mode; `host` is refused."""
    user: str | None = None
    """User name or id."""
    cap_drop: Many[str] = ("ALL",)
    """Dropped capabilities."""
    env: dict[str, str] = section()
    """Environment variables."""
    setup_command: JsonValue | None = None
    """Command run once after creation."""
    pids_limit: Positive | None = None
    """Process limit."""
    memory: str | float | None = None
    """Memory limit."""
    memory_swap: str | float | None = None
    """Swap limit."""
    cpus: PositiveNumber | None = None
    """Cpu limit."""
    ulimits: dict[str, str | float | Ulimit] = section()
    """Resource limits."""
    seccomp_profile: str | None = None
    """seccomp profile file; `unconfined` is refused."""
    apparmor_profile: str | None = None
    """AppArmor profile name; `unconfined` is refused."""
    dns: Many[str] = ()
    """Name servers."""
    extra_hosts: Many[str] = ()
    """Extra host entries."""
    binds: Many[str] = ()
    """Extra mounts."""
    dangerously_allow_reserved_container_targets: bool = False
    """Allow mounts over reserved paths."""
    dangerously_allow_external_bind_sources: bool = False
    """Allow mounts from outside."""
    dangerously_allow_container_namespace_join: bool = False
    """Allow joining another container network."""


class SshSandbox(Section):
    """Ssh backend settings."""

    target: Text | None = None
    """user@host."""
    command: Text | None = None
    """Program."""
    workspace_root: Text | None = None
    """Folder for sandbox workspaces."""
    strict_host_key_checking: bool | None = None
    """Verify host key."""
    update_host_keys: bool | None = None
    """Learn new host keys."""
    identity_file: Text | None = None
    """Private key file."""
    certificate_file: Text | None = None
    """Certificate file."""
    known_hosts_file: Text | None = None
    """Known hosts file."""
    identity_data: Secret | None = None
    """Private key text."""
    certificate_data: Secret | None = None
    """Certificate text."""
    known_hosts_data: Secret | None = None
    """Known hosts text."""


class BrowserSandbox(Section):
    """Browser settings."""

    enabled: bool = False
    """Turns this feature on or off."""
    image: str = "openclaw-sandbox-browser:bookworm-slim"
    """Container image."""
    container_prefix: str | None = None
    """Container name prefix."""
    network: str = "openclaw-sandbox-browser"
    """Container network."""
    cdp_port: Positive = 9222
    """DevTools port."""
    cdp_source_range: str | None = None
    """Addresses that may reach DevTools."""
    vnc_port: Positive = 5900
    """VNC port."""
    no_vnc_port: Positive = 6080
    """Browser viewer port."""
    headless: bool | None = None
    """No window."""
    enable_no_vnc: bool | None = None
    """Viewer on."""
    allow_host_control: bool | None = None
    """Sandboxed agent may use the host browser."""
    auto_start: bool | None = None
    """Start the helper automatically."""
    auto_start_timeout_ms: Positive = 12_000
    """Start limit, ms."""
    binds: Many[str] = ()
    """Extra mounts."""


class SandboxPrune(Section):
    """Removal of unused sandboxes."""

    idle_hours: Count = 24
    """Hours unused before removal (0 never)."""
    max_age_days: Count = 7
    """Days before removal (0 never)."""


class Sandbox(Section):
    """Isolation of tool runs."""

    mode: Literal["off", "non-main", "all"] = "off"
    """Which sessions run tools in a sandbox."""
    backend: Text = "docker"
    """Backend id."""
    workspace_access: Literal["none", "ro", "rw"] = "none"
    """Workspace mount: none, read-only, read-write."""
    session_tools_visibility: Literal["spawned", "all"] | None = None
    """Sessions visible from a sandbox."""
    scope: Literal["session", "agent", "shared"] = "agent"
    """What shares one instance."""
    workspace_root: str | None = None
    """Folder for sandbox workspaces."""
    docker: DockerSandbox = section()
    """Container settings."""
    ssh: SshSandbox | None = None
    """Ssh backend settings."""
    browser: BrowserSandbox = section()
    """Browser settings."""
    prune: SandboxPrune = section()
    """Removal of unused sandboxes."""
