"""Input of a prediction is checked before anything is written.

nnU-Net's predict_from_files and predict_from_files_sequential write their settings into the output folder, and list
the cases only then (nnunetv2 2.8, inference/predict_from_raw_data.py). A refusal must leave nothing behind, so the
cases are listed, and their reports read, before nnU-Net begins; it is given the same list when it asks for it.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

_SOURCE = "list_of_lists_or_source_folder"
_OUTPUT = "output_folder_or_list_of_truncated_output_files"
_OTHERS = ("folder_with_segs_from_prev_stage", "overwrite", "part_id", "num_parts", "save_probabilities")


def checked_before_writing(original: Any) -> Any:
    """A predicting method of nnUNetPredictor that calls ``_manage_input_and_output_lists`` before all else.

    Args:
        original: ``predict_from_files`` or ``predict_from_files_sequential``.

    Returns:
        The method, with the same signature, by which nnU-Net notes what it was called with.
    """
    signature = inspect.signature(original)

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        given = bound.arguments
        options = {name: given[name] for name in _OTHERS if name in given}
        listed = self._manage_input_and_output_lists(given[_SOURCE], given[_OUTPUT], **options)
        self._manage_input_and_output_lists = lambda *_, **__: listed
        try:
            return original(self, *args, **kwargs)
        finally:
            del self._manage_input_and_output_lists

    return method
