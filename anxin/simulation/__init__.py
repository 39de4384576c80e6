"""Synthetic members who live through a recovery, to see what a policy does before it meets anybody real."""
