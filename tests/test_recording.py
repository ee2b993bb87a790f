"""A Recording's blocks and reads, in memory and mapped from a file."""

import numpy as np
import pytest

from blipper.recording import Recording
from tests.helpers import RATE, recording


@pytest.fixture(params=["memory", "file"])
def ramp(request, tmp_path):
    samples = np.stack([np.arange(10 * RATE), -np.arange(10 * RATE)]).astype(np.float32) / (10 * RATE)
    plain = recording(*samples)
    if request.param == "memory":
        return plain
    samples.tofile(tmp_path / "samples")
    mapped = np.memmap(tmp_path / "samples", dtype=np.float32, mode="r", shape=samples.shape)
    return Recording(mapped, RATE, plain.channel_names, plain.provenance)


def test_read_gives_the_samples_between_two_times(ramp):
    block = ramp.read(2.0, 3.5, channel=1)
    assert block.shape == (24_000,)
    assert block[0] == pytest.approx(-0.2)
    assert ramp.read(9.5, 99.0).shape == (8_000,)
    assert ramp.read(-1.0, 0.5).shape == (8_000,)
    assert ramp.read(20.0, 30.0).shape == (0,)


def test_blocks_are_all_the_samples_in_order(ramp):
    blocks = list(ramp.blocks(3.0))
    assert [start for start, _ in blocks] == [0.0, 3.0, 6.0, 9.0]
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), ramp.channel(0))


def test_facts(ramp):
    assert (ramp.n_channels, ramp.n_samples, ramp.duration) == (2, 160_000, 10.0)


def test_shapes_and_types_are_checked(ramp):
    with pytest.raises(ValueError, match="channel names"):
        Recording(np.zeros(5, dtype=np.float32), RATE, ("mix",), ramp.provenance)
    with pytest.raises(ValueError, match="float32"):
        Recording(np.zeros((1, 5)), RATE, ("mix",), ramp.provenance)
