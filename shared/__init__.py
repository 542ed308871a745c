"""Contracts and plumbing that every service uses: events, routing, the outbox, inbox and jobs protocol, HTTP, settings.

No article logic lives here, and nothing is imported from `services/`.
"""
