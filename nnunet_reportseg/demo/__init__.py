"""The main job end to end on the phantom, in minutes."""
