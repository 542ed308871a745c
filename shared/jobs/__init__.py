"""The jobs table: everything a service has to do, from events heard to deliveries and retries to dead letters.

A job is asked for with `add`, in the transaction of whatever makes it necessary. It is claimed with a lease, its
attempt counted before its work starts; its effects, its end and whatever follows from it commit together, fenced by
the attempt number, so that a worker that lost its lease changes nothing. A job that fails is tried again with growing
pauses; one that fails for good, or kills its worker each time, becomes a dead letter and blocks nothing behind it.
"""

from shared.jobs.asking import add, add_many, store_heard, tally, withdraw
from shared.jobs.claiming import LEASE_S, PAUSES_S, Claim, Job, Kind, claim, extend, run
from shared.jobs.dead_letters import bury, dead, dead_letter, discard_dead, is_dead, retry_dead
from shared.jobs.sweeping import MOST_CRASHES, SCHEDULED, any_expired, counts, free_expired, lanes_due

__all__ = [
    "LEASE_S",
    "MOST_CRASHES",
    "PAUSES_S",
    "SCHEDULED",
    "Claim",
    "Job",
    "Kind",
    "add",
    "add_many",
    "any_expired",
    "bury",
    "claim",
    "counts",
    "dead",
    "dead_letter",
    "discard_dead",
    "extend",
    "free_expired",
    "is_dead",
    "lanes_due",
    "retry_dead",
    "run",
    "store_heard",
    "tally",
    "withdraw",
]
