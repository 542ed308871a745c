"""A few journeys through the embedded system, as editors, readers and operators make them."""

import json
import socket
import sqlite3
import stat
from xml.etree import ElementTree

import httpx
import psutil
import pytest

from shared.newsroom import DEFAULT_FILE
from tests.e2e.conftest import gone, wait_for

# Two articles on one subject, each in words of its own: copies are not offered beside one another.
REOPENED = (
    "Le pont suspendu rouvre aux tramways",
    "Après six mois de travaux, le pont suspendu de la ville a rouvert ce matin aux tramways. Les piles ont été "
    "consolidées, et la ligne passe de nouveau au-dessus de la lagune toutes les dix minutes.",
)
FIRST_DAY = (
    "Les tramways de retour sur le pont suspendu, récit d’une première journée",
    "Trois mille voyageurs ont traversé la lagune hier. Beaucoup étaient venus pour le plaisir de revoir le pont "
    "suspendu, et les commerçants du quai espèrent que les tramways leur rendront leurs clients.",
)


def article(story: tuple[str, str], **others: object) -> dict[str, object]:
    headline, text = story
    return {
        "headline": headline,
        "standfirst": "Les tramways traversent de nouveau la lagune.",
        "body": {"format": "text", "text": text},
        "language": "fr",
        "section": "societe",
        "status": "live",
        **others,
    }


def post(system, story: tuple[str, str], **others: object) -> dict[str, object]:
    with system.http() as client:
        answer = client.post("/v1/articles", json=article(story, **others))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def shows(system, path: str, *texts: str) -> bool:
    answer = httpx.get(f"{system.url}{path}", timeout=20)
    return answer.status_code == 200 and all(text in answer.text for text in texts)


def path_of(one: dict[str, object]) -> str:
    return httpx.URL(str(one["url"])).path


def test_an_accepted_article_is_live_linked_both_ways_and_in_the_feed(start):
    system = start().wait_until_ready()

    first = post(system, REOPENED)
    second = post(system, FIRST_DAY)

    wait_for(lambda: shows(system, path_of(first), REOPENED[0], REOPENED[1][-40:]), "the page")
    wait_for(lambda: shows(system, path_of(second), "Les tramways de retour"), "the second page")
    wait_for(lambda: shows(system, path_of(second), path_of(first)), "the link to the older article")
    wait_for(lambda: shows(system, path_of(first), path_of(second)), "the link from the older article")
    wait_for(lambda: shows(system, "/", path_of(first), path_of(second)), "the front page")
    wait_for(lambda: shows(system, "/societe/", path_of(first), path_of(second)), "the section")
    wait_for(lambda: shows(system, "/feed.xml", str(first["url"]), str(second["url"])), "the feed")
    feed = ElementTree.fromstring(httpx.get(f"{system.url}/feed.xml").content)
    assert [item.findtext("title") for item in feed.iter("item")] == [
        FIRST_DAY[0],
        REOPENED[0],
    ]

    def steps() -> set[str]:
        with system.http() as client:
            items = client.get(f"/v1/articles/{first['id']}/timeline").json()["items"]
        return {item["step"] for item in items}

    wait_for(lambda: {"accepted", "related_set_made", "page_written", "seen_live"} <= steps(), "the whole timeline")


def test_a_killed_article_leaves_the_site(start):
    system = start().wait_until_ready()
    kept = post(system, REOPENED)
    killed = post(system, FIRST_DAY)
    wait_for(lambda: shows(system, path_of(kept), path_of(killed)), "the link between them")
    wait_for(lambda: shows(system, "/", path_of(killed)), "the front page")

    with system.http() as client:
        assert client.post(f"/v1/articles/{killed['id']}/kill", json={"reason": "Source error"}).status_code == 200

    wait_for(lambda: httpx.get(system.url + path_of(killed)).status_code == 410, "the tombstone")
    for place in ("/", "/societe/", "/feed.xml", path_of(kept)):
        wait_for(lambda place=place: path_of(killed) not in httpx.get(system.url + place).text, f"{place} without it")


def test_a_restart_finds_everything_and_ctrl_c_leaves_nothing_behind(start, data_dir):
    system = start().wait_until_ready()
    one = post(system, REOPENED)
    wait_for(lambda: shows(system, path_of(one), "Le pont suspendu"), "the page")
    wait_for(lambda: shows(system, "/", path_of(one)), "the front page")
    key, processes = system.key, system.processes()

    system.interrupt()

    assert system.process.returncode == 0
    assert system.said[-1] == "Stopped."
    assert gone(processes)
    assert not (data_dir / "url").exists()
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE((data_dir / "admin.key").stat().st_mode) == 0o600

    again = start().wait_until_ready()

    assert again.key == key
    assert shows(again, path_of(one), "Le pont suspendu")
    assert shows(again, "/", path_of(one))
    with again.http() as client:
        assert [item["id"] for item in client.get("/v1/articles").json()["items"]] == [one["id"]]


