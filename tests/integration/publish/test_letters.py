"""Letters by mail through a real relay: double opt-in, flash, the daily digest, ways out, and a relay's answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from services.publish.app import create_app
from services.publish.channels import digests, readers, store, subscriptions
from services.publish.channels.digests import next_digest
from services.publish.errors import NotActive
from services.publish.kinds import MAKE_DIGEST
from services.publish.models import Article, Attempt, Delivery, Digest, Subscription
from services.publish.service import create_service
from services.publish.settings import PublishSettings
from shared import clock, jobs
from shared.events import Byline, Picture
from shared.ids import new_id
from shared.tables import jobs as jobs_table
from shared.tables import outbox as outbox_table
from tests.conftest import wait_for
from tests.factories import killed, public_article, published
from tests.integration.publish.browsers import Browser
from tests.integration.publish.house import House, deliver, let_time_pass, states, statuses
from tests.relays import Relay, relay

PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture(scope="module")
def post_office() -> Iterator[Relay]:
    with relay() as running:
        yield running


@pytest.fixture
def mail(post_office: Relay) -> Relay:
    post_office.got.clear()
    return post_office


@pytest.fixture
def house(
    database_of: Callable[[str], str], settings_for: Callable[..., PublishSettings], mail: Relay
) -> Iterator[House]:
    settings = settings_for(
        "publish",
        database_of("publish"),
        cls=PublishSettings,
        ROTATIVE_WEBHOOK_ALLOW="127.0.0.0/8",
        ROTATIVE_BASE_URL="https://journal.test",
        ROTATIVE_DIGEST_HOUR="00:00",
        ROTATIVE_SMTP_URL=mail.url,
        ROTATIVE_SMTP_PER_SECOND="200",
    )
    house = House(create_service(settings), settings)
    yield house
    house.node.close()


@pytest.fixture
def web(house: House) -> Iterator[FlaskClient]:
    app = create_app(house.node.settings)  # type: ignore[arg-type]
    yield app.test_client()
    app.extensions["rotative"].close()


def sign_up(web: FlaskClient, address: str, **wishes: Any) -> Any:
    form = {"address": address, "language": "fr", "daily": "1", **wishes}
    return web.post("/newsletter/", data=form)


def links(message: EmailMessage, word: str) -> str:
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    return re.search(rf"https://journal\.test(/newsletter/{word}/\S+)", text).group(1)  # type: ignore[union-attr]


def join(house: House, web: FlaskClient, mail: Relay, address: str, **wishes: Any) -> None:
    """Sign up and confirm."""
    assert sign_up(web, address, **wishes).status_code == 200
    deliver(house)
    (asked,) = wait_for(lambda: mail.to(address), f"a mail to {address}")  # type: ignore[misc]
    assert web.post(links(asked, "confirm")).status_code == 200
    mail.got.clear()


def make_digest(house: House) -> None:
    with house.node.unit_of_work() as session:
        jobs.add(session, MAKE_DIGEST, "fr", lane="deliver")
    deliver(house)
    deliver(house)
    assert house.publish.deliverer.drain(20)


def recent() -> dict[str, Any]:
    return {"first_published_at": clock.now(), "updated_at": clock.now()}


def test_nothing_is_sent_before_the_reader_confirms_and_a_scanner_confirms_nothing(
    house: House, web: FlaskClient, mail: Relay
) -> None:
    assert sign_up(web, "amira@lecteurs.test", flash="1").status_code == 200
    deliver(house)
    (asked,) = wait_for(lambda: mail.to("amira@lecteurs.test"), "the question")  # type: ignore[misc]
    assert "Confirmez" in asked["Subject"]
    house.hear(published(slug="un", urgency=1, **recent()))
    deliver(house)
    link = links(asked, "confirm")
    assert "<button" in web.get(link).text
    make_digest(house)
    assert len(mail.got) == 1

    assert web.post(link).status_code == 200
    assert web.post(link[:-3] + "abc").status_code == 404
    house.hear(published(slug="deux", urgency=1, **recent()))
    house.hear(published(slug="trois", urgency=2, **recent()))
    deliver(house)

    flashes = mail.to("amira@lecteurs.test")[1:]
    assert len(flashes) == 1
    assert "deux" in flashes[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("language", "direction", "word"),
    [("fr", "ltr", "désinscrire"), ("en", "ltr", "Unsubscribe"), ("ar", "rtl", "إلغاء")],
)
def test_a_flash_is_a_whole_letter_with_a_way_out_of_one_click(
    house: House, web: FlaskClient, mail: Relay, language: str, direction: str, word: str
) -> None:
    join(house, web, mail, "omar@lecteurs.test", flash="1", language=language)
    headline = "Le pont\u2028ferme : « fin »"
    house.hear(published(headline=headline, urgency=1, language=language, **recent()))
    deliver(house)

    (one,) = wait_for(lambda: mail.to("omar@lecteurs.test"), "the flash")  # type: ignore[misc]
    html = one.get_body(("html",)).get_content()  # type: ignore[union-attr]
    text = one.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert f'lang="{language}" dir="{direction}"' in html
    assert word in html
    assert word in text
    assert "<style" not in html
    assert one["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert one["Message-ID"].endswith("@journal.test>")
    assert one["From"] == '"Les Deux Rives" <lettre@example.org>' or "lettre@example.org" in one["From"]
    raw = dict(one.raw_items())["List-Unsubscribe"].strip()
    assert raw.startswith("<https://journal.test/newsletter/leave/"), "as it travels: encoded words are no address"
    leave = raw.strip("<>").removeprefix("https://journal.test")
    assert web.get(leave).status_code == 200
    with house.node.reading() as session:
        assert session.scalar(select(Subscription.status)) == "active"

    assert web.post(leave, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert web.post(leave, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    deliver(house)

    with house.node.reading() as session:
        for table in (Subscription, Delivery, Attempt):
            assert session.scalars(select(table.id)).all() == []


def test_the_daily_letter_tells_what_is_new_once_and_the_next_one_what_was_withdrawn(
    house: House, web: FlaskClient, mail: Relay
) -> None:
    join(house, web, mail, "lea@lecteurs.test")
    article = public_article(headline="Le pont ferme", **recent())
    house.hear(published(**vars(article)))
    house.hear(published(slug="importe", headline="Venu des archives", notify=False, **recent()))
    house.hear(
        published(slug="ancien", headline="De l'an dernier", first_published_at=clock.now() - timedelta(days=365))
    )
    make_digest(house)
    make_digest(house)
    (first,) = wait_for(lambda: mail.to("lea@lecteurs.test"), "the first letter")  # type: ignore[misc]
    text = first.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Le pont ferme" in text
    assert "Venu des archives" not in text
    assert "De l'an dernier" not in text

    house.hear(killed(**{**vars(article), "change": 2, "status": "killed", "body_html": ""}), lane="urgent")
    house.hear(published(slug="neuf", headline="Le pont rouvre", **recent()))
    with house.node.unit_of_work() as session:
        a_day = timedelta(days=1)
        for digest in session.scalars(select(Digest)):
            digest.day -= a_day
    make_digest(house)

    (_, second) = wait_for(lambda: len(mail.got) == 2 and mail.to("lea@lecteurs.test"), "the second letter")  # type: ignore[misc]
    text = second.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Le pont rouvre" in text
    assert "Retirés depuis notre dernière lettre\n- Le pont ferme" in "\n".join(text.splitlines())


def test_the_daily_letter_opens_with_its_most_urgent_article_and_its_picture(
    house: House, web: FlaskClient, mail: Relay
) -> None:
    join(house, web, mail, "amira@lecteurs.test")
    picture = Picture(
        media_id=new_id(), digest="ab" * 32, media_type="image/jpeg", width=1600, height=900, alt="Le pont, le soir"
    )
    house.hear(published(slug="calme", urgency=5, headline="Le calme", section="sport", **recent()))
    names = (Byline(name="Nadia Belkacem"), Byline(name="Hugo Lemaire"))
    house.hear(published(slug="vif", urgency=2, headline="Le vif", images=(picture,), bylines=names, **recent()))
    with house.node.unit_of_work() as session:
        session.execute(update(Article).where(Article.path == "/societe/vif").values(pictured=True))
    make_digest(house)

    (one,) = wait_for(lambda: mail.to("amira@lecteurs.test"), "the letter")  # type: ignore[misc]
    assert one["Content-Language"] == "fr"
    html = one.get_body(("html",)).get_content()
    assert html.index("Le vif") < html.index("Le calme")
    assert "Par Nadia Belkacem et Hugo Lemaire" in re.sub(r"</?bdi>", "", html)
    assert "Société" in html
    assert "Sport" in html
    (image,) = re.findall(r"<img[^>]*>", html)
    assert f'src="https://journal.test/media/ab/{"ab" * 32}/16x9-50-50-640.jpg"' in image
    assert 'width="536" height="302" alt="Le pont, le soir"' in image
    assert "<style" not in html


def plain(message: EmailMessage) -> str:
    return "\n".join(message.get_body(("plain",)).get_content().splitlines())  # type: ignore[union-attr]


def a_day_later(house: House) -> None:
    """Let what was made so far be of the day before."""
    with house.node.unit_of_work() as session:
        for digest in session.scalars(select(Digest)):
            digest.day -= timedelta(days=1)


def test_a_flash_is_not_told_again_to_who_got_it_and_its_end_is(house: House, web: FlaskClient, mail: Relay) -> None:
    join(house, web, mail, "deux@lecteurs.test", flash="1")
    join(house, web, mail, "matin@lecteurs.test")
    flash, calm = public_article(slug="vif", urgency=1, headline="Le vif", **recent()), {"slug": "calme"}
    gone = public_article(slug="faux", urgency=1, headline="Le faux", **recent())
    house.hear(published(**vars(flash)), published(**vars(gone)), published(**calm, headline="Le calme", **recent()))
    deliver(house)
    wait_for(lambda: len(mail.to("deux@lecteurs.test")) == 2, "two flashes")
    house.hear(killed(**{**vars(gone), "change": 2, "status": "killed", "body_html": ""}), lane="urgent")
    make_digest(house)

    wait_for(lambda: len(mail.got) == 4, "the letters of the day")
    mine, other = plain(mail.to("deux@lecteurs.test")[-1]), plain(mail.to("matin@lecteurs.test")[-1])
    assert ("Le vif" in mine, "Le calme" in mine, "Le faux" in mine) == (False, True, True)
    assert "Retirés depuis notre dernière lettre\n- Le faux" in mine
    assert ("Le vif" in other, "Le calme" in other, "Le faux" in other) == (True, True, False)

    # Told in yesterday's letter or as a flash, it is withdrawn for both, and once.
    a_day_later(house)
    house.hear(killed(**{**vars(flash), "change": 2, "status": "killed", "body_html": ""}), lane="urgent")
    make_digest(house)
    a_day_later(house)
    make_digest(house)
    wait_for(lambda: len(mail.got) == 6, "the letters of the next day")
    for reader in ("deux", "matin"):
        assert plain(mail.to(f"{reader}@lecteurs.test")[-1]).count("- Le vif") == 1
    assert len(mail.got) == 6


def test_who_was_paused_finds_in_his_next_letter_what_was_withdrawn_meanwhile(
    house: House, web: FlaskClient, mail: Relay
) -> None:
    join(house, web, mail, "lea@lecteurs.test", flash="1")
    told = public_article(slug="un", headline="Dit hier", **recent())
    flash = public_article(slug="deux", urgency=1, headline="Dit aussitôt", **recent())
    house.hear(published(**vars(told)), published(**vars(flash)))
    deliver(house)
    make_digest(house)
    wait_for(lambda: len(mail.got) == 2, "a flash and a letter")
    a_day_later(house)
    with house.node.unit_of_work() as session:
        (reader,) = session.scalars(select(Subscription)).all()
        subscriptions.pause(session, reader.id, clock.now())
    missed = public_article(slug="trois", headline="Jamais dit", **recent())
    house.hear(published(**vars(missed)))
    for one in (told, flash):
        house.hear(killed(**{**vars(one), "change": 2, "status": "killed", "body_html": ""}), lane="urgent")
    make_digest(house)
    house.hear(killed(**{**vars(missed), "change": 2, "status": "killed", "body_html": ""}), lane="urgent")
    with house.node.unit_of_work() as session:
        for digest in session.scalars(select(Digest)):
            digest.day -= timedelta(days=1)
        subscriptions.resume(session, reader.id, clock.now())
    house.hear(published(slug="quatre", headline="Nouveau", **recent()))
    make_digest(house)

    wait_for(lambda: len(mail.got) == 3, "the letter after the pause")
    text = plain(mail.got[-1][1])
    removed = text.partition("Retirés depuis notre dernière lettre\n")[2]
    assert [one in removed for one in ("- Dit hier", "- Dit aussitôt")] == [True, True]
    assert "Nouveau" in text


def test_a_sign_up_whose_address_is_refused_ends_and_is_forgotten(house: House, web: FlaskClient, mail: Relay) -> None:
    sign_up(web, f"refuse.{new_id().hex}@lecteurs.test")
    deliver(house)
    with house.node.unit_of_work() as session:
        (one,) = session.scalars(select(Subscription)).all()
        assert (one.status, one.why[:27]) == ("disabled", "the receiver answered 550: ")
        with pytest.raises(NotActive):
            subscriptions.resume(session, one.id, clock.now())
    with house.node.unit_of_work() as session:
        assert readers.forget_unconfirmed(session, clock.now() + timedelta(days=6), 10) == 0
        assert readers.forget_unconfirmed(session, clock.now() + timedelta(days=8), 10) == 1
    deliver(house)
    with house.node.reading() as session:
        for table in (Subscription, Delivery, Attempt):
            assert session.scalars(select(table.id)).all() == []


def test_a_day_without_news_has_no_letter(house: House, web: FlaskClient, mail: Relay) -> None:
    join(house, web, mail, "lea@lecteurs.test")
    make_digest(house)
    assert mail.got == []


def test_an_address_that_is_refused_for_good_gets_no_more_and_one_put_off_gets_its_letter_once(
    house: House, web: FlaskClient, mail: Relay
) -> None:
    mark = new_id().hex
    for name in ("refuse", "full", "defer", "vanish", "hangup", "ines"):
        assert sign_up(web, f"{name}.{mark}@lecteurs.test", flash="1").status_code == 200
    with house.node.unit_of_work() as session:
        session.execute(update(Subscription).values(status="active"))
        session.execute(update(Delivery).values(state="discarded"))
    article = public_article(urgency=1, **recent())
    house.hear(published(**vars(article)))
    deliver(house)
    wait_for(lambda: len(mail.got) >= 2, "the letters that are taken")

    with house.node.reading() as session:
        rows = session.execute(
            select(Subscription.url, Subscription.status, Delivery.state)
            .join(Delivery, Delivery.subscription_id == Subscription.id)
            .where(Delivery.type == "article.published")
        ).all()
    assert {row[0].partition(".")[0]: (row[1], row[2]) for row in rows} == {
        "refuse": ("disabled", "failed"),
        "full": ("active", "failed"),
        "defer": ("active", "due"),
        "vanish": ("active", "unknown"),
        # The whole message was on its way: whether it had been read to its end, only the relay knows.
        "hangup": ("active", "unknown"),
        "ines": ("active", "delivered"),
    }
    let_time_pass(house)
    deliver(house)
    assert len(mail.to(f"defer.{mark}@lecteurs.test")) == 1
    assert len(mail.to(f"vanish.{mark}@lecteurs.test")) == 1
    assert len(mail.to(f"ines.{mark}@lecteurs.test")) == 1
    assert "lecteurs.test" not in str(statuses(house))
    with house.node.reading() as session:
        assert not [one for one in session.scalars(select(Attempt.answer)) if "@lecteurs" in one]


def test_no_log_names_a_reader_whatever_the_relay_answers(
    house: House, web: FlaskClient, mail: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    names = ("amira", "refuse.lea", "defer.omar", "hangup.ines", "vanish.paul", "full.nour")
    for number, name in enumerate(names):
        assert sign_up(web, f"{name}@lecteurs.test", flash="1").status_code == 200
        with house.node.unit_of_work() as session:
            browser = Browser(f"http://127.0.0.1:9/endpoint-{number}").subscription()
            readers.take_push(
                session,
                endpoint=browser["endpoint"],
                **browser["keys"],
                language="fr",
                sections=[],
                urgency=1,
                reader=str(number),
                newsroom=house.publish.builder.newsroom,
                allow=house.node.settings.webhook_allow,  # type: ignore[attr-defined]
                now=clock.now(),
            )
    with house.node.unit_of_work() as session:
        session.execute(update(Subscription).values(status="active"))
    house.hear(published(slug="urgent", urgency=1, **recent()))
    for _ in range(3):
        let_time_pass(house)
        deliver(house)
    for _ in range(2):
        assert web.post("/newsletter/leave/0199f7d2-0000-7000-8000-000000000000/wrong").status_code == 404

    written = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "heard" in written
    for name in names:
        assert name not in written
    assert "lecteurs.test" not in written
    assert "endpoint-" not in written
    with house.node.reading() as session:
        answers = " ".join(session.scalars(select(Attempt.answer)))
        letters = " ".join(session.scalars(select(outbox_table.c.envelope)))
    assert "lecteurs.test" not in answers + letters


def test_a_relay_that_is_away_loses_no_letter(house: House, web: FlaskClient, mail: Relay) -> None:
    join(house, web, mail, "omar@lecteurs.test", flash="1")
    relay_of = house.node.settings.smtp  # type: ignore[attr-defined]
    object.__setattr__(relay_of, "port", 9)
    try:
        house.node.close()
        lost = House(create_service(house.node.settings), house.node.settings)  # type: ignore[arg-type]
        lost.hear(published(urgency=1, **recent()))
        deliver(lost)
        assert states(lost)[-1] == "due"
        lost.node.close()
    finally:
        object.__setattr__(relay_of, "port", mail.port)
    again = House(create_service(house.node.settings), house.node.settings)  # type: ignore[arg-type]
    let_time_pass(again)
    deliver(again)
    assert states(again)[-1] == "delivered"
    again.node.close()


def test_nobody_can_fill_a_mailbox_by_signing_it_up(house: House, web: FlaskClient, mail: Relay) -> None:
    answers = set()
    for address in ("victime@lecteurs.test", "victime+1@lecteurs.test", "VICTIME@lecteurs.test") * 2:
        answers.add(sign_up(web, address).text)
    deliver(house)
    assert len(answers) == 1
    assert len(mail.got) == 1
    for _ in range(5):
        with house.node.unit_of_work() as session:
            session.execute(update(Subscription).values(asked_at=clock.now() - timedelta(hours=2)))
        sign_up(web, "victime@lecteurs.test")
    deliver(house)
    assert len(mail.got) == readers.MOST_ASKED
    mail.got.clear()
    for address in ("le.a.mercier@gmail.com", "lea.mercier@gmail.com", "l.e.amercier+x@GoogleMail.com"):
        sign_up(web, address)
    deliver(house)
    assert len(mail.got) == 1
    assert sign_up(web, "robot@lecteurs.test", website="https://spam.test").status_code == 200
    deliver(house)
    assert mail.to("robot@lecteurs.test") == []


def test_an_address_that_was_refused_once_may_be_signed_up_again(house: House, web: FlaskClient, mail: Relay) -> None:
    def status() -> list[str]:
        with house.node.reading() as session:
            return list(session.scalars(select(Subscription.status)))

    join(house, web, mail, "lise.once@lecteurs.test", flash="1")
    with house.node.unit_of_work() as session:
        store.end_subscriptions(
            session, session.scalars(select(Subscription.id)), "disabled", "550 no such mailbox", clock.now()
        )
        session.execute(update(Subscription).values(asked_at=clock.now() - timedelta(hours=2)))
    assert status() == ["disabled"]

    sign_up(web, "lise.once@lecteurs.test")
    deliver(house)

    assert status() == ["pending"]
    (asked,) = mail.to("lise.once@lecteurs.test")
    assert web.post(links(asked, "confirm")).status_code == 200
    assert status() == ["active"]


@pytest.mark.parametrize(
    "address", ["", "personne", "a@b", "a@b.test\r\nBcc: c@d.test", "a b@c.test", "é" * 300 + "@c.test", "<a@b.test>"]
)
def test_what_is_no_address_is_refused_kindly(web: FlaskClient, address: str) -> None:
    answer = sign_up(web, address)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_who_asks_too_often_gets_a_page_and_a_program_a_problem(web: FlaskClient) -> None:
    for _ in range(20):
        assert sign_up(web, "").status_code == 422
    form = {"address": "", "language": "ar"}

    page = web.post("/newsletter/", data=form, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    problem = web.post("/newsletter/", data=form)

    assert (page.status_code, page.mimetype, page.headers["Retry-After"]) == (429, "text/html", "5")
    assert "لحظة من فضلك" in page.text
    assert (problem.status_code, problem.mimetype) == (429, "application/problem+json")


def test_a_sign_up_that_nobody_confirms_is_forgotten(house: House, web: FlaskClient) -> None:
    sign_up(web, "personne@lecteurs.test")
    with house.node.unit_of_work() as session:
        assert readers.forget_unconfirmed(session, clock.now() + timedelta(days=6), 10) == 0
        assert readers.forget_unconfirmed(session, clock.now() + timedelta(days=8), 10) == 1
    deliver(house)
    with house.node.reading() as session:
        assert session.scalars(select(Subscription.id)).all() == []


def test_one_digest_of_many_readers_is_owed_in_slices_and_once(
    house: House, mail: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "SLICE", 3)
    with house.node.unit_of_work() as session:
        for number in range(8):
            readers.sign_up(
                session,
                address=f"n{number}@lecteurs.test",
                language="fr",
                daily=number != 5,
                flash=True,
                reader=str(number),
                newsroom=house.publish.builder.newsroom,
                now=clock.now(),
            )
        session.execute(update(Subscription).values(status="active"))
        session.execute(update(Delivery).values(state="discarded"))
    house.hear(published(urgency=4, **recent()))
    make_digest(house)
    deliver(house)
    wait_for(lambda: len(mail.got) == 7, "seven letters")
    assert sorted(address for address, _ in mail.got) == [
        f"n{number}@lecteurs.test" for number in (0, 1, 2, 3, 4, 6, 7)
    ]
    with house.node.reading() as session:
        assert store.counts(session)["email", "delivered_total"] == 7


@pytest.mark.parametrize(
    ("after", "due"),
    [
        # Paris, summer and winter, and the days on which the clocks change: 29 March and 25 October 2026.
        ("2026-07-01T03:00+00:00", "2026-07-01T05:00+00:00"),
        ("2026-01-10T06:00+00:00", "2026-01-11T06:00+00:00"),
        ("2026-03-28T06:00+00:00", "2026-03-29T05:00+00:00"),
        ("2026-10-24T05:00+00:00", "2026-10-25T06:00+00:00"),
    ],
)
def test_the_letter_is_made_at_the_newsrooms_hour(after: str, due: str) -> None:
    assert next_digest(datetime.fromisoformat(after), time(7), PARIS) == datetime.fromisoformat(due)


def test_an_hour_that_a_clock_skips_or_repeats_comes_once() -> None:
    for day, hour in (
        (datetime(2026, 3, 28, 12, tzinfo=UTC), time(2, 30)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), time(2, 30)),
    ):
        first = next_digest(day, hour, PARIS)
        second = next_digest(first, hour, PARIS)
        assert first.astimezone(PARIS).date() < second.astimezone(PARIS).date()
        assert timedelta(hours=22) < second - first < timedelta(hours=26)


def test_the_next_letter_is_asked_for_once(house: House) -> None:
    newsroom = house.publish.builder.newsroom
    with house.node.unit_of_work() as session:
        digests.schedule(session, newsroom, time(7), clock.now())
        digests.schedule(session, newsroom, time(7), clock.now())
    with house.node.reading() as session:
        waiting = session.execute(
            select(jobs_table.c.reference, jobs_table.c.run_at).where(jobs_table.c.kind == MAKE_DIGEST)
        )
        rows = waiting.all()
    assert sorted(row[0] for row in rows) == sorted(newsroom.languages)
    assert all(row[1] > clock.now() for row in rows)


def test_a_readers_data_is_handed_out_and_erased_at_an_operators_word(
    house: House, web: FlaskClient, mail: Relay
) -> None:
    join(house, web, mail, "omar@lecteurs.test", flash="1")
    house.hear(published(urgency=1, **recent()))
    deliver(house)
    key = {"Authorization": "Bearer the-first-key-of-the-tests"}
    body = {"address": "Omar@lecteurs.test"}

    kept = web.post("/v1/publish/readers/export", json=body, headers=key).get_json()["kept"]
    assert kept["address"] == "omar@lecteurs.test"
    assert kept["wishes"] == {"languages": ["fr"], "urgency": 1, "daily": True}
    assert [one["type"] for one in kept["sent"]] == ["article.published", "subscription.confirm"]
    assert web.post("/v1/publish/readers/erase", json=body).status_code == 401
    assert web.post("/v1/publish/readers/erase", json=body, headers=key).status_code == 204
    deliver(house)

    assert web.post("/v1/publish/readers/export", json=body, headers=key).status_code == 404
    with house.node.reading() as session:
        for table in (Subscription, Delivery, Attempt):
            assert session.scalars(select(table.id)).all() == []


def a_moment(text: str) -> datetime:
    """An hour of Paris."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


