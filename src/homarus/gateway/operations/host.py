"""The machine the gateway runs on, its updates, and how it reaches its models."""

from __future__ import annotations

import os
import platform
import shutil
import socket

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Get, operation
from homarus.models.providers import KNOWN_PROVIDERS
from homarus.protocol.base import NoParams
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.protocol.session_views import AuthStatusParams, UpdateStatusParams


@operation("system.info", scope=Scope.READ, rest=Get("/api/system"))
async def system_info(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """Describe the machine: its name and system, processors, memory, disk, load."""
    host, disk = socket.gethostname(), shutil.disk_usage(call.services.state_dir)
    page, total = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_PHYS_PAGES")
    return {
        "machineName": host,
        "hostname": host,
        "platform": platform.system().lower(),
        "release": platform.release(),
        "arch": platform.machine(),
        "osLabel": f"{platform.system()} {platform.release()}",
        "nodeVersion": f"Python {platform.python_version()}",
        "pid": os.getpid(),
        "processInstanceId": call.core.instance_id,
        "port": call.core.port(),
        "uptimeMs": round(call.core.uptime * 1000),
        "cpuCount": os.cpu_count() or 1,
        "loadAverage": list(os.getloadavg()),
        "memoryTotalBytes": page * total,
        "memoryFreeBytes": page * os.sysconf("SC_AVPHYS_PAGES"),
        "diskTotalBytes": disk.total,
        "diskAvailableBytes": disk.free,
        "diskPath": str(call.services.state_dir),
    }


@operation("update.status", scope=Scope.ADMIN)
async def update_status(call: Call, params: UpdateStatusParams) -> JsonObject:  # noqa: ARG001
    """Tell of updates that wait; none, as the gateway asks nobody for new versions."""
    schedule: JsonObject = {"channel": "stable", "autoEnabled": False}
    return {"sentinel": None, "updateAvailable": None, "effectiveChannel": "stable", "schedule": schedule}


@operation("models.authStatus", scope=Scope.READ)
async def auth_status(call: Call, params: AuthStatusParams) -> JsonObject:  # noqa: ARG001
    """List the providers of models that can be used now, and which known ones take a key.

    Keys come from the configuration and the environment; none is taken over a connection.
    """
    names = dict.fromkeys(info.provider for info in call.services.models.list_models())
    known = [
        {"provider": each.id, "apiKeySupported": each.key_name is not None, "quickApiKeySetup": False}
        for each in KNOWN_PROVIDERS.values()
    ]
    providers = [_provider(name) for name in names]
    return {"ts": call.services.clock.now_ms(), "providers": providers, "providerCapabilities": known}


def _provider(name: str) -> JsonObject:
    source = {"apiKey": {"source": "config"}}
    return {"provider": name, "authProvider": name, "displayName": name, "status": "static", "profiles": [], **source}
