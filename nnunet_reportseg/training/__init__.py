"""Training: nnU-Net's trainer with reports."""
