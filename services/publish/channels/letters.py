"""Mails as they are sent: a text and an HTML half, in the reader's language, with a way out in every one of them."""

from __future__ import annotations

import email.policy
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date

from services.publish.channels.readers import CONFIRMATION
from services.publish.channels.words import words_for
from services.publish.renderers import Renderer
from services.publish.transports import Letter

# Gmail cuts off what is longer than 102 kB. An entry's markup, without its words, takes less than this.
MOST_HTML = 80_000
EACH_HTML = 2_000


class _Policy(email.policy.EmailPolicy):
    """SMTP's, but for the address of one click: folding would make encoded words of it, which are no address.

    Source: RFC 2369 section 2 and RFC 2047 section 5: such a header holds URLs in angle brackets as they are.
    """

    def fold(self, name: str, value: str) -> str:
        """A header as text."""
        return f"{name}: {value}{self.linesep}" if name == "List-Unsubscribe" else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        """A header as bytes."""
        return self.fold(name, value).encode() if name == "List-Unsubscribe" else super().fold_binary(name, value)


_POLICY = _Policy(linesep="\r\n", max_line_length=78)
_BLANKS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


class Letters:
    """Writes mails. token: (purpose, subscription id) -> what lets its owner do this with it."""

    def __init__(self, renderer: Renderer, sender: str, token: Callable[[str, UUID], str]) -> None:
        newsroom = self._newsroom = renderer.newsroom
        self._html = renderer.letter
        self._token = token
        name, address = parseaddr(sender)
        self.sender = address
        self._from = Address(_line(name or newsroom.name), addr_spec=address)
        self._host = urlsplit(newsroom.base_url).hostname or "localhost"

    def write(self, letter: Letter, now: datetime) -> bytes:
        """The message as it travels."""
        content: dict[str, Any] = json.loads(letter.body or "{}")
        language = letter.language or self._newsroom.default_language
        if letter.type == CONFIRMATION:
            return self._confirmation(letter, language, now)
        if letter.type == "digest.daily":
            return self._digest(letter, language, content, now)
        return self._flash(letter, language, content, now)

    def to_owner(self, contact: str, subject: str, text: str, message_id: str, now: datetime) -> bytes:
        """A plain note to the owner of a subscription."""
        message = self._message(contact, subject, message_id, now)
        message.set_content(text)
        return message.as_bytes()

    def _confirmation(self, letter: Letter, language: str, now: datetime) -> bytes:
        words = words_for(language)
        name = self._newsroom.name_in(language)
        token = self._token("confirm", letter.subscription_id)
        link = self._newsroom.url(f"/newsletter/confirm/{letter.subscription_id}/{token}")
        ask, ignore = words["confirm_text"].format(name=name), words["confirm_ignore"]
        subject = words["confirm_subject"].format(name=name)
        message = self._message(letter.to, subject, str(letter.delivery_id), now)
        message.set_content(f"{ask}\n\n{link}\n\n{ignore}\n")
        html = self._html(
            language,
            title=subject,
            heading=words["confirm_title"],
            text=ask,
            button=(words["confirm_button"], link),
            small=ignore,
        )
        message.add_alternative(html, subtype="html")
        # Setting a content takes such headers away.
        message["Content-Language"] = language
        return message.as_bytes()

    def _flash(self, letter: Letter, language: str, content: Mapping[str, Any], now: datetime) -> bytes:
        words = words_for(language)
        headline, summary = _line(content["headline"]), _line(content["note"] or content["summary"])
        lines = [words["flash_label"], "", headline, "", summary, "", content["url"]]
        return self._to_reader(
            letter,
            language,
            f"{words['flash_label']} – {headline}",
            lines,
            now,
            heading=words["flash_label"],
            entries=[{"headline": headline, "summary": summary, "url": content["url"]}],
            button=(words["read_on"], content["url"]),
        )

    def _digest(self, letter: Letter, language: str, content: Mapping[str, Any], now: datetime) -> bytes:
        words = words_for(language)
        name = self._newsroom.name_in(language)
        day = _day(date.fromisoformat(content["day"]), language)
        intro = words["digest_intro"].format(date=day)
        lines = [intro, ""]
        entries: list[dict[str, Any]] = []
        size = 0
        for entry in content["entries"]:
            headline, summary, url = _line(entry["headline"]), _line(entry["summary"]), entry["url"]
            size += len(f"{headline}{summary}{url}".encode()) + EACH_HTML
            if size > MOST_HTML:
                break
            lines += [headline, summary, url, ""]
            entries.append({**entry, "headline": headline, "summary": summary})
        removed = [_line(one) for one in content["removed"]]
        if removed:
            lines += [words["digest_removed"], *(f"- {one}" for one in removed), ""]
        subject = words["digest_subject"].format(name=name, date=day)
        return self._to_reader(letter, language, subject, lines, now, dateline=intro, entries=entries, removed=removed)

    def _to_reader(
        self, letter: Letter, language: str, subject: str, lines: Sequence[str], now: datetime, **shown: Any
    ) -> bytes:
        words = words_for(language)
        name = self._newsroom.name_in(language)
        token = self._token("leave", letter.subscription_id)
        leave = self._newsroom.url(f"/newsletter/leave/{letter.subscription_id}/{token}")
        why = words["why_you"].format(name=name)
        message = self._message(letter.to, subject, str(letter.delivery_id), now)
        message["List-Id"] = f"{_line(name)} <letter-{language.lower()}.{self._host}>"
        # One click, without a page in between (RFC 8058); both must be under the relay's DKIM signature.
        message["List-Unsubscribe"] = f"<{leave}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content("\n".join([*lines, "", "--", why, words["leave_link"], leave, ""]))
        html = self._html(language, title=_line(subject), small=why, leave=leave, **shown)
        message.add_alternative(html, subtype="html")
        # Setting a content takes such headers away.
        message["Content-Language"] = language
        return message.as_bytes()

    def _message(self, to: str, subject: str, message_id: str, now: datetime) -> EmailMessage:
        message = EmailMessage(policy=_POLICY)
        message["From"] = self._from
        message["To"] = Address(addr_spec=to)
        message["Subject"] = _line(subject)
        message["Date"] = format_datetime(now.astimezone(ZoneInfo("UTC")))
        message["Message-ID"] = f"<{message_id}@{self._host}>"
        message["Auto-Submitted"] = "auto-generated"
        return message


def _line(text: str) -> str:
    """On one line, without anything that could end a header."""
    return _BLANKS.sub(" ", text).strip()


def _day(day: date, language: str) -> str:
    return str(format_date(day, format="long", locale=language.replace("-", "_")))
