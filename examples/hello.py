"""Typed routes in one file.

spikard serve examples/hello.py
curl 'http://127.0.0.1:8000/items/7?q=tea'
curl -d '{"tea": "Assam", "grams": 100}' -H 'content-type: application/json' http://127.0.0.1:8000/orders
"""

from typing import Annotated

import msgspec

from spikard import HTMLResponse, Query, Spikard

app = Spikard()

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Spikard</title>
<style>
  body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 38rem; margin: 4rem auto; padding: 0 1rem; color: #223 }
  code { background: #eef; padding: .1em .3em; border-radius: .2em }
</style>
<h1>It works.</h1>
<p>This page was sent by a Python function that Spikard's server called.</p>
<ul>
  <li><a href="/items/7?q=tea">/items/7?q=tea</a>: a path parameter and a query parameter, both typed</li>
  <li><a href="/items/seven">/items/seven</a>: what is refused says why</li>
  <li><code>POST /orders</code> with <code>{"tea": "Assam", "grams": 100}</code>: a body with rules</li>
</ul>
"""


class Order(msgspec.Struct):
    """What somebody wants."""

    tea: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    grams: Annotated[int, msgspec.Meta(ge=25, le=1000)]


class Receipt(msgspec.Struct):
    """What it costs."""

    tea: str
    cents: int


@app.get("/")
async def home() -> HTMLResponse:
    """A page to begin with."""
    return HTMLResponse(PAGE)


@app.get("/items/{item_id}")
async def item(item_id: int, q: Annotated[str | None, Query(max_length=50)] = None) -> dict[str, int | str | None]:
    """A number out of the path and a text out of the query."""
    return {"id": item_id, "q": q}


@app.post("/orders", status_code=201)
async def order(body: Order) -> Receipt:
    """A body that is checked before this function runs."""
    return Receipt(tea=body.tea, cents=body.grams * 4)


if __name__ == "__main__":
    app.run()
