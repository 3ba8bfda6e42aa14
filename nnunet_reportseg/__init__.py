"""Report-guided 3D segmentation as a plugin for nnU-Net v2.

Importing this package is cheap on purpose: nothing here imports torch, so that ``reportseg --help`` answers at once.
"""

from nnunet_reportseg.version import __version__

__all__ = ["__version__"]
