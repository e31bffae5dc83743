"""Parameters of the methods about the library of skills."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen

from homarus.protocol.base import LooseParams, Params

_Slug = Annotated[str, MinLen(1), MaxLen(128)]


class SkillsSearchParams(Params):
    """`skills.search`."""

    query: Annotated[str, MinLen(1), MaxLen(512)] | None = None
    limit: Annotated[int, Ge(1), Le(100)] | None = None


class SkillsDetailParams(Params):
    """`skills.detail`."""

    slug: _Slug


class SkillsInstallParams(LooseParams):
    """`skills.install`: a skill by its slug, or (refused) a program a skill asks for."""

    name: _Slug | None = None
    install_id: _Slug | None = None
    source: _Slug | None = None
    slug: _Slug | None = None
    force: bool | None = None
