"""The promises, after all that can go wrong: ordeal.py says what was done, proofs.py what is proved."""

from __future__ import annotations

from shared import failpoints
from tests.faults.proofs import Evidence


def proved(evidence: Evidence, *names: str) -> None:
    """Fail with what the proofs of these names have found wrong."""
    wrong = [f"{name}: {one}" for name in names for one in evidence.violations[name]]
    assert not wrong, "\n".join(wrong[:20])


def test_every_answer_2xx_holds(evidence: Evidence) -> None:
    assert evidence.desk.pieces
    proved(evidence, "accepted")


def test_every_article_is_live_with_its_newest_revision_and_every_killed_one_is_gone(evidence: Evidence) -> None:
    proved(evidence, "live", "killed")


def test_every_timeline_tells_the_end_of_the_journey_once(evidence: Evidence) -> None:
    proved(evidence, "journeys")


def test_no_page_and_no_list_is_older_than_its_articles(evidence: Evidence) -> None:
    proved(evidence, "verified", "listed")


def test_everyone_is_told_of_everything_and_of_nothing_twice(evidence: Evidence) -> None:
    assert evidence.receiver.arrivals
    proved(evidence, "told")


def test_related_sets_are_those_of_a_run_without_faults_and_pages_show_them(evidence: Evidence) -> None:
    assert any(evidence.related.values())
    proved(evidence, "related pages", "same related")


def test_poison_is_a_dead_letter_that_says_why_and_nothing_else_is(evidence: Evidence) -> None:
    assert evidence.poisons
    proved(evidence, "dead letters")


def test_every_fault_was_suffered(evidence: Evidence) -> None:
    kinds = {fault.kind for fault in evidence.diary.faults}
    assert {"killed", "redis frozen", "redis wiped", "garbage in a queue", "unknown task", "poison"} <= kinds
    if evidence.system.name == "embedded":
        assert {f"failpoint {name}" for name in failpoints.NAMES} <= kinds
    else:
        assert {"postgresql stopped (fast)", "postgresql stopped (immediate)"} <= kinds
