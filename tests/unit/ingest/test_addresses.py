"""Former addresses in one form."""

from __future__ import annotations

import pytest

from services.ingest.domain.addresses import old_path
from services.ingest.domain.texts import BadText


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("/2019/03/pont-1/", "/2019/03/pont-1/"),
        ("/été", "/%C3%A9t%C3%A9"),
        ("/e\u0301te\u0301", "/%C3%A9t%C3%A9"),
        ("/%c3%a9t%C3%A9", "/%C3%A9t%C3%A9"),
        ("/%65t%65", "/ete"),
        ("/%E9t%E9", "/%E9t%E9"),
        ("/الجسر/1", "/%D8%A7%D9%84%D8%AC%D8%B3%D8%B1/1"),
        ("/a%2Fb/c", "/a%2Fb/c"),
        ("/a+b,c=(d)!.html", "/a+b,c=(d)!.html"),
    ],
)
def test_accents_and_other_scripts_are_percent_encoded(written: str, kept: str) -> None:
    assert old_path(written) == kept
    assert old_path(kept) == kept


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("été", "wrong-type"),
        ("//example.org/", "wrong-type"),
        ("/a//b", "wrong-type"),
        ("/a?b", "wrong-type"),
        ("/a#b", "wrong-type"),
        ("/a%zz", "wrong-type"),
        ("/a/./b", "wrong-type"),
        ("/a/%2e%2e/b", "wrong-type"),
        ("/a%00", "wrong-type"),
        ("/a;b", "wrong-type"),
        ("/%76%31/articles", "reserved"),
        ("/é" + "é" * 200, "too-long"),
    ],
)
def test_what_no_redirect_can_lead_from_is_refused(written: str, code: str) -> None:
    with pytest.raises(BadText) as refused:
        old_path(written)

    assert refused.value.code == code