def test_nothing_stays_when_the_system_is_killed_and_it_starts_again_at_once(start):
    system = start().wait_until_ready()
    one = post(system, REOPENED)
    processes = system.processes()

    system.process.kill()
    system.process.wait(10)
    again = start().wait_until_ready()

    assert gone(processes)
    wait_for(lambda: shows(again, path_of(one), "Le pont suspendu"), "the article accepted before the kill")


@pytest.mark.parametrize("name", ["rot-web", "rot-worker-1", "rot-index", "rot-deliver", "valkey-server"])
def test_every_kind_of_process_comes_back_after_kill_9(start, name):
    system = start().wait_until_ready()
    victims = system.named(name)
    assert victims

    for victim in victims:
        victim.kill()
    one = wait_for(lambda: _posted(system), "an article to be accepted")

    wait_for(lambda: shows(system, path_of(one), "Le pont suspendu"), "the page")
    wait_for(lambda: system.named(name), "the process to be there")


def _posted(system) -> dict[str, object] | None:
    try:
        return post(system, REOPENED)
    except httpx.TransportError:
        return None  # cut off in mid-answer; the tests of Idempotency-Key are elsewhere


def test_the_demo_newspaper_is_posted_once(start):
    system = start("--demo").wait_until_ready()
    wait_for(
        lambda: any(line.startswith("The demo newspaper is in place: 61") for line in system.said), "the demo", 120
    )

    again = system.run("demo")

    assert again.returncode == 0, again.stderr
    assert "0 articles posted, 61 were there already" in again.stdout
    for place in ("/", "/en/", "/ar/"):
        wait_for(lambda place=place: shows(system, place, "<article"), place)
    assert system.run("verify").returncode == 0
    assert system.run("dead", "list").stdout == "No dead letters.\n"
    assert "publish" in system.run("status").stdout
    assert not any(line.startswith(("web ", "worker-", "index ", "deliver ")) for line in system.said)


def test_a_file_is_posted_and_followed_to_live(start, tmp_path):
    system = start().wait_until_ready()
    good, bad = tmp_path / "good.md", tmp_path / "bad.json"
    good.write_text("---\nheadline: Le pont rouvre\nlanguage: fr\nsection: societe\n---\n\nUn **pont**.\n")
    bad.write_text('{"headline": "", "colour": "red"}')

    result = system.run("post", str(good), str(bad))

    assert result.returncode == 1
    assert "live after" in result.stdout
    assert "seen live" in result.stdout
    assert "/headline: " in result.stderr
    assert "/colour: " in result.stderr


def test_the_curl_line_it_prints_posts_an_article(start):
    import subprocess

    system = start().wait_until_ready()
    line = next(line for line in system.said if line.strip().startswith("curl "))

    answer = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)

    assert '"live"' in answer.stdout


def test_a_taken_port_is_a_sentence(start, data_dir):
    system = start().wait_until_ready()
    import subprocess

    from tests.e2e.conftest import COMMAND, environment

    other = subprocess.run(
        [COMMAND, "up", "--port", str(system.port), "--data", str(data_dir.with_name("other"))],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
    )
    same = subprocess.run(
        [COMMAND, "up", "--port", str(system.port), "--data", str(data_dir)],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
    )

    assert (other.returncode, other.stdout) == (1, "")
    assert (
        other.stderr
        == f"Port {system.port} is taken by another program. Stop that one, or choose another port with --port.\n"
    )
    assert same.returncode == 1
    assert "already runs on the data folder" in same.stderr


def refused(start, **variables: str) -> tuple[int, str]:
    """The exit code and the words of a system that does not start."""
    system = start(**variables)
    system.process.wait(60)
    system.interrupt()
    assert "Traceback" not in "\n".join(system.said)
    return system.process.returncode, "\n".join(system.said)


def test_a_data_folder_that_cannot_be_written_is_a_sentence(start, data_dir):
    data_dir.write_text("a file")

    assert refused(start) == (
        1,
        f"The data folder {data_dir} cannot be written: File exists. Choose another with --data.",
    )


