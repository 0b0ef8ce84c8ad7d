"""Tests of the installed package, in folders named as those of `python/spikard`."""
