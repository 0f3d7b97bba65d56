"""Profiles: what is written is read again, and what is damaged is refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dse.errors import InvalidValue, UnknownName
from dse.latency.profile import FORMAT, Profile, find_profile, profile_names, slug
from tests.latency.profiles import made_up


def test_a_profile_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "made-up.json"
    made_up().write(path)
    first = Profile.load(path)
    assert first.kernels[0].kernel == made_up().kernels[0].kernel
    assert [n.kernels for n in first.networks] == [n.kernels for n in made_up().networks]
    assert first.kernels[7].us == pytest.approx(made_up().kernels[7].us, rel=1e-4)
    assert Profile.read(first.to_json()) == first


def test_another_format_version_is_refused_with_both() -> None:
    document = {**json.loads(made_up().to_json()), "format": FORMAT + 1}
    with pytest.raises(InvalidValue, match=rf"format {FORMAT}, got format {FORMAT + 1}"):
        Profile.read(json.dumps(document))


@pytest.mark.parametrize("text", ["", "[]", "null", "7", "{", '{"format": 1}'])
def test_damaged_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="the profile"):
        Profile.read(text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cpu", None),
        ("signatures", []),
        ("kernels", [[0, -1.0, 0.1, 3]]),
        ("kernels", [[0, "fast", 0.1, 3]]),
        ("networks", [{"name": "n", "ms": float("nan"), "spread": 0, "count": 1, "kernels": []}]),
        ("layout", {"block": 8, "colour": "red"}),
        ("name", "../up"),
        ("kernels", []),
        ("networks", []),
    ],
)
def test_a_damaged_field_is_refused(field: str, value: object) -> None:
    document = {**json.loads(made_up().to_json()), field: value}
    if field == "cpu":
        del document[field]
    with pytest.raises(InvalidValue):
        Profile.read(json.dumps(document))


def test_profiles_are_found_by_name_and_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DSE_DEVICES", str(tmp_path / "devices"))
    assert profile_names() == ()
    made_up().write(tmp_path / "devices" / "board.json")
    assert profile_names() == ("board",)
    assert (
        find_profile("board").kernels == find_profile(str(tmp_path / "devices/board.json")).kernels
    )
    with pytest.raises(UnknownName, match="did you mean 'board'"):
        find_profile("bored")
    with pytest.raises(InvalidValue, match="cannot be read"):
        find_profile(str(tmp_path / "none.json"))


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz", "ort"), "intel-core-i7-8650u-cpu"),
        (("Raspberry Pi 4 Model B Rev 1.2",), "raspberry-pi-4-model-b-rev-1-2"),
        (("()",), "device"),
    ],
)
def test_a_machine_names_its_profile(words: tuple[str, ...], name: str) -> None:
    assert slug(*words).startswith(name)