def test_a_database_newer_than_the_program_is_a_sentence(start, data_dir):
    start().wait_until_ready().interrupt()
    with sqlite3.connect(data_dir / "publish.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")

    code, words = refused(start)

    assert code == 1
    assert words.startswith("The database of publish is at revision 9999, made by a newer version of Rotative")


def test_a_broken_newsroom_file_and_setting_are_named_with_what_they_should_be(start, tmp_path):
    file = tmp_path / "newsroom.toml"
    file.write_text('name = "A"\nlanguages = ["fr"]\ntime_zone = "Mars/Olympus"\n')

    code, words = refused(start, ROTATIVE_NEWSROOM=str(file))
    wrong_code, wrong_words = refused(start, ROTATIVE_RETENTION_DAYS="soon")

    assert code == wrong_code == 2
    assert f"{file}: time_zone: should be a zone" in words
    assert f"{file}: sections: should be" in words
    assert wrong_words.startswith("ROTATIVE_RETENTION_DAYS should be a number")


@pytest.mark.parametrize("chunk", [b"zz\r\n{}\r\n", b"2\r\n{}XX0\r\n\r\n"])
def test_a_malformed_body_is_refused_and_harms_nobody(start, chunk):
    system = start().wait_until_ready()
    head = (
        f"POST /v1/articles HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {system.key}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )

    with socket.create_connection(("127.0.0.1", system.port), 10) as line:
        line.sendall(head.encode() + chunk)
        answer = b"".join(iter(lambda: line.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 400"), answer[:200]
    assert b"application/problem+json" in answer
    assert post(system, REOPENED)


def test_a_batch_that_breaks_off_says_where(start):
    system = start().wait_until_ready()
    body = {"format": "text", "text": "Le pont du port a rouvert ce matin."}
    line = json.dumps({"headline": "Le pont", "section": "societe", "body": body}).encode() + b"\n"
    head = (
        f"POST /v1/articles/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {system.key}\r\n"
        f"Content-Type: application/x-ndjson\r\nContent-Length: {len(line) + 50}\r\nConnection: close\r\n\r\n"
    )

    with socket.create_connection(("127.0.0.1", system.port), 10) as connection:
        connection.sendall(head.encode() + line)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
    assert b'"status": 201' in answer
    assert b"broke off" in answer


def test_missing_pages_are_named(start, tmp_path):
    file = tmp_path / "newsroom.toml"
    file.write_text(DEFAULT_FILE.read_text("utf-8").replace('pages = "pages"', 'pages = "nowhere"'), "utf-8")

    code, said = refused(start, ROTATIVE_NEWSROOM=str(file))

    assert code == 2
    assert "nowhere should be a folder" in said


def test_a_broken_theme_is_named_everywhere_and_the_site_stands(start, tmp_path):
    templates = tmp_path / "theme" / "templates"
    templates.mkdir(parents=True)
    (templates / "article.html").write_text("{% block main %}")
    system = start(ROTATIVE_THEME=str(tmp_path / "theme")).wait_until_ready()

    assert "article.html, line 1" in "\n".join(system.said)
    wait_for(lambda: "article.html, line 1" in system.run("dead", "list").stdout, "the dead letter")
    assert "article.html, line 1" in system.run("status").stdout
    body = {
        "headline": "Le pont",
        "section": "societe",
        "status": "live",
        "body": {"format": "text", "text": "Ouvert."},
    }
    with system.http() as http:
        url = http.post("/v1/articles", json=body).json()["url"]
        wait_for(lambda: "Le pont" in http.get(url).text, "the article, in the built-in theme")

        (templates / "article.html").unlink()
        (templates / "footer.html").write_text("<footer>Imprimé à Valbourg</footer>")

        wait_for(lambda: "Imprimé à Valbourg" in http.get(url).text, "the mended theme on the page")
    wait_for(lambda: "article.html" not in system.run("dead", "list").stdout, "the dead letter to be gone")


def test_flower_answers_on_this_machine_only(data_dir):
    from tests.e2e.conftest import System

    system = System(data_dir)
    try:
        system.wait_until_ready()
        url = next(line.split()[1] for line in system.said if line.strip().startswith("Flower"))

        assert url.startswith("http://127.0.0.1:")
        wait_for(lambda: _answers(url), "Flower")
        [flower] = system.named("rot-flower")
        listening = [one.laddr.ip for one in flower.net_connections() if one.status == psutil.CONN_LISTEN]
        assert set(listening) == {"127.0.0.1"}
    finally:
        system.interrupt()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False
