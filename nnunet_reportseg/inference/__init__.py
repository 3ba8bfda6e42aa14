"""Prediction: nnU-Net's predictor with reports."""
