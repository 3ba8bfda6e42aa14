"""The spy workspace, and a trained model of two folds in it."""

from __future__ import annotations

import pytest

from tests.spy_trainer import make_trainer, set_environment
from tests.spy_workspace import DATASET, write_workspace


@pytest.fixture(scope="session")
def spy_root(tmp_path_factory):
    root = tmp_path_factory.mktemp("spy")
    write_workspace(root)
    return root


@pytest.fixture
def spy_env(spy_root, monkeypatch):
    set_environment(monkeypatch, spy_root)
    return spy_root


@pytest.fixture(scope="session")
def spy_model(spy_root):
    """Folder of a model with folds 0 and 1."""
    with pytest.MonkeyPatch.context() as patch:
        set_environment(patch, spy_root)
        for fold in (0, 1):
            make_trainer(fold).run_training()
    return spy_root / "results" / DATASET / "ReportGuidedTrainer__nnUNetPlans__3d_fullres"
