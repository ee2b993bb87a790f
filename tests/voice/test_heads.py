"""The head over Whisper's encoder: shapes, padding, names, and settings that make no sense."""

from __future__ import annotations

import numpy as np
import pytest

from blipper.errors import ModelError
from blipper.voice.heads import HeadSettings, all_variables, build_head, build_heads, head_variables

SMALL = HeadSettings(width=16, channels=8, dilations=(1, 2), squeeze=4, embedding=16, members=2)


def frames(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(1, n, 4, 16)).astype(np.float32)


def test_what_lies_behind_the_sound_takes_no_part() -> None:
    head = build_head(SMALL)
    for variable in head_variables(head).values():
        variable.assign(np.abs(np.random.default_rng(3).normal(0.3, 0.3, variable.shape)))
    short, lengths = frames(13), np.array([13], np.int32)
    alone = head.judge(head.listen([short, lengths])).numpy()
    padded = np.full((1, 40, 4, 16), 7.0, np.float32)
    padded[:, :13] = short
    assert np.allclose(head.judge(head.listen([padded, lengths])).numpy(), alone, atol=1e-4)
    assert not np.allclose(head.judge(head.listen([padded, lengths + 5])).numpy(), alone, atol=1e-2)


@pytest.mark.parametrize("plain", [0, 1])
def test_members_have_the_same_variables_and_names_of_their_own(plain: int) -> None:
    settings = HeadSettings(**{**SMALL.to_dict(), "dilations": (1,), "plain": plain})
    heads = build_heads(settings)
    names = all_variables(heads)
    assert len(heads) == 2 and len(names) == 2 * len(head_variables(heads[0], "member0_"))
    single = head_variables(build_head(settings, dropout=0.5, extras=2))
    assert {name.removeprefix("1/") for name in names if name.startswith("1/")} == set(single)
    assert ("plain_norm/gamma" in single) == bool(plain)
    assert heads[0].judge(heads[0].listen([frames(9), np.array([9], np.int32)])).shape == (1, 9)


def test_a_perceptron_hears_plain_means_and_deviations_alone() -> None:
    settings = HeadSettings(**{**SMALL.to_dict(), "dilations": (1,), "members": 1, "perceptrons": 2})
    heads = build_heads(settings)
    assert len(heads) == 3 and HeadSettings.from_dict(settings.to_dict()) == settings
    names = set(all_variables(heads))
    assert "0/project/kernel" in names and not {"1/project/kernel", "2/project/kernel"} & names
    assert {"1/embedding/kernel", "2/plain_norm/gamma"} <= names
    sound, lengths = frames(12), np.array([12], np.int32)
    heard = heads[1].listen([sound, lengths]).numpy()
    turned = heads[1].listen([sound[:, ::-1], lengths]).numpy()
    assert np.allclose(heard, turned, atol=1e-5)  # the order of frames says nothing to it
    flat = sound[0].reshape(12, -1)
    expected = np.concatenate([sound[0].mean(0), np.sqrt(sound[0].var(0) + 1e-4)], axis=1).ravel()
    assert heard.shape == (1, 2 * flat.shape[1]) and np.allclose(heard[0], expected, atol=2e-3)


def test_inner_layers_are_heard_by_their_means() -> None:
    settings = HeadSettings.from_dict(SMALL.to_dict() | {"inner": [1, 3], "plain_from": 2, "members": 1})
    assert settings.slices == 12 and HeadSettings.from_dict(settings.to_dict()) == settings
    head = build_head(settings, perceptron=True)
    sound = np.random.default_rng(1).normal(size=(1, 20, 12, 16)).astype(np.float32)
    heard = head.listen([sound, np.array([14], np.int32)]).numpy()[0]
    blocks, inner = sound[0, :14, 2:4], sound[0, :14, 4:]
    plain = np.concatenate([blocks.mean(0), np.sqrt(blocks.var(0) + 1e-4)], axis=1).ravel()
    np.testing.assert_allclose(heard, np.concatenate([plain, inner.mean(0).ravel()]), atol=2e-3)
    # What stands out is looked for in the blocks alone.
    whole = build_head(settings)
    other = sound.copy()
    other[:, :, 4:] += 1
    lengths = np.array([20], np.int32)
    found, moved = (whole.listen([x, lengths]).numpy()[0] for x in (sound, other))
    n = 2 * 2 * 16 + 8 * 16
    assert len(found) == n + 2 * SMALL.channels
    np.testing.assert_allclose(found[n:], moved[n:], atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"members": 0}, "members is 0"),
        ({"perceptrons": -1}, "perceptrons is -1"),
        ({"perceptrons": 1, "plain": 0}, "perceptrons and inner layers are heard by nothing else"),
        ({"dilations": 3}, "dilations is 3"),
        ({"plain_from": 4}, "plain_from is 4, expected 0 to 3"),
        ({"inner": 1}, "inner is 1, expected a list"),
        ({"inner": [4]}, r"inner is \[4\], expected different blocks from 0 to 3"),
        ({"inner": [2, 1]}, "in ascending order"),
        ({"inner": [1, 1]}, "expected different blocks"),
        ({"inner": [1], "blocks": 3}, "blocks is 3; with inner layers expected all 4"),
        ({"inner": [1], "plain": 0}, "inner layers are heard by nothing else"),
        ({"channels": 2.5}, r"channels is 2\.5"),
        ({"colour": 1}, "are not Blipper's"),
    ],
)
def test_settings_from_a_file_are_checked(change: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        HeadSettings.from_dict(SMALL.to_dict() | change)
    assert HeadSettings.from_dict(SMALL.to_dict()) == SMALL