class Days:
    """The daily letters of publish, its clock set by hand and its hour by an operator who starts it anew each time."""

    def __init__(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        self._house = house
        self._newsroom = replace(house.publish.builder.newsroom, time_zone=PARIS)
        self._monkeypatch = monkeypatch
        self.hour = time(7)

    def start(self, moment: str, hour: str) -> None:
        self.hour = time.fromisoformat(hour)
        now = a_moment(moment)
        self._monkeypatch.setattr(clock, "now", lambda: now)
        with self._house.node.unit_of_work() as session:
            digests.schedule(session, self._newsroom, self.hour, now)

    def run_until(self, moment: str) -> list[str]:
        """Do what is due until then for letters in French, each at its time; when they were made, in Paris."""
        db, end = self._house.node.db, a_moment(moment)
        mine = (jobs_table.c.kind == MAKE_DIGEST) & (jobs_table.c.reference == "fr") & (jobs_table.c.state == "ready")
        while True:
            with db.reading() as session:
                at = session.scalar(select(jobs_table.c.run_at).where(mine))
            now = max(at or end, clock.now())
            if at is None or now > end:
                break
            self._monkeypatch.setattr(clock, "now", lambda now=now: now)
            with db.unit_of_work() as session:
                claimed = jobs.claim(session, now=now, kinds=self._house.node.kinds, lane="deliver")
            fr = [job for job in claimed if job.reference == "fr"]
            digests.make_digests(jobs.Claim(db, fr), newsroom=self._newsroom, hour=self.hour)
        self._monkeypatch.setattr(clock, "now", lambda: end)
        with db.reading() as session:
            rows = session.scalars(select(Digest).where(Digest.language == "fr").order_by(Digest.made_at)).all()
        return [f"{row.made_at.astimezone(PARIS):%d %H:%M}" for row in rows]


@pytest.fixture
def days(house: House, monkeypatch: pytest.MonkeyPatch) -> Days:
    return Days(house, monkeypatch)


def test_a_later_hour_on_a_day_without_its_letter_is_waited_for(days: Days) -> None:
    days.start("2026-06-10T12:00", "07:00")
    days.start("2026-06-11T05:00", "18:00")
    assert days.run_until("2026-06-12T20:00") == ["11 18:00", "12 18:00"]


def test_a_later_hour_on_a_day_with_its_letter_begins_the_next_day(days: Days) -> None:
    days.start("2026-06-10T12:00", "07:00")
    assert days.run_until("2026-06-11T09:00") == ["11 07:00"]
    days.start("2026-06-11T09:00", "18:00")
    assert days.run_until("2026-06-12T20:00") == ["11 07:00", "12 18:00"]


def test_an_earlier_hour_that_is_still_ahead_is_that_days_hour(days: Days) -> None:
    days.start("2026-06-10T20:00", "18:00")
    days.start("2026-06-11T10:00", "12:00")
    assert days.run_until("2026-06-12T20:00") == ["11 12:00", "12 12:00"]


def test_an_earlier_hour_that_is_past_makes_the_days_letter_at_once(days: Days) -> None:
    days.start("2026-06-10T20:00", "18:00")
    days.start("2026-06-11T10:00", "07:00")
    assert days.run_until("2026-06-12T20:00") == ["11 10:00", "12 07:00"]


def test_a_letter_that_was_due_while_the_system_was_down_is_made_when_it_is_back(days: Days) -> None:
    days.start("2026-06-10T20:00", "07:00")
    days.start("2026-06-11T09:00", "07:00")
    assert days.run_until("2026-06-11T23:00") == ["11 09:00"]


def test_the_first_start_makes_no_letter_before_the_next_hour(days: Days) -> None:
    days.start("2026-06-10T10:00", "07:00")
    assert days.run_until("2026-06-10T23:00") == []


@pytest.mark.parametrize(
    ("day", "old", "new", "made"),
    [
        # The clocks go forward over 2:00–3:00 on 29 March 2026, and back over it on 25 October.
        ("2026-03-28", "07:00", "02:30", ["28 07:00", "29 03:30", "30 02:30"]),
        ("2026-03-28", "02:30", "07:00", ["28 02:30", "29 07:00", "30 07:00"]),
        ("2026-10-24", "07:00", "02:30", ["24 07:00", "25 02:30", "26 02:30"]),
        ("2026-10-24", "02:30", "07:00", ["24 02:30", "25 07:00", "26 07:00"]),
    ],
)
def test_the_hour_may_be_changed_over_a_change_of_the_clocks(
    days: Days, day: str, old: str, new: str, made: list[str]
) -> None:
    night = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
    days.start(f"{night}T20:00", old)
    days.run_until(f"{day}T23:00")
    days.start(f"{day}T23:00", new)
    last = (date.fromisoformat(day) + timedelta(days=2)).isoformat()
    assert days.run_until(f"{last}T23:00") == made
