"""Two builds of Spikard, request for request."""
