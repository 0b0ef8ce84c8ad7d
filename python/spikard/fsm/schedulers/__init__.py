"""Whoever fires events later.

- `adapter`, `task`: what a scheduler does, and what it keeps
- `in_process`: timers of one event loop
- `due_timer`: a timer whose time has come, as any process understands it
- `durable`: what schedulers share that outlive their process
- `sql`, `redis`, `celery`: where those keep their timers, and who wakes them
- `redis_scripts`: what is done in Redis as one step
- `restoring`: what becomes of the time in which nobody looked
"""
