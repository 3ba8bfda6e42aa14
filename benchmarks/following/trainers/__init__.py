"""The folder in which nnU-Net finds the benchmark's own trainers (``nnUNet_extTrainer``): re-exports only."""
