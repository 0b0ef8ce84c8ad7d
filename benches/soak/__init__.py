"""The soak: hostile traffic against a server, with proof that every well-formed request is answered."""
