"""The API description that is served is the one that the code makes."""

from rotative.docs import to_html
from rotative.openapi import FILE, PAGE, describe_all, to_text


def test_the_written_description_is_current():
    description = describe_all()

    assert FILE.read_text("utf-8") == to_text(description), "run `make openapi`"
    assert PAGE.read_text("utf-8") == to_html(description), "run `make openapi`"
