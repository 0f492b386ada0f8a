"""Fixtures for every room; the expensive ones are built once per session."""

from pathlib import Path

import pytest

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture(scope="session")
def samples() -> Path:
    """The sample workbooks of a synthetic city, faulty ones and expected results among them."""
    return SAMPLES
