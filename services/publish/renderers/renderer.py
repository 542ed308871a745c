"""The renderer: one object that holds a newsroom and its theme, and turns views into finished pages and feeds.

Its methods are pure: the same arguments give the same bytes; threads may share a renderer. They stand by what they
write: `article_pages.py`, `list_pages.py`, `other_pages.py`, and in `fragments.py` what all of these share and keep.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from services.publish.renderers.article_pages import ArticlePages
from services.publish.renderers.fragments import Press
from services.publish.renderers.list_pages import ListPages
from services.publish.renderers.other_pages import OtherPages
from services.publish.renderers.static_pages import load_pages
from services.publish.renderers.theme import load_theme
from shared.newsroom import Newsroom


class Renderer(ArticlePages, ListPages, OtherPages):
    """Writes pages and feeds for one newsroom.

    theme_dirs: the newsroom's own folders, the strongest first; any file in them replaces the theme's of that name.
    forms: the formats of pictures, the best first, "jpg" last. hubs: WebSub's, named in feeds.
    letters: whether there is a newsletter to sign up for.
    Raises ThemeError if a theme cannot be used, and for an edition whose language has no labels; StaticPageError.
    """

    def __init__(
        self,
        newsroom: Newsroom,
        theme_dirs: Sequence[Path] = (),
        *,
        forms: Sequence[str] = ("webp", "jpg"),
        hubs: Sequence[str] = (),
        letters: bool = True,
    ) -> None:
        press = Press(
            newsroom=newsroom,
            theme=load_theme(theme_dirs, newsroom.languages, newsroom.name),
            pages=load_pages(newsroom),
            forms=tuple(forms),
            hubs=tuple(hubs),
            letters=letters,
        )
        super().__init__(press)
        self.version = _version(press)


def _version(press: Press) -> str:
    """Changes when pages of the same articles would: with the newsroom, the theme, or the code that writes them."""
    named = (press.newsroom, press.theme.digest, sorted(press.pages.items()), press.forms, press.hubs, press.letters)
    digest = hashlib.sha256(repr(named).encode())
    own = Path(__file__).parent
    for file in [
        *sorted(own.glob("*.py")),
        *(own.parent / name for name in ("channels/words.py", "lists.py", "pictures.py", "views.py")),
    ]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
