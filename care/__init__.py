"""The core of care: knows no channel, no Rasa, no web."""
