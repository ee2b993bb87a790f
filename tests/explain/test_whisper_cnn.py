"""Explanations go end to end through a whisper-cnn: from Whisper's log-mel down, encoder included."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from blipper.explain.background import Background
from blipper.explain.faithfulness_clip import shuffled
from blipper.explain.gradients import log_odds
from blipper.explain.shap_gradients import shap_pieces
from blipper.explain.targets import target_index
from blipper.explain.voice import integrated_gradients
from blipper.voice.models import VoiceModel, load_model
from tests.voice.whisper_double import write_encoder, write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VoiceModel]:
    root = tmp_path_factory.mktemp("models")
    write_model(root / "whisper-cnn", write_encoder(root / "encoder.safetensors"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLIPPER_WHISPER", str(root))
        yield load_model("whisper-cnn", root)


def test_both_methods_explain_it_on_its_own_input(model: VoiceModel) -> None:
    rng = np.random.default_rng(2)
    sound = rng.normal(0, 0.05, 20_000).astype(np.float32)
    quiet = (0.3 * rng.normal(0, 0.05, 20_000) * np.linspace(0, 1, 20_000)).astype(np.float32)
    inputs = model.inputs_of(quiet, 16_000, [0.0], [1.0])
    background = Background((inputs.frames[0, : inputs.lengths[0]],), {}, "noise")
    found = integrated_gradients(model, sound, 16_000, background=background)
    assert found.values.shape == (125, 80)
    assert len(found.bands) == 80
    assert np.abs(found.values).max() > 0
    assert found.completeness_error < 0.02 * abs(found.difference) + 0.02
    heard = model.inputs_of(sound, 16_000, [0.0], [1.25])
    (piece,) = shap_pieces(model, heard, background, target_index("aggression"), draws=100)
    error = abs(piece.values.sum() - (piece.log_odds - piece.base))
    assert error < 5 * np.sqrt(piece.variance) + 0.05 * abs(piece.log_odds - piece.base)


def test_its_weights_can_be_shuffled_for_a_while(model: VoiceModel) -> None:
    inputs = model.inputs_of(
        np.random.default_rng(3).normal(0, 0.05, 16_000).astype(np.float32), 16_000, [0.0], [1.0]
    )

    def odds() -> np.ndarray:
        return log_odds(model, inputs.frames, inputs.lengths)

    before = odds()
    with pytest.raises(KeyboardInterrupt), shuffled(model):
        assert np.abs(odds() - before).max() > 1e-3
        raise KeyboardInterrupt
    np.testing.assert_array_equal(odds(), before)
