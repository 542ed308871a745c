"""The processes of the embedded system: what each of them runs, and in which order they stop."""

from __future__ import annotations

import gc
import importlib
import json
import os
import socket
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rotative import broker, processes
from rotative.parts import SERVICES, swept_node_of
from rotative.supervisor import Program

WEB_THREADS = 8
PLAN_VARIABLE = "ROTATIVE_PLAN"

# What several processes use is imported once, before they are forked; what only one uses, in that one.
SHARED_MODULES = (
    "celery.apps.worker",
    "celery.app.amqp",
    "celery.app.control",
    "celery.app.events",
    "celery.app.log",
    "celery.concurrency.solo",
    "celery.concurrency.thread",
    "celery.events.dispatcher",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.consumer.agent",
    "celery.worker.consumer.connection",
    "celery.worker.consumer.consumer",
    "celery.worker.consumer.control",
    "celery.worker.consumer.events",
    "celery.worker.consumer.gossip",
    "celery.worker.consumer.heart",
    "celery.worker.consumer.mingle",
    "celery.worker.consumer.tasks",
    "celery.worker.control",
    "celery.worker.pidbox",
    "celery.worker.strategy",
    "kombu.transport.redis",
    "sqlalchemy.dialects.sqlite",
    "gunicorn.app.base",
    "gunicorn.sock",
    "gunicorn.workers.gthread",
    "shared.sweeper",
    "shared.web_worker",
    # Not their tasks and workers: importing these ties a process to their service.
    "services.ingest.app",
    "services.ingest.service",
    "services.publish.app",
    "services.publish.service",
    "services.recommend.app",
    "services.recommend.service",
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What `up` decided before the first process starts.

    listener: descriptor of the bound socket of the site. redis: whether a server is to be started. flower_port: None
    without Flower. demo: post the demo newspaper if there is no article yet.
    """

    data_dir: Path
    port: int
    listener: int
    redis: bool
    flower_port: int | None
    demo: bool

    @property
    def url(self) -> str:
        """Where the site answers on this machine."""
        return f"http://127.0.0.1:{self.port}"

    def to_text(self) -> str:
        """For another process's environment."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_text(cls, text: str) -> Plan:
        """The plan that to_text wrote."""
        values = json.loads(text)
        return cls(**{**values, "data_dir": Path(values["data_dir"])})


def preload() -> None:
    """Import what the children share, and do once what each of them does first. Starts no thread, leaves nothing open.

    The interpreter writes into code and classes when they are first used; done here, those pages stay shared.
    """
    for name in SHARED_MODULES:
        importlib.import_module(name)
    # Celery warns root of pickled messages; ours are JSON, and nothing else is accepted.
    warnings.filterwarnings("ignore", message=".*superuser privileges")
    _rehearse_celery()
    _rehearse_database()
    _make_builder()


def _make_builder() -> None:
    from services.publish.service import make_builder
    from services.publish.settings import PublishSettings

    make_builder(PublishSettings.from_env(os.environ, "publish"))


def _rehearse_celery() -> None:
    from kombu.asynchronous import get_event_loop, set_event_loop

    from shared.celery_app import create_celery

    for producer in (True, False):
        app = create_celery("rehearsal", "redis://127.0.0.1:9", include=[], producer=producer)
        app.finalize()
    app.Worker(hostname="rehearsal@", pool_cls="threads", concurrency=1, quiet=True, loglevel="ERROR")
    # Its event loop must not be inherited: processes that share one epoll instance take each other's messages' news.
    hub = get_event_loop()
    if hub is not None:
        hub.close()
    set_event_loop(None)
    gc.collect()  # what still holds the loop's descriptors goes in circles


def _rehearse_database() -> None:
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import Session, configure_mappers

    configure_mappers()
    engine = create_engine("sqlite://")
    for service in SERVICES:
        metadata = importlib.import_module(f"services.{service}.models").Base.metadata
        metadata.create_all(engine)
        with Session(engine) as session:
            for table in metadata.sorted_tables:
                session.execute(select(table).limit(1)).all()
            session.rollback()
        metadata.drop_all(engine)
    engine.dispose()


def of(plan: Plan) -> list[Program]:
    """The processes to run. Stopped first: what takes requests; last: Redis."""
    from rotative.announce import announce

    listed: list[tuple[str, Callable[[Plan], None], dict[str, Any]]] = [
        ("redis", redis, {"stage": 2, "grace_s": 2.0}),
        ("web", web, {"stage": 0, "grace_s": 5.0, "keep": (plan.listener,)}),
        ("worker-1", MAINS["worker-1"], {"stage": 1, "grace_s": 7.0}),
        ("worker-2", MAINS["worker-2"], {"stage": 1, "grace_s": 7.0}),
        ("index", index, {"stage": 1, "grace_s": 7.0}),
        ("deliver", deliver, {"stage": 1, "grace_s": 7.0}),
        ("flower", flower, {"stage": 1, "grace_s": 2.0}),
        ("announce", announce, {"stage": 0, "grace_s": 1.0, "once": True, "loud": True}),
    ]
    absent = {name for name, there in (("redis", plan.redis), ("flower", plan.flower_port)) if not there}
    return [
        Program(name=name, run=partial(_in_child, name, main, plan), **options)
        for name, main, options in listed
        if name not in absent
    ]


def _in_child(name: str, main: Callable[[Plan], None], plan: Plan) -> None:
    """Run one process's function; where a fork is not safe (macOS), in a new interpreter."""
    if sys.platform != "linux" and name != "announce":
        os.environ[PLAN_VARIABLE] = plan.to_text()
        if name == "web":
            os.set_inheritable(plan.listener, True)
        os.execv(sys.executable, [sys.executable, "-m", "rotative.child", name])  # noqa: S606
    main(plan)


def redis(plan: Plan) -> None:
    """Become the Redis server."""
    server = broker.find_server()
    arguments = broker.server_arguments(server, broker.socket_path(plan.data_dir))
    if sys.platform == "linux":  # the kernel's promise to end it with its parent outlives the exec
        os.execv(server, arguments)  # noqa: S606
    import signal
    import subprocess

    # In this group: it goes when this process, which watches its parent, goes.
    server_process = subprocess.Popen(arguments)  # noqa: S603
    signal.signal(signal.SIGTERM, lambda *_: server_process.terminate())
    raise SystemExit(server_process.wait())


def web(plan: Plan) -> None:
    """Serve the site and the API on one port: one process with threads.

    It is gunicorn's worker without gunicorn's parent: the supervisor does what that would, and saves a process.
    """
    from gunicorn import sock
    from gunicorn.app.base import BaseApplication
    from gunicorn.glogging import Logger

    from rotative.gateway import Gateway, create_gateway
    from shared.web_worker import ProblemWorker

    class Web(BaseApplication):
        def load_config(self) -> None:
            options = {
                "bind": f"fd://{os.dup(plan.listener)}",  # it closes what it is given
                "threads": WEB_THREADS,
                "graceful_timeout": 4,
                "keepalive": 5,
            }
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> Gateway:
            return create_gateway()

    processes.use_few_arenas()
    app = Web()
    log = Logger(app.cfg)
    server = ProblemWorker(1, os.getppid(), sock.create_sockets(app.cfg, log), app, app.cfg.timeout, app.cfg, log)
    server.pid = os.getpid()
    server.init_process()
    app.wsgi().close()


def worker(plan: Plan, *, number: int) -> None:
    """Do the work of ingest and publish, but for deliveries. Two of these run, one task at a time each.

    A process for each, supervised by us, instead of Celery's pool: a message needs no second process on its way, which
    took a tenth of what an article costs and 20 MB.
    """
    from shared import routing
    from shared import worker as tasks
    from shared.service import BulkSlot

    tasks.use_slot(BulkSlot((plan.data_dir / "bulk.lock").open("a+b")))
    tasks.watch_time()
    lanes = ("urgent", "normal", "bulk") if number == 1 else ("urgent", "normal")
    queues = routing.queues("ingest", "publish", lanes=lanes)
    _work(plan, f"editions-{number}", ["ingest", "publish"], queues, concurrency=1, pool="solo")


def index(plan: Plan) -> None:
    """Do the work of recommend: one process that keeps the index in memory and is never recycled.

    One thread rather than one pool process: what kills it takes the index along either way and is started again by the
    supervisor either way, and a second process would cost some 25 MB.
    """
    from shared import routing

    _work(plan, "index", ["recommend"], routing.queues("recommend"), concurrency=1, pool="threads")


def deliver(plan: Plan) -> None:
    """Deliver to subscribers, in threads: this work waits for others' servers. And sweep, for all three services.

    The sweeper is a thread here: as a process it would cost 28 MB more, and either is started again when it dies.
    """
    import threading

    from celery.signals import worker_shutdown

    from shared import routing
    from shared.sweeper import Sweeper

    stop = threading.Event()
    nodes = [swept_node_of(service) for service in SERVICES]
    sweeping = threading.Thread(target=Sweeper(nodes).run, args=(stop,), name="sweeper")

    def end(**_: object) -> None:
        stop.set()
        sweeping.join()
        for node in nodes:
            node.close()

    worker_shutdown.connect(end, weak=False)
    sweeping.start()
    queues = routing.queues("publish", lanes=("deliver", "retry"))
    _work(plan, "deliver", ["publish"], queues, concurrency=4, pool="threads")


def _work(
    plan: Plan,
    name: str,
    services: list[str],
    queues: list[str],
    *,
    concurrency: int,
    pool: str,
) -> None:
    from celery.signals import worker_ready

    from shared.celery_app import create_celery
    from shared.settings import ServiceSettings

    settings = ServiceSettings.from_env(os.environ, services[0])
    app = create_celery("rotative", settings.redis_url, include=[f"services.{service}.tasks" for service in services])
    app.set_default()

    def make_nodes(**_: object) -> None:
        for service in services:
            importlib.import_module(f"services.{service}.worker").node()

    if pool == "threads":  # a process of one task at a time makes its own; threads would all make one at their first
        worker_ready.connect(make_nodes, weak=False)
    processes.use_few_arenas()
    _wait_for_redis(plan)
    celery_worker = app.Worker(
        hostname=f"{name}@{socket.gethostname()}",
        pool_cls=pool,
        concurrency=concurrency,
        queues=queues,
        loglevel=settings.log_level,
        quiet=True,
        without_gossip=True,
        without_mingle=True,
    )
    celery_worker.start()
    raise SystemExit(celery_worker.exitcode or 0)


def _wait_for_redis(plan: Plan) -> None:
    """Celery tries again only after two seconds, and the server started a moment ago."""
    if plan.redis:
        broker.wait_for(broker.socket_path(plan.data_dir), timeout_s=10)


def flower(plan: Plan) -> None:
    """Show the tasks at 127.0.0.1, read-only. Its memory of them is bounded and ends with it."""
    import atexit
    import signal

    from flower.app import Flower
    from flower.options import options
    from flower.urls import settings as flower_settings

    from shared.celery_app import create_celery
    from shared.settings import ServiceSettings

    options.address = "127.0.0.1"
    options.port = plan.flower_port
    options.read_only = True
    options.tasks_columns = "name,args,state,received,runtime,worker"
    options.max_tasks = 5000
    options.max_workers = 50
    options.purge_offline_workers = 60
    settings = ServiceSettings.from_env(os.environ, "publish")
    app = create_celery("rotative", settings.redis_url, include=[])
    app.set_default()
    _wait_for_redis(plan)
    flower_app = Flower(capp=app, options=options, **flower_settings)
    atexit.register(flower_app.stop)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    flower_app.start_http_server()
    flower_app.start()


MAINS: dict[str, Callable[[Plan], None]] = {
    **{main.__name__: main for main in (redis, web, index, deliver, flower)},
    **{f"worker-{number}": partial(worker, number=number) for number in (1, 2)},
}
