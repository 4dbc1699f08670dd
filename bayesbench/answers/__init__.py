"""Answers from a saved posterior, in numpy alone: conditioning, prediction, ranking, decisions."""
