"""What a system prompt is made of, in characters: for people who wonder where their context goes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from msgspec import Struct

from homarus.agent.prompt import PROMPT_FILES, PromptSource, fit_files
from homarus.agent.skills.listing import MAX_LISTED, block_of
from homarus.agent.skills.skill import Skill
from homarus.models.contract import ModelInfo, ToolSpec

NEAR_LIMIT = 0.85
"""Share of a limit from which a file counts as near it (reference runtime §2)."""


class Prompted(Struct, frozen=True):
    """A finished prompt with everything it was made from."""

    source: PromptSource
    files: dict[str, str]
    system: str
    skills: Sequence[Skill]
    tools: Sequence[ToolSpec]
    model: ModelInfo
    is_sandboxed: bool


def report_of(prompted: Prompted) -> dict[str, object]:
    """Return the report under its wire names; who and when is added by whoever stores it."""
    source, model = prompted.source, prompted.model
    fitted = fit_files(source, prompted.files)
    context = sum(len(file.text) for file in fitted)
    sizes = [len(text.strip()) for text in prompted.files.values()]
    return {
        "source": "run",
        "provider": model.provider,
        "model": model.id,
        "workspaceDir": str(source.workspace),
        "bootstrapMaxChars": source.max_file_chars,
        "bootstrapTotalMaxChars": source.max_total_chars,
        "bootstrapTruncation": {
            "warningMode": "off",
            "warningShown": False,
            "truncatedFiles": sum(file.is_cut for file in fitted),
            "nearLimitFiles": sum(size >= NEAR_LIMIT * source.max_file_chars for size in sizes),
            "totalNearLimit": sum(sizes) >= NEAR_LIMIT * source.max_total_chars,
        },
        "sandbox": {"mode": "all" if prompted.is_sandboxed else "off", "sandboxed": prompted.is_sandboxed},
        "systemPrompt": {
            "chars": len(prompted.system),
            "hash": _hash(prompted.system),
            "projectContextChars": context,
            "nonProjectContextChars": len(prompted.system) - context,
        },
        "injectedWorkspaceFiles": _files(prompted),
        "skills": {
            "promptChars": len(source.skills),
            "hash": _hash(source.skills),
            "entries": [
                {"name": skill.name, "blockChars": len(block_of(skill))} for skill in prompted.skills[:MAX_LISTED]
            ],
        },
        "tools": _tools(prompted.tools),
    }


def snapshot_of(prompted: Prompted) -> dict[str, object]:
    """Return the skills a session was given, under their wire names."""
    root = str(prompted.source.workspace)
    return {
        "prompt": prompted.source.skills,
        "skills": [
            {"name": skill.name, **({"requiredEnv": list(skill.needs.env)} if skill.needs.env else {})}
            for skill in prompted.skills
        ],
        "resolvedSkills": [
            {
                "name": skill.name,
                "description": skill.description,
                "filePath": f"{root}/{skill.path}",
                "baseDir": f"{root}/{skill.folder}",
                "source": "openclaw-workspace",
                "sourceInfo": {
                    "path": f"{root}/{skill.path}",
                    "source": "openclaw-workspace",
                    "scope": "project",
                    "origin": "top-level",
                    "baseDir": f"{root}/{skill.folder}",
                },
                "disableModelInvocation": not skill.is_for_models,
            }
            for skill in prompted.skills
        ],
        "version": 0,
    }


def _files(prompted: Prompted) -> list[dict[str, object]]:
    fitted = {file.name: file for file in fit_files(prompted.source, prompted.files)}
    rows: list[dict[str, object]] = []
    for name in PROMPT_FILES:
        file = fitted.get(name)
        rows.append(
            {
                "name": name,
                "path": str(prompted.source.workspace / name),
                "missing": name not in prompted.files,
                "rawChars": len(prompted.files.get(name, "")),
                "injectedChars": len(file.text) if file is not None else 0,
                "truncated": file is not None and file.is_cut,
            }
        )
    return rows


def _tools(tools: Sequence[ToolSpec]) -> dict[str, object]:
    entries: list[dict[str, object]] = []
    total = 0
    for tool in tools:
        schema = json.dumps(dict(tool.parameters), separators=(",", ":"))
        properties = tool.parameters.get("properties")
        count = len(properties) if isinstance(properties, dict) else 0  # pyright: ignore[reportUnknownArgumentType]
        total += len(schema)
        entries.append(
            {
                "name": tool.name,
                "summaryChars": len(tool.description),
                "summaryHash": _hash(tool.description),
                "schemaChars": len(schema),
                "schemaHash": _hash(schema),
                "propertiesCount": count,
            }
        )
    return {"listChars": 0, "schemaChars": total, "entries": entries}


def _hash(text: str) -> str:
    """Return what changes when a part of the prompt does, and with it what a provider can reuse of it."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
