"""The demo clears only what it wrote."""

from __future__ import annotations

import pytest

from nnunet_reportseg.demo.workspace import prepare_workspace
from nnunet_reportseg.errors import PathsError


def test_overwriting_keeps_files_of_others(tmp_path):
    out = tmp_path / "out"
    prepare_workspace(out, overwrite=False)
    (out / "thesis.docx").touch()
    (out / "results.json").touch()
    with pytest.raises(PathsError, match="overwrite"):
        prepare_workspace(out, overwrite=False)
    work = prepare_workspace(out, overwrite=True)
    assert (out / "thesis.docx").exists()
    assert not (out / "results.json").exists()
    assert (work / "nnUNet_raw").is_dir()


def test_a_foreign_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(PathsError, match="other files"):
        prepare_workspace(tmp_path, overwrite=True)
