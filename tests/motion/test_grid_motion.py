"""What moves by itself in any scene is found, with its place, way, speed and time, whatever the camera does."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from emotrain.context.grid_words import describe, elsewhere
from emotrain.context.vocabularies import describing
from emotrain.motion.grid_motion import SIZE, GridSettings, grid_events
from emotrain.records import Event
from emotrain.synthetic.objects import FPS, render_object, write_object

TOLD = {
    "pushed": [{"left", "at medium speed"}, {"right", "at medium speed"}],
    "lifted": [{"up", "at medium speed"}, {"up", "slowly"}],
    "dropped": [{"down", "fast"}, {"down", "at medium speed"}],
    "early flash": [{"brighter"}],
    "late knock": [{"shakes"}],
}


def seen(label: str, seed: int) -> tuple[list[Event], float | None]:
    """The events told of a drawn clip, and when its own happens."""
    script = write_object(label, np.random.default_rng([seed, 5]))

    def grey() -> Iterator[tuple[float, np.ndarray]]:
        for t, frame in enumerate(render_object(script, 128, np.random.default_rng([seed, 3]))):
            flat = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
            yield t / FPS, cv2.resize(flat, (SIZE, SIZE), interpolation=cv2.INTER_AREA)

    return grid_events(grey(), GridSettings()), script.apex_s


@pytest.mark.parametrize("label", TOLD)
def test_what_happens_is_told_once_at_its_time_and_as_what_it_is(label: str) -> None:
    for seed in (11, 12):
        (event,), apex_s = seen(label, seed)
        assert set(event.action_units) in TOLD[label]
        assert apex_s is not None
        assert abs((event.onset_s + event.offset_s) / 2 - apex_s) < 0.2


@pytest.mark.parametrize("label", ["untouched", "nothing"])
def test_a_camera_that_drifts_over_a_still_scene_is_no_event(label: str) -> None:
    assert not seen(label, 13)[0]


def test_words_never_name_a_class_and_the_wrong_place_is_another_sentence() -> None:
    event = Event(0.5, 0.7, 0.9, ("lower left", "lower right"), ("right", "fast"), 20.0)
    text = "0.50-0.90 s: something moves to the right fast, from lower left to lower right (peak 0.70 s)."
    assert describe([event]) == text
    assert describe([elsewhere(event, "")]) == text.replace("to the right fast", "to the left fast").replace(
        "from lower left to lower right", "from upper right to upper left"
    )
    light = Event(0.5, 0.6, 0.7, ("everywhere",), ("brighter",), 10.0)
    assert describe([light]) == "0.50-0.70 s: it gets brighter everywhere (peak 0.60 s)."
    assert describe([elsewhere(light, "")]) != describe([light])
    assert "变亮" in describe([light], language="zh")
    assert describe([]) == describing("motion")([])
    assert describe([event] * 10).endswith("and 2 weaker changes.")
