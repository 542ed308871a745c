import pytest

from rotative.openapi import Clash, merge


def described(path, **schemas):
    return {"paths": {path: {"get": {}}}, "components": {"schemas": schemas}, "tags": [{"name": path}]}


def test_descriptions_become_one():
    joined = merge(
        {"a": described("/v1/a", Error={"type": "object"}), "b": described("/v1/b", Error={"type": "object"})}
    )

    assert joined["openapi"].startswith("3.1")
    assert list(joined["paths"]) == ["/v1/a", "/v1/b"]
    assert list(joined["components"]["schemas"]) == ["Error"]
    assert [tag["name"] for tag in joined["tags"]] == ["/v1/a", "/v1/b"]


def test_a_path_or_a_schema_described_twice_differently_is_refused():
    with pytest.raises(Clash, match="/v1/a"):
        merge({"a": described("/v1/a"), "b": described("/v1/a")})
    with pytest.raises(Clash, match="Error"):
        merge({"a": described("/v1/a", Error={}), "b": described("/v1/b", Error={"type": "object"})})
