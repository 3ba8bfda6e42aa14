"""Package discovery; all metadata is in pyproject.toml.

``trainers/`` is packaged as ``nnunet_reportseg.trainers``, so that site-packages gets no top-level ``trainers``.
The guard matters: nnU-Net executes the modules of a trainer folder, and a path to this folder must do no harm.
"""

from setuptools import find_packages, setup

if __name__ == "__main__":
    packages = find_packages(include=["text_conditioning*", "nnunet_reportseg*"])
    setup(
        packages=[*packages, "nnunet_reportseg.trainers"],
        package_dir={"nnunet_reportseg.trainers": "trainers"},
    )
