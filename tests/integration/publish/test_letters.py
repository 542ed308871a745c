"""Letters by mail through a real relay: double opt-in, flash, the daily digest, ways out, and a relay's answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from services.publish.app import create_app
from services.publish.channels import digests, readers, store
from services.publish.channels.digests import next_digest
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
    assert sign_up(web, "robot@lecteurs.test", website="https://spam.test").status_code == 200
    deliver(house)
    assert mail.to("robot@lecteurs.test") == []


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
