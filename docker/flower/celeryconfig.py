"""What Flower needs to know to listen to the services' Celery. The same key prefix as in shared/celery_app.py."""

import os

broker_url = os.environ["ROTATIVE_REDIS_URL"]
broker_transport_options = {"global_keyprefix": "rotative:", "socket_timeout": 5, "socket_keepalive": True}
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
accept_content = ["json"]
