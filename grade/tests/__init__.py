"""Tests of the grader itself: python3 -m unittest discover -s grade/tests -t ."""
