"""The pulse of the house: short ticks that find what is due. Nothing is ever stored in a job store."""
