"""publish's sweeper: `python -m services.publish.sweeper`."""

from __future__ import annotations

import os

from services.publish import upkeep
from services.publish.channels import digests, subscriptions
from services.publish.service import create_service
from services.publish.settings import PublishSettings
from shared import clock
from shared.service import Node
from shared.sweeper import main


def make_node() -> Node:
    """The node that is swept; looks after the site once, at the start."""
    settings = PublishSettings.from_env(os.environ, "publish")
    publish = create_service(settings)
    node = Node(publish.service, settings)
    with node.unit_of_work() as session:
        upkeep.look_after(session, builder=publish.builder, now=clock.now())
        subscriptions.keep_hubs(session, settings.websub_hubs, clock.now())
        digests.schedule(session, publish.builder.newsroom, settings.digest_hour, clock.now())
    return node


if __name__ == "__main__":
    main(make_node)
