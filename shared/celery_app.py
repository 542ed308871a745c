"""How Celery is set up, once, for all services. The reasons and measurements stand in docs/architecture.md.

A Celery message is only a copy of what a database holds, or a wake-up: tasks are acknowledged early, never retried by
Celery, keep no results and carry no times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery, Task, shared_task
from kombu import Exchange, Queue

from shared import routing

# A task's time limit stays below the lease of the jobs that it may have claimed (jobs.LEASE_S).
SOFT_TIME_LIMIT_S = 10
TIME_LIMIT_S = 12

PRODUCER_OPTIONS: dict[str, Any] = {
    "socket_timeout": 0.5,
    "socket_connect_timeout": 0.25,
    "connect_retries_timeout": 0.5,
    "interval_start": 0,
    "interval_step": 0.05,
    "interval_max": 0.1,
}
CONSUMER_OPTIONS: dict[str, Any] = {
    "socket_timeout": 5,
    "socket_connect_timeout": 1,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "visibility_timeout": 60,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "queue_order_strategy": "shared.consumer:UrgentFirst",
}
KEY_PREFIX = "rotative:"
EXCHANGE = Exchange("rotative", type="direct")


class NewsTask(Task):
    """Every task of the services. The trace id of its work travels in its events and jobs, not beside them."""

    abstract = True
    ignore_result = True


def task(name: str, **options: Any) -> Callable[[Callable[..., None]], Any]:
    """Declare a task by its full name, for whichever Celery app of this process serves it."""
    decorate: Callable[[Callable[..., None]], Any] = shared_task(name=name, base=NewsTask, **options)
    return decorate


def create_celery(name: str, redis_url: str, *, include: list[str], producer: bool = False) -> Celery:
    """The Celery app of a process.

    name: a service's, or what serves several. include: task modules as text. producer: for a process that only sends,
    with short bounded time-outs, so that nothing waits for a Redis that is down or frozen.
    """
    app = Celery(name, broker=redis_url, include=include, task_cls=NewsTask, set_as_current=not producer)
    app.conf.update(options(producer=producer))
    return app


def options(*, producer: bool) -> dict[str, Any]:
    """Celery's options, by name, for a process that only sends or for one that consumes."""
    return {
        "task_serializer": "json",
        "accept_content": ["json"],
        "result_backend": None,
        "task_ignore_result": True,
        "task_acks_late": False,
        "task_reject_on_worker_lost": False,
        "task_time_limit": TIME_LIMIT_S,
        "task_soft_time_limit": SOFT_TIME_LIMIT_S,
        "task_create_missing_queues": False,
        "task_queues": [Queue(name, EXCHANGE, routing_key=name) for name in routing.queues(*routing.SERVICES)],
        "task_default_queue": routing.queues(*routing.SERVICES)[0],
        "worker_consumer": "shared.consumer:NewsConsumer",
        "worker_prefetch_multiplier": 1,
        "worker_max_tasks_per_child": 20000,
        "worker_send_task_events": True,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_soft_shutdown_timeout": 5,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            **(PRODUCER_OPTIONS if producer else CONSUMER_OPTIONS),
            "global_keyprefix": KEY_PREFIX,
        },
    }
