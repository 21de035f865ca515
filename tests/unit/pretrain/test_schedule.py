"""Learning rates by step."""

from __future__ import annotations

import pytest

from elmokit.pretrain.schedule import Shape, learning_rate_factor


def factors(shape: Shape, *, total: int = 100, warmup: int = 10, final: float = 0.1) -> list[float]:
    return [
        learning_rate_factor(step, total=total, warmup=warmup, shape=shape, final=final) for step in range(total + 1)
    ]


@pytest.mark.parametrize("shape", ["cosine", "linear", "constant", "wsd"])
def test_warmup_rises_in_a_line_to_the_peak(shape: Shape) -> None:
    assert factors(shape)[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert factors(shape)[10] == pytest.approx(1.0)


def test_linear_and_cosine_end_at_the_final_fraction_and_meet_half_way() -> None:
    linear, cosine = factors("linear"), factors("cosine")
    assert linear[100] == pytest.approx(0.1)
    assert cosine[100] == pytest.approx(0.1)
    assert linear[55] == pytest.approx(0.55)
    assert cosine[55] == pytest.approx(0.55)
    assert cosine[30] > linear[30] > linear[80] > cosine[80]


def test_constant_stays() -> None:
    assert set(factors("constant")[9:]) == {1.0}


def test_warmup_takes_a_tenth_of_a_short_run_at_most() -> None:
    assert factors("constant", total=20, warmup=200)[:3] == pytest.approx([0.5, 1.0, 1.0])
    assert learning_rate_factor(0, total=1, warmup=200, shape="cosine", final=0.0) == 1.0


def test_no_warmup_starts_at_the_peak_and_later_steps_stay_at_the_end() -> None:
    assert factors("cosine", warmup=0)[0] == 1.0
    assert learning_rate_factor(500, total=100, warmup=0, shape="linear", final=0.1) == pytest.approx(0.1)


def test_wsd_stays_at_the_peak_and_decays_in_its_last_steps() -> None:
    found = [
        learning_rate_factor(step, total=100, warmup=5, shape="wsd", final=0.1, decay_steps=16) for step in range(101)
    ]
    assert set(found[5:85]) == {1.0}
    assert found[88] == pytest.approx(0.1 + 0.9 * 0.5)  # a quarter of the decay is done: 1 − √¼
    assert found[100] == pytest.approx(0.1)
    assert found[84:] == sorted(found[84:], reverse=True)


def test_wsd_decays_for_a_tenth_unless_told_otherwise() -> None:
    found = factors("wsd", final=0.0)
    assert (found[90], found[100]) == (1.0, 0.0)
    assert found[91] < 1.0
    assert learning_rate_factor(1, total=4, warmup=0, shape="wsd", final=0.0, decay_steps=99) == pytest.approx(0.5)
