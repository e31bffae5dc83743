"""What can be added to an assistant in other gateways; this one has none of it, and says so with empty lists."""

from __future__ import annotations

from typing import Final

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.protocol.base import NoParams
from homarus.protocol.frames import JsonObject
from homarus.protocol.page_lists import ArtifactsListParams, PluginCatalogParams, SkillLibraryParams
from homarus.protocol.scopes import Scope

LIBRARY_LIMIT: Final = 64
"""Skills of a library that a session takes by itself (reference v4, skills.library.list)."""
THEME: Final[JsonObject] = {"id": "claw", "name": "Claw", "source": "builtin", "modes": ["light", "dark"]}
"""The default of the Control UI, under the name its pages know it by."""


@operation("plugins.list", scope=Scope.READ)
async def list_plugins(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """List plugins; none, and none can be installed."""
    return {"plugins": [], "diagnostics": [], "mutationAllowed": False}


@operation("plugins.catalog.browse", scope=Scope.READ)
async def browse_plugins(call: Call, params: PluginCatalogParams) -> JsonObject:  # noqa: ARG001
    """List plugins that could be installed; none, as the gateway asks no registry."""
    return {"items": []}


@operation("skills.library.list", scope=Scope.READ)
async def list_library(call: Call, params: SkillLibraryParams) -> JsonObject:  # noqa: ARG001
    """List the skills people share; none, as skills are folders of an agent's workspace."""
    return {"entries": [], "profileId": None, "defaultTarget": "workspace", "defaultSelectionLimit": LIBRARY_LIMIT}


@operation("themes.list", scope=Scope.READ)
async def list_themes(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """List the themes a page can show: the one every page brings along, as the gateway keeps none of its own."""
    current: JsonObject = {"id": THEME["id"], "mode": "system", "scope": "gateway", "overrides": {}}
    return {"current": current, "theme": THEME, "themes": [THEME]}


@operation("artifacts.list", scope=Scope.READ)
async def list_artifacts(call: Call, params: ArtifactsListParams) -> JsonObject:  # noqa: ARG001
    """List what runs made apart from their messages; nothing, as files are parts of messages."""
    return {"artifacts": []}
