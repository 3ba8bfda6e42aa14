"""Text conditioning of segmentation networks: from report text to sentence vectors and adapters.

Pure torch and transformers; knows nothing of nnU-Net. Import the modules you need: importing the package alone loads
neither torch nor transformers.
"""
