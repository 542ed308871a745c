"""The verbs of ingest. Each works in the caller's transaction and says its public event in it; time is an argument.

articles: accepted, changed, deleted. moves: from state to state. replay: everything said again. common: what these
share.
"""

from services.ingest.actions.articles import accept_article, change_article, delete_article
from services.ingest.actions.common import (
    EXPIRE,
    RELEASE,
    AddressFixed,
    ArticleNotFound,
    Held,
    RevisionNotFound,
    SlugTaken,
    Wanted,
    public_form,
    read_article,
)
from services.ingest.actions.moves import (
    cancel_article,
    expire_article,
    kill_article,
    publish_article,
    release_article,
    restore_revision,
    retract_article,
)
from services.ingest.actions.progress import note_progress
from services.ingest.actions.replay import REPLAY, ask_for_replay, say_again
from services.ingest.actions.reports import report_kill

__all__ = [
    "EXPIRE",
    "RELEASE",
    "REPLAY",
    "AddressFixed",
    "ArticleNotFound",
    "Held",
    "RevisionNotFound",
    "SlugTaken",
    "Wanted",
    "accept_article",
    "ask_for_replay",
    "cancel_article",
    "change_article",
    "delete_article",
    "expire_article",
    "kill_article",
    "note_progress",
    "public_form",
    "publish_article",
    "read_article",
    "release_article",
    "report_kill",
    "restore_revision",
    "retract_article",
    "say_again",
]
