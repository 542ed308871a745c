"""The index keeps every related set exactly what a fresh index would make of the same articles."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.recommend.index import Article, Index, Refresh, Rules, read, snapshot
from services.recommend.index.neighbours import Neighbours

WORDS = [
    "accord",
    "pont",
    "musée",
    "grève",
    "budget",
    "loi",
    "match",
    "vaccin",
    "forêt",
    "banque",
    "école",
    "tunnel",
    "procès",
    "récolte",
    "mairie",
    "canal",
    "usine",
    "orage",
    "fusion",
    "satellite",
    "opéra",
    "barrage",
    "pétition",
    "quai",
    "verger",
    "lycée",
    "phare",
    "digue",
    "atelier",
    "marché",
]
START = datetime(2026, 3, 1, 8, tzinfo=UTC)


def article(
    number: int, words: str, *, hours: int = 0, section: str = "societe", language: str = "fr", **decided: Any
) -> Article:
    head, _, rest = words.partition(" ")
    at = START + timedelta(hours=hours)
    return Article(UUID(int=number), language, section, at, read(language, head, rest), **decided)


def kept_in(kept: dict[UUID, Article]):
    def source(ids: Sequence[UUID]) -> list[Article]:
        return [kept[article_id] for article_id in ids if article_id in kept]

    return source


def refreshed(index: Index, kept: dict[UUID, Article], **limits: Any) -> Index:
    while not Refresh(index, kept_in(kept), **limits).run(60):
        pass
    return index


def sets_of(index: Index) -> dict[UUID, tuple]:
    return {article_id: index.set_of(article_id) for article_id in index.ids()}


def titles(*numbers: int) -> list[UUID]:
    return [UUID(int=number) for number in numbers]


def shown(index: Index, number: int) -> list[int]:
    return [entry.article_id.int for entry in index.set_of(UUID(int=number))]


def test_an_article_is_shown_under_the_one_it_is_about_and_the_other_way_round():
    index = Index()
    index.put(article(1, "Pont le pont suspendu de Brive sera fermé pour travaux"))
    index.put(article(2, "Opéra la saison de l'opéra commence", section="culture"))

    placed = index.put(article(3, "Travaux les travaux du pont suspendu de Brive avancent", hours=5))

    assert shown(index, 3)[0] == 1
    assert shown(index, 1)[0] == 3
    assert placed.older_sets == 1
    assert 3 not in shown(index, 2)


def test_languages_never_meet():
    index = Index()
    index.put(article(1, "Nation the national budget vote in Paris", language="en"))
    index.put(article(2, "Nation the national budget vote in Paris today", language="fr"))

    assert shown(index, 1) == []
    assert shown(index, 2) == []


def test_copies_are_shown_once_and_never_under_themselves():
    wire = "Barrage le barrage de la vallée cède après les orages et inonde trois villages du canton voisin"
    index = Index()
    for number in range(1, 4):
        index.put(article(number, wire, hours=number))
    index.put(article(4, "Enquête pourquoi le barrage a rompu, que savaient les ingénieurs, qui paiera", hours=9))

    assert shown(index, 4) == [3]
    assert shown(index, 1) == [4]


def test_many_takes_of_one_story_take_one_place_and_leave_the_others_to_what_else_is_near():
    take = "Barrage le barrage de la vallée cède après les orages et inonde trois villages du canton voisin de Brive"
    others = ["orages digue verger", "villages tunnel mairie", "canton budget école", "vallée phare atelier"]
    first, last = Index(Rules(fill=False)), Index(Rules(fill=False))
    takes = [article(number, f"{take} prise {number}", hours=number) for number in range(1, 31)]
    why = article(
        50, "Enquête pourquoi le barrage de la vallée de Brive a rompu sous les orages de ce canton", hours=31
    )
    rest = [article(60 + n, f"Barrage de la vallée {words}", hours=20 + n) for n, words in enumerate(others)]

    for one in (*takes, why, *rest):
        first.put(one)
    for one in (*rest, why, *reversed(takes)):
        last.put(one)

    assert {number for number in shown(first, 50) if number >= 60} == {60, 61, 62, 63}
    assert len([number for number in shown(first, 50) if number <= 30]) == 1
    assert sets_of(first) == sets_of(last)
    (shown_take,) = [number for number in shown(first, 50) if number <= 30]
    first.remove(UUID(int=shown_take))
    assert len([number for number in shown(first, 50) if number <= 30]) == 1


def test_a_short_set_is_filled_with_what_the_section_published_just_before_and_later_articles_do_not_change_it():
    index = Index()
    for number, word in enumerate(["musée", "grève", "vaccin"], start=1):
        index.put(article(number, f"{word} {word}", hours=number))
    index.changes()

    index.put(article(4, "forêt forêt", hours=4))

    entries = index.set_of(UUID(int=4))
    assert [entry.article_id.int for entry in entries] == [3, 2, 1]
    assert not any(entry.by_text for entry in entries)
    assert shown(index, 1) == []
    assert [change.article_id.int for change in index.changes()] == [4]


def test_a_short_set_takes_a_newcomer_in_without_being_walked_and_lets_its_oldest_fill_go(
    monkeypatch: pytest.MonkeyPatch,
):
    index = Index(Rules(size=3))
    for number, word in enumerate(["musée", "grève", "vaccin"], start=1):
        index.put(article(number, f"{word} {word}", hours=number))
    index.put(article(4, "Pont le pont suspendu de Brive sera fermé", hours=4))
    walked = []
    made = Neighbours._make_set
    monkeypatch.setattr(Neighbours, "_make_set", lambda place, slot: (walked.append(slot), made(place, slot)))

    index.put(article(5, "Travaux le pont suspendu de Brive et son chantier", hours=5, section="culture"))

    assert len(walked) == 1
    entries = index.set_of(UUID(int=4))
    assert [(entry.article_id.int, entry.by_text) for entry in entries] == [(5, True), (3, False), (2, False)]
    index.put(article(6, "Chantier le tablier du pont suspendu de Brive", hours=6, section="culture"))
    assert {entry.article_id.int for entry in index.set_of(UUID(int=4))} == {3, 5, 6}


def test_an_imported_article_that_is_older_than_all_fills_of_a_set_does_not_have_it_made_again(
    monkeypatch: pytest.MonkeyPatch,
):
    index = Index(Rules(size=2))
    for number, word in enumerate(["musée", "grève", "vaccin", "forêt"], start=1):
        index.put(article(number, f"{word} {word}", hours=number * 10))
    walked = []
    made = Neighbours._make_set
    monkeypatch.setattr(
        Neighbours, "_make_set", lambda place, slot: (walked.append(place.keys[slot]), made(place, slot))
    )

    index.put(article(5, "tunnel tunnel", hours=15))

    assert {UUID(bytes=key).int for key in walked} == {5, 2, 3}
    assert (shown(index, 2), shown(index, 3), shown(index, 4)) == ([5, 1], [2, 5], [3, 2])


def test_a_withdrawn_fill_is_replaced_and_an_imported_one_is_taken_in():
    index = Index(Rules(size=2))
    for number, word in enumerate(["musée", "grève", "vaccin", "forêt"], start=1):
        index.put(article(number, f"{word} {word}", hours=number * 10))

    index.remove(UUID(int=3))
    assert shown(index, 4) == [2, 1]

    index.put(article(5, "tunnel tunnel", hours=35))
    assert shown(index, 4) == [5, 2]


def test_an_article_that_says_the_same_again_changes_nothing():
    index = Index()
    for number in range(1, 30):
        index.put(article(number, " ".join(random.Random(number).choices(WORDS, k=12)), hours=number))
    index.changes()

    index.put(article(7, " ".join(random.Random(7).choices(WORDS, k=12)), hours=7))

    assert index.changes() == []


def test_a_removed_article_leaves_every_set():
    index = Index()
    for number in range(1, 40):
        index.put(article(number, " ".join(random.Random(number).choices(WORDS, k=12)), hours=number))

    assert index.remove(UUID(int=20))

    assert not index.remove(UUID(int=20))
    assert all(20 not in shown(index, number) for number in range(1, 40) if number != 20)


def test_after_a_refresh_the_order_of_arrival_is_forgotten():
    kept = {UUID(int=n): article(n, " ".join(random.Random(n).choices(WORDS, k=14)), hours=n) for n in range(1, 160)}
    in_order, shuffled = Index(), Index()
    others = list(kept.values())
    random.Random(5).shuffle(others)

    for one in kept.values():
        in_order.put(one)
    for one in others[:80]:
        shuffled.put(one)
    refreshed(shuffled, kept)
    for one in others[80:]:
        shuffled.put(one)

    assert sets_of(refreshed(in_order, kept)) == sets_of(refreshed(shuffled, kept))


def test_articles_may_come_and_go_while_the_weights_are_refreshed():
    kept = {UUID(int=n): article(n, " ".join(random.Random(n).choices(WORDS, k=14)), hours=n) for n in range(1, 200)}
    index = Index()
    for one in list(kept.values())[:150]:
        index.put(one)
    held = {article_id: kept[article_id] for article_id in index.ids()}

    refresh = Refresh(index, kept_in(held))
    coming = iter(list(kept.values())[150:])
    going = iter(list(held))
    while not refresh.run(0):
        one = next(coming, None)
        if one is not None:
            held[one.id] = one
            index.put(one)
            gone = next(going)
            del held[gone]
            index.remove(gone)

    # The weights were counted while articles came and went; with those same weights a fresh index has the same sets.
    before = sets_of(index)
    for one in held.values():
        index.put(one)
    assert sets_of(index) == before


def test_a_refresh_can_fill_an_empty_index():
    kept = {UUID(int=n): article(n, " ".join(random.Random(n).choices(WORDS, k=14)), hours=n) for n in range(1, 90)}
    one_by_one, at_once = Index(), Index()
    for one in kept.values():
        one_by_one.put(one)

    while not Refresh(at_once, kept_in(kept), list(kept)).run(60):
        pass

    assert sets_of(refreshed(one_by_one, kept)) == sets_of(at_once)


def test_a_loaded_snapshot_goes_on_exactly_where_it_was_saved(tmp_path: Path):
    kept = {UUID(int=n): article(n, " ".join(random.Random(n).choices(WORDS, k=14)), hours=n) for n in range(1, 120)}
    index = Index()
    for one in list(kept.values())[:90]:
        index.put(one)
    refreshed(index, kept)
    index.remove(UUID(int=12))
    snapshot.save(index, tmp_path / "index", {"position": 7})

    loaded, note = snapshot.load(tmp_path / "index", Rules())

    assert note == {"position": 7}
    assert sets_of(loaded) == sets_of(index)
    for one in list(kept.values())[90:]:
        loaded.put(one)
        index.put(one)
    assert sets_of(loaded) == sets_of(index)


@pytest.mark.parametrize("harm", ["cut", "flip", "other", "missing"])
def test_a_broken_snapshot_is_noticed(tmp_path: Path, harm: str):
    index = Index()
    index.put(article(1, "Pont le pont est fermé"))
    path = tmp_path / "index"
    snapshot.save(index, path, {})
    content = bytearray(path.read_bytes())
    if harm == "cut":
        path.write_bytes(content[:-10])
    elif harm == "flip":
        content[-30] ^= 1
        path.write_bytes(content)
    elif harm == "other":
        path.write_bytes(b"something else")
    else:
        path.unlink()

    with pytest.raises(snapshot.BrokenSnapshot):
        snapshot.load(path, Rules())


def test_a_snapshot_of_other_rules_is_not_used(tmp_path: Path):
    snapshot.save(Index(), tmp_path / "index", {})

    with pytest.raises(snapshot.BrokenSnapshot, match="other rules"):
        snapshot.load(tmp_path / "index", Rules(size=4))


# Few words, so that scores are often level, texts are often copies, and rows run out.
def test_pins_open_a_set_in_order_wait_for_what_is_not_there_and_may_be_of_another_language():
    kept = {n: article(n, " ".join(random.Random(n).choices(WORDS, k=14)), hours=n) for n in range(1, 20)}
    index = Index()
    for one in kept.values():
        index.put(one)
    unpinned = shown(index, 5)

    index.put(replace(kept[5], pins=(UUID(int=77), UUID(int=9), UUID(int=78))))
    assert shown(index, 5) == [9, *[n for n in unpinned if n != 9]][:6]

    index.put(article(77, "Nation the national budget", language="en"))
    assert shown(index, 5)[:2] == [77, 9]
    assert [(e.pinned, e.by_text) for e in index.set_of(UUID(int=5))][:3] == [(True, False)] * 2 + [(False, True)]
    assert UUID(int=5) in {change.article_id for change in index.changes() if change.visible}

    index.remove(UUID(int=77))
    index.remove(UUID(int=9))
    assert shown(index, 5) == [n for n in unpinned if n != 9]


def test_no_entry_is_a_copy_of_what_is_pinned():
    wire = "Barrage le barrage de la vallée cède après les orages et inonde trois villages du canton voisin"
    index = Index()
    index.put(article(1, wire, hours=1))
    index.put(article(2, wire, hours=2))
    why = "Enquête pourquoi le barrage a rompu, que savaient les ingénieurs, qui paiera"
    index.put(article(3, why, hours=3, pins=(UUID(int=1),)))

    assert shown(index, 3) == [1]


def test_what_is_banned_here_or_everywhere_is_not_shown_and_comes_back():
    kept = {n: article(n, " ".join(random.Random(n).choices(WORDS, k=14)), hours=n) for n in range(1, 30)}
    index = Index()
    for one in kept.values():
        index.put(one)
    before = sets_of(index)
    best = before[UUID(int=10)][0].article_id

    index.put(replace(kept[10], banned=frozenset({best})))
    assert best not in {entry.article_id for entry in index.set_of(UUID(int=10))}
    index.put(replace(kept[best.int], offered=False))
    assert not any(best in {entry.article_id for entry in entries} for entries in sets_of(index).values())
    index.put(replace(kept[11], gets=False))
    assert index.set_of(UUID(int=11)) == ()
    for number in (10, best.int, 11):
        index.put(kept[number])

    assert sets_of(index) == before


def test_an_age_limit_counts_between_the_two_articles_and_not_for_what_is_evergreen():
    index = Index(Rules(fill=False))
    kept = {
        UUID(int=1): article(1, "Match le match du club de Brive contre Valbourg", section="sport"),
        UUID(int=2): article(2, "Match revanche du club de Brive à Valbourg", hours=24 * 9, section="sport"),
        UUID(int=3): article(3, "Musée le club de Brive visite Valbourg", hours=24 * 9, section="culture"),
        UUID(int=4): article(4, "Guide le club de Brive à Valbourg", hours=24, section="sport", evergreen=True),
    }
    for one in kept.values():
        index.put(one)
    assert set(shown(index, 3)) == {1, 2, 4}

    while not Refresh(index, kept_in(kept), age_limits={"sport": 7}).run(60):
        pass

    assert set(shown(index, 3)) == {2, 4}
    assert set(shown(index, 2)) == {3, 4}
    assert set(shown(index, 1)) == {3, 4}


def test_a_cap_shows_no_more_than_so_many_of_one_story():
    about = [" ".join(WORDS[4 * n : 4 * n + 4]) for n in range(5)]
    bridge = [article(n, f"Pont suspendu de Brive {about[n - 1]}", hours=n) for n in range(1, 6)]
    harbour = article(8, "Quai le quai du port de Lorient rouvre samedi matin", hours=7)
    last = article(9, "Pont suspendu de Brive ferme, quai du port de Lorient", hours=9)
    capped, free = Index(Rules(story_cap=2, fill=False)), Index(Rules(fill=False))
    for one in (*bridge, harbour, last):
        capped.put(one)
        free.put(one)

    assert set(shown(free, 9)) == {1, 2, 3, 4, 5, 8}
    assert len({1, 2, 3, 4, 5} & set(shown(capped, 9))) == 2
    assert 8 in shown(capped, 9)


def test_candidates_of_a_draft_are_the_best_alike_and_change_nothing():
    index = Index()
    for number in range(1, 40):
        index.put(article(number, " ".join(random.Random(number).choices(WORDS, k=14)), hours=number))
    before = sets_of(index)
    terms = index._languages["fr"].table.size

    draft = article(99, "Inconnu " + " ".join(random.Random(7).choices(WORDS, k=14)), hours=7)
    found = index.candidates(draft, 5)

    assert found[0].article_id == UUID(int=7)
    assert len(found) == 5
    assert sets_of(index) == before
    assert index._languages["fr"].table.size == terms


texts = st.one_of(
    st.lists(st.sampled_from(WORDS[:14]), min_size=1, max_size=14).map(" ".join),
    st.sampled_from(WORDS[11:]).map(lambda word: " ".join([*WORDS[:11], word])),
)
# A newsroom's worth of alike articles to begin with, so that rows are full and something is always left out.
archives = st.integers(0, 2**32).map(
    lambda seed: [" ".join(random.Random(seed + n).choices(WORDS, k=12)) for n in range(45)]
)
# More takes of one story than a row has room for, and a few others that share its words.
takes = st.integers(0, 2**32).map(
    lambda seed: [
        " ".join([*WORDS[:11], random.Random(seed + n).choice(WORDS[11:])])
        if n % 9
        else " ".join(random.Random(seed + n).choices(WORDS, k=10))
        for n in range(45)
    ]
)
ids = st.integers(1, 60).map(lambda number: UUID(int=number))
# What an editor has decided: mostly nothing.
decided = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {},
        optional={
            "pins": st.lists(ids, max_size=7, unique=True).map(tuple),
            "banned": st.frozensets(ids, max_size=8),
            "offered": st.booleans(),
            "gets": st.booleans(),
            "evergreen": st.booleans(),
        },
    ),
)
steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("put"),
            st.integers(1, 60),
            texts,
            st.integers(0, 400),
            st.sampled_from(["societe", "sport"]),
            st.sampled_from(["fr", "fr", "fr", "en"]),
            decided,
        ),
        st.tuples(st.just("remove"), st.integers(1, 60)),
        st.tuples(st.just("decide"), st.integers(1, 60), decided),
        st.tuples(st.just("refresh")),
        st.tuples(st.just("limit"), st.sampled_from([{}, {"sport": 3}, {"societe": 6, "sport": 0}])),
    ),
    min_size=1,
    max_size=120,
)


# A few in every run; thousands when asked for: `make sequences`.
SEQUENCES = int(os.environ.get("ROTATIVE_TEST_SEQUENCES", "60"))


@settings(max_examples=SEQUENCES, deadline=None)
@given(
    archive=st.one_of(st.just([]), archives, takes),
    steps=steps,
    seed=st.integers(0, 3),
    size=st.sampled_from([3, 6]),
    cap=st.sampled_from([0, 0, 2]),
)
def test_whatever_came_and_went_the_sets_are_those_of_a_fresh_index(
    archive: list[str], steps: list[tuple], seed: int, size: int, cap: int
):
    rules = Rules(size=size, floor=0.05, story_cap=cap)
    index: Index = Index(rules)
    kept: dict[UUID, Article] = {}
    limits: dict[str, float] = {}
    come = [("put", n, words, n * 9 % 400, "societe", "fr", {}) for n, words in enumerate(archive, start=1)]
    for step in come + steps:
        if step[0] == "put":
            _, number, words, hours, section, language, hand = step
            one = article(number, words, hours=hours, section=section, language=language, **hand)
            kept[one.id] = one
            index.put(one)
        elif step[0] == "decide":
            if UUID(int=step[1]) in kept:
                kept[UUID(int=step[1])] = one = replace(kept[UUID(int=step[1])], **step[2])
                index.put(one)
        elif step[0] == "limit":
            limits = step[1]
            refreshed(index, kept, age_limits=limits)
        elif step[0] == "remove":
            kept.pop(UUID(int=step[1]), None)
            index.remove(UUID(int=step[1]))
        else:
            refreshed(index, kept)
    told: dict[UUID, tuple] = {}
    for change in index.changes():
        if change.entries is not None:
            told[change.article_id] = change.entries

    assert told == sets_of(index)
    before = sets_of(index)
    others = list(kept.values())
    random.Random(seed).shuffle(others)
    for one in others:  # taken out and put again, with the same weights, in another order
        index.put(one)
    assert sets_of(index) == before
    fresh = Index(rules)
    fresh.limit_ages(limits)
    for one in others:
        fresh.put(one)
    assert sets_of(refreshed(index, kept)) == sets_of(refreshed(fresh, kept))
