"""What all tests share: where the corpora are, and synthetic signals with known answers."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Several workers share the processor, and each gets its part, before NumPy reads this: threads of one worker
# that spin while they wait for the other's make a training in a test take three times as long.
if "PYTEST_XDIST_WORKER" in os.environ:
    share = max(1, (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"]))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(name, str(share))

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("BLIPPER_DATA", ROOT.parent / "shared"))


def pytest_configure(config: pytest.Config) -> None:
    """Give each of several workers its own folder for temporary files: some tests look for strays there."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        folder = tempfile.mkdtemp(prefix=f"blipper-{worker}-")
        Path(folder).chmod(0o755)  # PostgreSQL's server is another user's
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def needed(path: Path) -> Path:
    """Return a part of the data, or skip with the reason; fail where BLIPPER_REQUIRE_DATA is set."""
    if not path.exists():
        why = f"needs the corpora: no {path} (set BLIPPER_DATA)"
        if os.environ.get("BLIPPER_REQUIRE_DATA"):
            pytest.fail(why)
        pytest.skip(why)
    return path


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder with the corpora."""
    return needed(DATA / "ravdess").parent


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a seeded generator."""
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def warm_engine(request: pytest.FixtureRequest) -> None:
    """Load the model before a page is tested, once.

    AppTest parses scripts; doing so while TensorFlow parses in the worker trips a fault of Python 3.11 ("AST
    constructor recursion depth mismatch"), which the app's own settings rule out.
    """
    if request.path.name.startswith("test_page_"):
        from ui.engine import engine

        assert engine().worker.warm.wait(300)


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Put the main module back: AppTest leaves a page there, which processes started later would run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


def pytest_sessionfinish() -> None:
    """Let the app's worker finish its warm-up: TensorFlow aborts a process that ends while it is starting."""
    engine = sys.modules.get("ui.engine")
    if engine is not None:
        engine.engine().worker.warm.wait(300)
