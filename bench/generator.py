"""Articles out of nothing: three languages with words of their own, drawn as in real texts, in stories that go on.

Words are made of syllables and drawn by Zipf's law. A story has words and names that all its articles share, so that
there is something to relate. The same seed gives the same articles.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

SHARES = {"fr": 0.65, "ar": 0.2, "en": 0.15}
SECTIONS = ("international", "politique", "economie", "societe", "culture", "sport", "sciences", "opinions")

_VOCABULARY = 12_000
_STORIES_OPEN = 60
_ARTICLES_A_STORY = 9
_STORY_WORDS = 14
_OF_STORY = 0.14  # of an article's words

_SYLLABLES = {
    "fr": "ba bre can che dé é fou gra in jou la li mai né on par qué ra ré sou ta tri va vrai ment tion age eur ette",
    "en": "an be con de er fal gre hou in ker lo man ness or pel qui rea sto tle un ver wa yar ing ed ship ful ly ther",
    "ar": "با تر جد حل خر در رس زم سل شم صر ضف طل عم غن فر قد كت لم من نه ها وس يد ال مو تي ون ات ير",
}
_SMALL_WORDS = {
    "fr": "le la les de des du un une et à en dans que qui pour sur par est ont a son avec plus ce se au",
    "en": "the of and to in a is that for on with as was it by has from at are be this have its an",
    "ar": "في من على إلى أن التي الذي عن مع هذا هذه كان قد لا ما بعد قبل بين كل أو",
}


@dataclass(frozen=True)
class _Story:
    section: str
    words: tuple[str, ...]
    names: tuple[str, ...]


class _Language:
    """One language's words and the stories that are open in it."""

    def __init__(self, code: str, chance: random.Random) -> None:
        self.code = code
        self._chance = chance
        syllables = _SYLLABLES[code].split()
        made: dict[str, None] = {}
        while len(made) < _VOCABULARY:
            made["".join(chance.choices(syllables, k=chance.choice((2, 2, 3, 3, 4))))] = None
        self._words = _SMALL_WORDS[code].split() + list(made)
        self._weights = list(itertools.accumulate(1 / (rank + 2.7) for rank in range(len(self._words))))
        self._stories = [self._new_story() for _ in range(_STORIES_OPEN)]

    def _new_story(self) -> _Story:
        content = self._words[200:]
        words = tuple(self._chance.sample(content, _STORY_WORDS))
        names = tuple(" ".join(word.capitalize() for word in self._chance.sample(content, 2)) for _ in range(3))
        return _Story(self._chance.choice(SECTIONS), words, names)

    def story(self) -> _Story:
        """An open story; now and then one ends and another begins."""
        place = self._chance.randrange(_STORIES_OPEN)
        if self._chance.random() < 1 / _ARTICLES_A_STORY:
            self._stories[place] = self._new_story()
        return self._stories[place]

    def words(self, story: _Story, count: int) -> list[str]:
        """So many words of an article of this story."""
        drawn = self._chance.choices(self._words, cum_weights=self._weights, k=count)
        own = self._chance.choices((*story.words, *story.names), k=count)
        return [own[at] if self._chance.random() < _OF_STORY else word for at, word in enumerate(drawn)]


def articles(seed: int = 1) -> Iterator[dict[str, Any]]:
    """Bodies for POST /v1/articles without a status, for ever: headline, standfirst, body (HTML), language, section."""
    chance = random.Random(seed)
    languages = {code: _Language(code, chance) for code in SHARES}
    for number in itertools.count(1):
        language = languages[chance.choices(list(SHARES), list(SHARES.values()))[0]]
        story = language.story()
        length = min(2500, max(60, int(chance.lognormvariate(5.5, 0.6))))
        yield {
            "headline": _sentence(language.words(story, chance.randint(5, 11))).rstrip(".") + f" {number}",
            "standfirst": _sentence(language.words(story, chance.randint(12, 30))),
            "body": {"format": "html", "text": _html(_sentences(language.words(story, length), chance), chance)},
            "language": language.code,
            "section": story.section,
        }


def _sentence(words: Sequence[str]) -> str:
    text = " ".join(words)
    return f"{text[:1].upper()}{text[1:]}."


def _sentences(words: Sequence[str], chance: random.Random) -> list[str]:
    made = []
    at = 0
    while at < len(words):
        length = chance.randint(8, 26)
        made.append(_sentence(words[at : at + length]))
        at += length
    return made


def _html(sentences: Sequence[str], chance: random.Random) -> str:
    parts = []
    at = 0
    while at < len(sentences):
        count = chance.randint(2, 4)
        text = " ".join(sentences[at : at + count])
        at += count
        kind = chance.random()
        if kind < 0.08:
            parts.append(f"<blockquote><p>{text}</p></blockquote>")
        elif kind < 0.16:
            parts.append(f"<h2>{sentences[at - count].rstrip('.')}</h2><p>{text}</p>")
        else:
            parts.append(f"<p>{text}</p>")
    return "\n".join(parts)
