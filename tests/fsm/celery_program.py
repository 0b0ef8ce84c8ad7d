"""An application of Celery whose workers fire timers: `TIMERS_BROKER` and `TIMERS_DATABASE` say where."""

import os

from celery import Celery

from spikard.fsm import CeleryScheduler, FsmRuntime

URL = os.environ["TIMERS_DATABASE"]

app = Celery("timers", broker=os.environ["TIMERS_BROKER"])
app.conf.task_default_queue = os.environ["TIMERS_QUEUE"]
app.conf.broker_connection_retry_on_startup = True
scheduler = CeleryScheduler(app, database=URL, runtime=lambda: FsmRuntime.from_url(URL))
scheduler.register_task()
