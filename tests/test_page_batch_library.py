"""From the Batch page into the library, without a browser: what the table shows; nothing while it is off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from blipper import library as lib
from blipper.batch import process
from blipper.library import place
from tests.batch.conftest import DOUBLE
from tests.conftest import ROOT
from tests.test_page_batch import PAGE, SCENE, finish, held, shown
from ui import batch_run, library_state


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(batch_run.tempfile, "tempdir", str(folder))
    monkeypatch.setattr(process, "WORKER", DOUBLE)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("BLIPPER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("BLIPPER_LIBRARY_URL", raising=False)
    yield
    library_state.close()


def test_what_the_filter_shows_is_saved(tmp_path: Path) -> None:
    page = AppTest.from_file(str(PAGE), default_timeout=300).run()
    files = [
        ("calm.ogg", SCENE.read_bytes(), "audio/ogg"),
        ("other.ogg", SCENE.read_bytes() + b"\0", "audio/ogg"),
    ]
    page.file_uploader[0].set_value([*files, ("broken.wav", b"nothing", "audio/wav")]).run()
    page.button(key="blipper_batch_start").click().run()
    finish(page)
    assert not any("library" in one.label for one in page.expander), "the library is off"
    assert not (tmp_path / "home").exists()

    place.choose(place.Choices(on=True))
    page.run()
    assert any(one.label == "Save the 2 recordings above to the library" for one in page.expander)
    assert page.button(key="blipper_batch_save").disabled
    page.text_input(key="blipper_analyst_batch").set_value("Ana").run()
    page.text_input(key="blipper_batch_text").set_value("other").run()
    assert any(one.label == "Save the recording above to the library" for one in page.expander)
    page.checkbox(key="blipper_batch_keep_sound").check().run()
    page.text_input(key="blipper_batch_tags").set_value("june, calls").run()
    page.button(key="blipper_batch_save").click().run()
    assert not page.exception, page.exception
    assert "1 added; 0 were there. The sound of 1 was kept." in shown(page)
    database = lib.open_library()
    [item] = lib.search(database)
    assert (item.name, item.tags, item.added_by, item.audio) == (
        *("other.ogg", ("calls", "june"), "Ana"),
        {"mix"},
    )
    page.text_input(key="blipper_batch_text").set_value("").run()
    page.checkbox(key="blipper_batch_keep_sound").uncheck().run()
    page.button(key="blipper_batch_save").click().run()
    assert "1 added; 1 were there. The sound of 0 was kept." in shown(page)
    assert lib.count(database) == 2
    database.close()
    assert not held(page).is_working
