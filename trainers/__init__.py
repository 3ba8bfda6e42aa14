"""The folder nnU-Net searches for trainers (``nnUNet_extTrainer``): re-exports only, never definitions."""
