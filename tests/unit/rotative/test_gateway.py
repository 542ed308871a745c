import pytest
from werkzeug.test import Client

from rotative.gateway import Gateway, join_metrics, owner_of


def app(name, ready=True):
    """A service that answers with its own name."""

    def answer(environ, start_response):
        ok = ready or environ["PATH_INFO"] != "/readyz"
        start_response("200 OK" if ok else "503 Service Unavailable", [("Content-Type", "text/plain")])
        return [name.encode()]

    return answer


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/", "publish"),
        ("/politique/un-article", "publish"),
        ("/v1/articles", "ingest"),
        ("/v1/articles/0199/kill", "ingest"),
        ("/v1/articlesque", "publish"),
        ("/v1/ingest/dead", "ingest"),
        ("/v1/related/0199", "recommend"),
        ("/v1/recommend/status", "recommend"),
        ("/v1/subscriptions", "publish"),
        ("/v1/publish/verify", "publish"),
        ("/v1/", "publish"),
        ("/articles", "publish"),
        ("/openapi.json", "publish"),
    ],
)
def test_each_path_goes_to_the_service_that_owns_it(path, owner):
    gateway = Gateway({name: app(name) for name in ("ingest", "recommend", "publish")})

    assert owner_of(path) == owner
    assert Client(gateway).get(path).text == owner


def test_the_process_is_ready_only_when_all_three_services_are():
    ready = Gateway({name: app(name) for name in ("ingest", "recommend", "publish")})
    half = Gateway({"ingest": app("ingest"), "recommend": app("recommend", ready=False), "publish": app("publish")})

    assert Client(ready).get("/readyz").status_code == 200
    assert Client(half).get("/readyz").status_code == 503
    assert Client(half).get("/").status_code == 200


def test_joined_metrics_declare_each_metric_once_with_all_its_samples():
    one = '# HELP up Whether\n# TYPE up gauge\nup{service="a"} 1\n# HELP only Mine\n# TYPE only gauge\nonly 3\n'
    two = '# HELP up Whether\n# TYPE up gauge\nup{service="b"} 0\n'

    assert join_metrics([one, two]).splitlines() == [
        "# HELP up Whether",
        "# TYPE up gauge",
        'up{service="a"} 1',
        'up{service="b"} 0',
        "# HELP only Mine",
        "# TYPE only gauge",
        "only 3",
    ]
