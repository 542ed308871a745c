"""`rotative migrate`: brings every service's database to the newest schema."""

from __future__ import annotations

from rotative.parts import SERVICES, settings_of


class Failed(Exception):
    """A database could not be brought up to date; the text is a sentence for people."""


def migrate_all() -> list[str]:
    """Upgrade each database in turn; gives back the services. Raises Failed, or SettingError."""
    from sqlalchemy.exc import SQLAlchemyError

    from shared.migrate import DatabaseTooNew, upgrade

    for service in SERVICES:
        settings = settings_of(service)
        try:
            upgrade(settings.database_url, service)
        except DatabaseTooNew as newer:
            raise Failed(str(newer)) from newer
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise Failed(f"The database of {service} could not be brought up to date: {reason}") from error
    return list(SERVICES)
