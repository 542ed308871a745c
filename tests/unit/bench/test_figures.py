"""Quantiles and spreads."""

from __future__ import annotations

import pytest

from bench import figures


def test_a_quantile_is_one_of_the_samples_whatever_their_order():
    samples = [5.0, 1.0, 4.0, 2.0, 3.0]

    assert figures.quantile(samples, 0.5) == 3.0
    assert figures.quantile(samples, 0.99) == 5.0
    assert figures.quantile(samples, 0.0) == 1.0


def test_the_99th_of_200_samples_leaves_two_above_it():
    assert figures.quantile([float(number) for number in range(1, 201)], 0.99) == 198.0


def test_there_is_no_quantile_of_nothing():
    with pytest.raises(ValueError, match="nothing"):
        figures.quantile([], 0.5)


def test_a_spread_says_how_many_samples_there_were():
    found = figures.spread([2.0, 1.0, 3.0])

    assert (found.n, found.p50, found.mean, found.least, found.most) == (3, 2.0, 2.0, 1.0, 3.0)


def test_growth_counts_what_is_new_in_full_and_puts_the_largest_first():
    assert list(figures.growth({"web": 1.0, "gone": 9.0}, {"web": 1.5, "worker": 4.0}).items()) == [
        ("worker", 4.0),
        ("web", 0.5),
    ]


def test_there_is_no_ratio_to_nothing():
    assert figures.ratio(3.0, 0.0) is None
    assert figures.ratio(3.0, 2.0) == 1.5
