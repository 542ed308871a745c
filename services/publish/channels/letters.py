"""Mails as they are sent: a text and an HTML half, in the reader's language, with a way out in every one of them."""

from __future__ import annotations

import email.policy
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from html import escape
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel.dates import format_date

from services.publish.channels.readers import CONFIRMATION
from services.publish.channels.words import words_for
from services.publish.transports import Letter
from shared.newsroom import Newsroom

# Gmail cuts longer ones off.
MOST_HTML = 100_000
_POLICY = email.policy.SMTP.clone(max_line_length=78)
_BLANKS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")

_SERIF = "Georgia,'Times New Roman',serif"
_BODY = f"margin:0;padding:24px 12px;background:#f4efe6;color:#16191d;font:16px/1.55 {_SERIF}"
_SHEET = "max-width:600px;margin:0 auto;background:#fffdf9;border:1px solid #d9d2c5;padding:28px"
_NAME = f"margin:0 0 20px;font:700 26px/1.2 {_SERIF}"
_H1 = f"margin:0 0 18px;font:700 20px/1.35 {_SERIF}"
_H2 = f"margin:0 0 4px;font:700 18px/1.35 {_SERIF}"
_P = "margin:0 0 14px"
_SOFT = "margin:24px 0 0;padding-top:14px;border-top:1px solid #d9d2c5;color:#55585e;font:13px/1.5 Arial,sans-serif"
_LINK = "color:#16191d"
_BUTTON = "display:inline-block;background:#16191d;color:#fffdf9;padding:10px 18px;text-decoration:none"
_MARK = "color:#a8371b;font:700 13px/1.5 Arial,sans-serif;margin:0 0 6px"


class Letters:
    """Writes mails. token: (purpose, subscription id) -> what lets its owner do this with it."""

    def __init__(self, newsroom: Newsroom, sender: str, token: Any) -> None:
        self._newsroom = newsroom
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
        message = self._message(letter.to, words["confirm_subject"].format(name=name), str(letter.delivery_id), now)
        message["Content-Language"] = language
        message.set_content(f"{ask}\n\n{link}\n\n{ignore}\n")
        parts = [
            f'<p style="{_P}">{escape(ask)}</p>',
            f'<p style="{_P}"><a href="{escape(link)}" style="{_BUTTON}">{escape(words["confirm_button"])}</a></p>',
            f'<p style="{_SOFT}">{escape(ignore)}</p>',
        ]
        message.add_alternative(self._sheet(language, words["confirm_title"], parts), subtype="html")
        return message.as_bytes()

    def _flash(self, letter: Letter, language: str, content: Mapping[str, Any], now: datetime) -> bytes:
        words = words_for(language)
        headline, summary = _line(content["headline"]), _line(content["note"] or content["summary"])
        lines = [words["flash_label"], "", headline, "", summary, "", content["url"]]
        parts = [
            f'<p style="{_MARK}">{escape(words["flash_label"])}</p>',
            f'<h1 style="{_H1}"><a href="{escape(content["url"])}" style="{_LINK}">{escape(headline)}</a></h1>',
            f'<p style="{_P}">{escape(summary)}</p>',
            f'<p style="{_P}"><a href="{escape(content["url"])}" style="{_BUTTON}">{escape(words["read_on"])}</a></p>',
        ]
        subject = f"{words['flash_label']} – {headline}"
        return self._to_reader(letter, language, subject, lines, parts, now)

    def _digest(self, letter: Letter, language: str, content: Mapping[str, Any], now: datetime) -> bytes:
        words = words_for(language)
        name = self._newsroom.name_in(language)
        day = _day(date.fromisoformat(content["day"]), language)
        intro = words["digest_intro"].format(date=day)
        lines = [intro, ""]
        parts = [f'<h1 style="{_H1}">{escape(intro)}</h1>']
        size = 0
        for entry in content["entries"]:
            headline, summary, url = _line(entry["headline"]), _line(entry["summary"]), entry["url"]
            part = (
                f'<h2 style="{_H2}"><a href="{escape(url)}" style="{_LINK}">{escape(headline)}</a></h2>'
                f'<p style="{_P}">{escape(summary)}</p>'
            )
            size += len(part.encode())
            if size > MOST_HTML - 10_000:
                break
            lines += [headline, summary, url, ""]
            parts.append(part)
        if content["removed"]:
            lines += [f"{words['digest_removed']}:", *(f"- {_line(one)}" for one in content["removed"]), ""]
            items = "".join(f"<li>{escape(_line(one))}</li>" for one in content["removed"])
            parts.append(f'<h2 style="{_H2}">{escape(words["digest_removed"])}</h2><ul style="{_P}">{items}</ul>')
        return self._to_reader(letter, language, words["digest_subject"].format(name=name, date=day), lines, parts, now)

    def _to_reader(
        self, letter: Letter, language: str, subject: str, lines: Sequence[str], parts: list[str], now: datetime
    ) -> bytes:
        words = words_for(language)
        name = self._newsroom.name_in(language)
        token = self._token("leave", letter.subscription_id)
        leave = self._newsroom.url(f"/newsletter/leave/{letter.subscription_id}/{token}")
        why = words["why_you"].format(name=name)
        message = self._message(letter.to, subject, str(letter.delivery_id), now)
        message["Content-Language"] = language
        message["List-Id"] = f"{_line(name)} <letter-{language.lower()}.{self._host}>"
        # One click, without a page in between (RFC 8058); both must be under the relay's DKIM signature.
        message["List-Unsubscribe"] = f"<{leave}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content("\n".join([*lines, "", "--", why, f"{words['leave_link']}: {leave}", ""]))
        small = f'{escape(why)} <a href="{escape(leave)}" style="color:#55585e">{escape(words["leave_link"])}</a>'
        parts = [*parts, f'<p style="{_SOFT}">{small}</p>']
        message.add_alternative(self._sheet(language, subject, parts), subtype="html")
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

    def _sheet(self, language: str, title: str, parts: Sequence[str]) -> str:
        direction = self._newsroom.direction(language)
        name = escape(self._newsroom.name_in(language))
        front = escape(self._newsroom.url(self._newsroom.front_path(language)))
        align = "right" if direction == "rtl" else "left"
        return (
            f'<!doctype html>\n<html lang="{language}" dir="{direction}">\n<head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(title)}</title></head>\n"
            f'<body style="{_BODY}" dir="{direction}">\n'
            f'<div style="{_SHEET};text-align:{align}">\n'
            f'<p style="{_NAME}"><a href="{front}" style="{_LINK};text-decoration:none">{name}</a></p>\n'
            + "\n".join(parts)
            + "\n</div>\n</body>\n</html>\n"
        )


def _line(text: str) -> str:
    """On one line, without anything that could end a header."""
    return _BLANKS.sub(" ", text).strip()


def _day(day: date, language: str) -> str:
    return str(format_date(day, format="long", locale=language.replace("-", "_")))
