"""Pictures over HTTP: what is taken, what is kept, what is refused."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, IptcImagePlugin

from services.ingest import pictures
from shared.media import original_path
from tests.integration.ingest.conftest import Newsroom


def picture(kind: str = "JPEG", size: tuple[int, int] = (40, 20), **options: Any) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", size, (200, 30, 30))
    image.paste((30, 30, 200), (0, 0, size[0] // 2, size[1]))
    image.save(out, kind, **options)
    return out.getvalue()


def exif(orientation: int | None = None, placed: bool = False, artist: str = "") -> Image.Exif:
    made = Image.Exif()
    if orientation:
        made[0x0112] = orientation
    if artist:
        made[0x013B] = artist.encode()
    if placed:
        made.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0)})
    return made


def iptc(**datasets: str) -> bytes:
    """An APP13 segment with IPTC fields: byline (80), credit (110), copyright (116), caption (120)."""
    numbers = {"byline": 80, "credit": 110, "copyright": 116, "caption": 120}
    records = b"".join(
        struct.pack(">BBBH", 0x1C, 2, numbers[name], len(text.encode())) + text.encode()
        for name, text in datasets.items()
    )
    block = b"8BIM" + struct.pack(">H", 0x0404) + b"\0\0" + struct.pack(">I", len(records)) + records
    content = b"Photoshop 3.0\0" + block + (b"\0" if len(records) % 2 else b"")
    return b"\xff\xed" + struct.pack(">H", len(content) + 2) + content


def with_segment(jpeg: bytes, segment: bytes) -> bytes:
    return jpeg[:2] + segment + jpeg[2:]


def upload(newsroom: Newsroom, data: bytes, name: str = "pont.jpg", **fields: str) -> Any:
    form = {"alt": "Le pont du port", **fields}
    sent: dict[str, Any] = {key: value for key, value in form.items() if value is not None}
    return newsroom.client.post("/v1/media", data={**sent, "file": (io.BytesIO(data), name)}, headers=newsroom.headers)


def kept(newsroom: Newsroom, media: dict[str, Any]) -> bytes:
    return original_path(newsroom.node.settings.media_store, media["sha256"]).read_bytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF"])
def test_a_picture_is_known_by_its_content_and_kept_under_its_digest(newsroom: Newsroom, kind: str) -> None:
    data = picture(kind)

    answer = upload(newsroom, data, "wrong.txt")

    media = answer.get_json()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/v1/media/{media['id']}")
    assert (media["media_type"], media["width"], media["height"]) == (f"image/{kind.lower()}", 40, 20)
    assert (media["size"], media["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert kept(newsroom, media) == data
    assert newsroom.send("GET", f"/v1/media/{media['id']}").get_json() == media
    original = newsroom.send("GET", f"/v1/media/{media['id']}/original")
    assert (original.data, original.mimetype) == (data, media["media_type"])


def test_the_same_picture_again_is_the_one_that_is_there(newsroom: Newsroom) -> None:
    first = upload(newsroom, picture())
    again = upload(newsroom, picture(), alt="Autre chose")

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_json() == first.get_json()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_turned_picture_is_kept_upright_and_without_its_place(newsroom: Newsroom, kind: str) -> None:
    answer = upload(newsroom, picture(kind, exif=exif(orientation=6, placed=True, artist="Inès Maurel").tobytes()))

    media = answer.get_json()
    assert (answer.status_code, media["width"], media["height"]) == (201, 20, 40)
    with Image.open(io.BytesIO(kept(newsroom, media))) as image:
        assert image.size == (20, 40)
        assert 0x8825 not in image.getexif()
        assert image.getexif().get(0x0112, 1) == 1
        assert image.getexif()[0x013B].encode("latin-1").decode() == "Inès Maurel"
        red, _, blue = image.convert("RGB").getpixel((10, 2))  # type: ignore[misc]
        assert blue > red
    assert media["credit"] == "Inès Maurel"


def test_a_placed_upright_jpeg_loses_its_place_and_not_a_pixel(newsroom: Newsroom) -> None:
    data = with_segment(picture(exif=exif(placed=True).tobytes()), iptc(credit="AFP", caption="Le pont, fermé"))
    xmp = b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><rdf:Description exif:GPSLatitude="48,51.5N" a="b"/></x:xmpmeta>'
    data = with_segment(data, b"\xff\xe1" + struct.pack(">H", len(xmp) + 2) + xmp)

    media = upload(newsroom, data).get_json()

    stored = kept(newsroom, media)
    assert b"GPS" not in stored
    assert b'a="b"' in stored
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(stored)) as after:
        assert 0x8825 in before.getexif()
        assert 0x8825 not in after.getexif()
        assert before.tobytes() == after.tobytes()
        assert IptcImagePlugin.getiptcinfo(after) == IptcImagePlugin.getiptcinfo(before)
    assert (media["credit"], media["caption"]) == ("AFP", "Le pont, fermé")


def test_credit_and_caption_come_from_the_picture_unless_they_are_sent(newsroom: Newsroom) -> None:
    data = with_segment(picture(), iptc(byline="I. Maurel", credit="AFP", copyright="© AFP", caption="Sa légende"))

    own = upload(newsroom, data).get_json()
    sent = upload(newsroom, data[:-2] + b"\0\0\xff\xd9", caption="Autre", credit="").get_json()

    assert (own["credit"], own["copyright"], own["caption"]) == ("I. Maurel / AFP", "© AFP", "Sa légende")
    assert (sent["credit"], sent["caption"]) == ("", "Autre")


def test_credit_survives_turning(newsroom: Newsroom) -> None:
    data = with_segment(picture(exif=exif(orientation=8).tobytes()), iptc(credit="AFP", byline="Inès"))

    media = upload(newsroom, data).get_json()

    with Image.open(io.BytesIO(kept(newsroom, media))) as image:
        found: Any = IptcImagePlugin.getiptcinfo(image)
        assert found[2, 110] == b"AFP"


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it is huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 10_000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (bomb(60_000, 60_000), "too-many-pixels"),
        (bomb(8_000, 8_000), "too-many-pixels"),
        (bomb(1, 49_000_000), "too-many-pixels"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "no-picture"),
        (b"GIF89a<script>", "no-picture"),
        (b"", "no-picture"),
        (picture()[:300], "no-picture"),
        (b"\xff\xd8\xff\xe1\xff\xff" + b"\0" * 100, "no-picture"),
        (b"%PDF-1.7", "no-picture"),
        (b"BM" + b"\0" * 100, "no-picture"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_picture_or_built_to_harm_is_refused(newsroom: Newsroom, data: bytes, code: str) -> None:
    answer = upload(newsroom, data)

    assert (answer.status_code, [one["code"] for one in answer.get_json()["errors"]]) == (422, [code])
    store = newsroom.node.settings.media_store
    assert not store.exists() or not [one for one in store.rglob("*") if one.is_file()]


def test_a_file_that_is_too_large_is_413(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    assert upload(newsroom, b"\0" * (pictures.BYTES_MAX + 200_000)).status_code == 413
    assert upload(newsroom, b"\0" * (pictures.BYTES_MAX + 1)).status_code == 413


@pytest.mark.parametrize(
    "fields",
    [{"alt": ""}, {"alt": "a" * 1001}, {"decorative": "true"}, {"decorative": "yes"}, {"colour": "red"}],
    ids=repr,
)
def test_a_form_with_faults_is_refused(newsroom: Newsroom, fields: dict[str, str]) -> None:
    assert upload(newsroom, picture(), **fields).status_code == 422


def test_a_decorative_picture_needs_no_alt_and_other_requests_are_refused(newsroom: Newsroom) -> None:
    assert upload(newsroom, picture(), alt="", decorative="true").get_json()["decorative"] is True
    assert newsroom.send("POST", "/v1/media", {"file": "x"}).status_code == 415
    assert newsroom.client.post("/v1/media", data={"alt": "x"}, headers=newsroom.headers).status_code in (415, 422)
    missing = newsroom.send("GET", "/v1/media/01939c5e-0000-7000-8000-000000000000")
    assert missing.status_code == 404


def test_pictures_are_found_by_their_words_page_by_page(newsroom: Newsroom) -> None:
    ids = [upload(newsroom, picture(size=(10 + n, 10)), alt=f"Écluse {n}").get_json()["id"] for n in range(3)]
    upload(newsroom, picture(size=(50, 50)), alt="100 % coton")

    found = newsroom.send("GET", "/v1/media?q=ecluse&limit=2")
    older = newsroom.send("GET", found.headers["Link"].partition(">")[0].strip("<"))

    assert [one["id"] for one in found.get_json()["items"]] == [ids[2], ids[1]]
    assert [one["id"] for one in older.get_json()["items"]] == [ids[0]]
    assert len(newsroom.send("GET", "/v1/media?q=100+%25").get_json()["items"]) == 1
    assert newsroom.send("GET", "/v1/media?q=_").get_json()["items"] == []
    assert newsroom.send("GET", "/v1/media?q=" + "a" * 201).status_code == 422


def test_an_article_shows_an_uploaded_picture(newsroom: Newsroom) -> None:
    media = upload(newsroom, picture(), credit="AFP").get_json()

    article = newsroom.accepted(images=[{"media": media["id"]}])

    (image,) = newsroom.said()[0]["data"]["article"]["images"]
    assert (image["digest"], image["alt"], image["credit"]) == (media["sha256"], "Le pont du port", "AFP")
    assert article["images"][0]["media"] == media["id"]


@pytest.mark.parametrize("progressive", [False, True])
def test_what_lies_behind_the_end_of_a_jpeg_is_not_kept(newsroom: Newsroom, progressive: bool) -> None:
    first = picture(exif=exif(artist="Mira Sol").tobytes(), progressive=progressive)
    behind = picture(exif=exif(placed=True).tobytes())

    media = upload(newsroom, first + behind).get_json()

    assert kept(newsroom, media) == first


def test_several_pictures_in_one_file_are_the_first_one(newsroom: Newsroom) -> None:
    out = io.BytesIO()
    images = [
        Image.open(io.BytesIO(picture(size=size, exif=exif(placed=True).tobytes()))) for size in ((40, 20), (20, 10))
    ]
    images[0].save(out, "MPO", save_all=True, append_images=images[1:])

    media = upload(newsroom, out.getvalue()).get_json()

    assert (media["media_type"], media["width"]) == ("image/jpeg", 40)
    with Image.open(io.BytesIO(kept(newsroom, media))) as image:
        assert (image.format, getattr(image, "n_frames", 1)) == ("JPEG", 1)
        assert 0x8825 not in image.getexif()
