"""Many events for few entities, through several workers: each once, in order, and nothing grows."""
