"""Labs: one folder each (NN-name/), and the staging tool (stage.py)."""
