"""The three services. They meet in `shared/events.py` and `shared/routing.py` and never import one another."""
