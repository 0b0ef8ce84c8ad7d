"""Events for entities that are kept somewhere.

- `orchestrator`: load, validate, compute, keep, act
- `steps`, `attempt`, `requests`, `drivers`: the same, apart from who waits, and those who do
- `plain`: the same for events that ask for nothing but the step
- `store_access`: any store as one that keeps whole steps
- `fallback`: where entities go when an event does not fit
- `invoke`: services that live as long as a state
- `idempotency`: events that come twice
"""
