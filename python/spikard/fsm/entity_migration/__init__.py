"""Entities that go on in another version of their machine."""
