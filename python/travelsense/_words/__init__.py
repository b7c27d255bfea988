"""The questions: one file a word."""
