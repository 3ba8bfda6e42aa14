"""What a user can put right ends nnU-Net's commands like ours; everything else keeps its traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, {repository!r})
from nnunet_reportseg.errors import SidecarError
from nnunet_reportseg.refusals import refuse_in_nnunet_commands
from text_conditioning.errors import BankError
refuse_in_nnunet_commands()
refuse_in_nnunet_commands()
raise {error}
"""


def _run(folder, name, error):
    program = folder / name
    program.write_text(PROGRAM.format(repository=str(REPOSITORY), error=error))
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("error", ["SidecarError('no entry')", "BankError('no entry')"])
@pytest.mark.parametrize("name", ["nnUNetv2_train", "nnUNetv2_predict", "nnUNetv2_train.exe"])
def test_commands_of_nnunet_end_with_the_message_alone_and_exit_code_2(tmp_path, name, error):
    assert _run(tmp_path, name, error) == (2, "error: no entry\n")


@pytest.mark.parametrize(
    ("name", "error"), [("nnUNetv2_train", "RuntimeError('no entry')"), ("my_script.py", "SidecarError('no entry')")]
)
def test_other_errors_and_other_programs_keep_their_traceback(tmp_path, name, error):
    code, printed = _run(tmp_path, name, error)
    assert code == 1
    assert "Traceback" in printed
    assert printed.count("no entry") == 2  # the line of the program, and the message
