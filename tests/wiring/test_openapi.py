"""The API description that is served is the one that the code makes."""

from rotative.openapi import FILE, describe_all, to_text


def test_the_written_description_is_current():
    assert FILE.read_text("utf-8") == to_text(describe_all()), "run `make openapi`"
