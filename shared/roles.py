"""Who may do what: roles, and whoever a request comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

# Each newsroom role may do what those before it may; operators are apart. A key has one of these.
NEWSROOM_ROLES: Final = ("reporter", "editor", "chief")
ROLES: Final = (*NEWSROOM_ROLES, "operator")
# The first key, made at the first start, has all roles.
EVERY_ROLE: Final = "all"


@dataclass(frozen=True)
class Actor:
    """Whoever asks for something: the name of the key, its role (one of ROLES, or "all"), and its id if it has one."""

    name: str
    role: str
    key_id: UUID | None = None

    def may(self, role: str) -> bool:
        """Whether this actor may do what needs that role."""
        return has_role(self.role, role)


FIRST = Actor("first-key", EVERY_ROLE)


def has_role(role: str, needed: str) -> bool:
    """Whether a key of one role may do what needs another."""
    if role in (EVERY_ROLE, needed):
        return True
    if role not in NEWSROOM_ROLES or needed not in NEWSROOM_ROLES:
        return False
    return NEWSROOM_ROLES.index(role) >= NEWSROOM_ROLES.index(needed)
