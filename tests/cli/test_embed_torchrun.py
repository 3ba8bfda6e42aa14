"""Several processes of torchrun fill one bank."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nnunet_reportseg.case_reports import read_case_reports
from nnunet_reportseg.data.phantom import write_phantom
from nnunet_reportseg.embedding import BANK_FOLDER, sentences_of
from nnunet_reportseg.paths import PREPROCESSED, RAW
from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar
from text_conditioning.bank import EmbeddingBank

BIN = Path(sys.executable).parent


@pytest.mark.slow
def test_torchrun_gives_the_bank_of_one_process(tmp_path):
    raw = write_phantom(
        tmp_path / RAW, dataset_id=501, name="Team", num_training=60, num_test_volumes=1, shape=(16, 24, 40), seed=0
    )
    banks = []
    for name, command in (
        ("alone", [str(BIN / "reportseg")]),
        ("together", [str(BIN / "torchrun"), "--nproc_per_node", "2", "--no-python", str(BIN / "reportseg")]),
    ):
        folder = tmp_path / name / raw.name
        folder.mkdir(parents=True)
        environment = {**os.environ, RAW: str(tmp_path / RAW), PREPROCESSED: str(tmp_path / name)}
        done = subprocess.run(
            [*command, "embed", "-d", "501", "--device", "cpu"],
            env={**environment, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("60 cases") == 1
        (index,) = EmbeddingBank.available(folder / BANK_FOLDER)
        banks.append(EmbeddingBank.open(folder / BANK_FOLDER, index.fingerprint))
        assert Sidecar.load(folder / SIDECAR_NAME).case_ids
    sidecar = Sidecar.load(raw / SIDECAR_NAME)
    sentences = sentences_of(read_case_reports(sidecar, list(sidecar.case_ids)).values())
    alone, together = banks
    assert len(alone) == len(together) > 256, "more than one chunk, so that both processes have work"
    np.testing.assert_array_equal(alone.vectors(sentences), together.vectors(sentences))
