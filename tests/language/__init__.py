"""How well messages are understood: sets of labelled messages, figures over them, and a report for people."""
