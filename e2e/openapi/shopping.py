"""Uses a client that was generated from the shop's document; run in an environment of its own.

python shopping.py FOLDER_OF_THE_CLIENT URL
"""

import datetime as dt
import sys
from io import BytesIO

sys.path.insert(0, sys.argv[1])

from tea_shop_client import AuthenticatedClient, Client
from tea_shop_client.api.default import (
    get_seen,
    get_stock,
    get_till,
    post_forms_picture,
    post_forms_review,
    post_receipts,
)
from tea_shop_client.api.teas import (
    delete_teas_tea_id_uuid,
    get_teas,
    get_teas_tea_id_uuid,
    post_teas,
    put_teas_tea_id_uuid_reviews,
)
from tea_shop_client.models import (
    Card,
    CardBy,
    GetSeenKind,
    HTTPValidationProblem,
    Kind,
    NewTea,
    NewTeaNotes,
    Origin,
    PostFormsPictureBody,
    PostFormsReviewBody,
    ProblemDetails,
    Receipt,
    Review,
)
from tea_shop_client.types import File

client = Client(sys.argv[2], raise_on_unexpected_status=True)
keeper = AuthenticatedClient(
    sys.argv[2], token="open sesame", prefix="", auth_header_name="X-API-Key", raise_on_unexpected_status=True
)

# What goes in comes back, whatever its type.
notes = NewTeaNotes()
notes["malt"] = 3
new = NewTea(
    name="Assam & Söhne",
    kind=Kind.BLACK,
    price="12.50",
    grams=250,
    picked=dt.date(2026, 3, 4),
    origin=Origin(country="IN", altitude=None),
    tags=["malty", "strong"],
    notes=notes,
)
tea = post_teas.sync(client=client, body=new)
assert {**new.to_dict(), "id": str(tea.id), "added": "2026-01-02T03:04:05+00:00"} == tea.to_dict(), tea
post_teas.sync(client=client, body=NewTea(name="Sencha", kind=Kind.GREEN, price="9"))

# Queries: enums, lists, numbers.
assert [one.name for one in get_teas.sync(client=client)] == ["Assam & Söhne", "Sencha"]
assert [one.name for one in get_teas.sync(client=client, kind=GetSeenKind.GREEN)] == ["Sencha"]
assert get_teas.sync(client=client, tag=["malty", "strong"], limit=1) == [tea]
assert get_teas.sync(client=client, tag=["malty", "weak"]) == []
refused = get_teas.sync(client=client, limit=101)
assert isinstance(refused, HTTPValidationProblem), refused
assert [(fault.type_, fault.loc) for fault in refused.errors] == [("less_than_equal", ["query", "limit"])]

# Paths, lists as bodies, answers without content, refusals as problems.
assert get_teas_tea_id_uuid.sync(tea.id, client=client) == tea
reviews = [Review(stars=5, text="more!"), Review(stars=4)]
assert put_teas_tea_id_uuid_reviews.sync(tea.id, client=client, body=reviews).to_dict() == {"stars": 4.5}
assert delete_teas_tea_id_uuid.sync_detailed(tea.id, client=client).status_code == 204
gone = get_teas_tea_id_uuid.sync(tea.id, client=client)
assert isinstance(gone, ProblemDetails), gone
assert (gone.status, gone.detail) == (404, "There is no such tea"), gone

# Unions, tuples, headers, cookies.
receipt = Receipt(payment=Card(by=CardBy.CARD, number="1234"), lines=[["Sencha", 2]])
assert post_receipts.sync(client=client, body=receipt) == receipt
since = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
seen = get_seen.sync(client=client, kinds=list(GetSeenKind), since=since, x_agent="a b", session="c")
assert (seen.kinds, seen.since, seen.agent, seen.session) == (list(Kind), since, "a b", "c"), seen

# Forms and files.
review = post_forms_review.sync(client=client, body=PostFormsReviewBody(stars=3, text="ä & ö"))
assert review == Review(stars=3, text="ä & ö"), review
file = File(BytesIO(b"\x00\x01"), file_name="tea.bin", mime_type="application/octet-stream")
stored = post_forms_picture.sync(client=client, body=PostFormsPictureBody(file=file, caption="Tea"))
assert stored.to_dict() == {"filename": "tea.bin", "size": 2, "caption": "Tea"}, stored

# Keys.
assert get_till.sync(client=keeper) == "12.50"
assert get_stock.sync(client=keeper).to_dict() == {"teas": 1}
unknown = get_stock.sync(client=client)
assert isinstance(unknown, ProblemDetails), unknown
assert unknown.status == 401, unknown
print("all of it came back")
