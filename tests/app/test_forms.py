"""Forms: fields by name, whole forms, media types beside JSON."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pydantic
import pytest

from spikard import Body, File, Form, Request, Spikard, UploadFile, register_decoder
from spikard.schema import custom
from tests.conftest import Serve


@dataclass
class Login:
    name: str
    age: int
    tags: list[str] | None = None
    on: bool = False


class Doc(msgspec.Struct):
    title: str
    file: UploadFile
    text: str
    raw: bytes
    note: str | None = None


def test_fields_are_arguments(serve: Serve) -> None:
    app = Spikard()

    @app.post("/")
    async def login(name: Annotated[str, Form(min_length=2)], age: Annotated[int, Form()] = 7) -> Any:
        return [name, age]

    client = serve(app).client
    assert client.post("/", data={"name": "ada", "age": "36"}).json() == ["ada", 36]
    assert client.post("/", files={"name": (None, "ada")}).json() == ["ada", 7]
    refused = client.post("/", data={"name": "a", "age": "x"})
    assert refused.status_code == 422
    assert [(fault["type"], fault["loc"]) for fault in refused.json()["errors"]] == [
        ("int_parsing", ["body", "age"]),
        ("string_too_short", ["body", "name"]),
    ]
    assert client.post("/", json={"name": "ada"}).status_code == 415


def test_a_form_is_a_type(serve: Serve) -> None:
    app = Spikard()

    @app.post("/form")
    async def form(login: Annotated[Login, Form()]) -> Login:
        return login

    @app.post("/any")
    async def either(login: Login) -> Login:
        return login

    @app.post("/uuid")
    async def typed(body: Annotated[dict[str, UUID], Form()]) -> Any:
        return {name: value.hex for name, value in body.items()}

    client = serve(app).client
    expected = {"name": "ada", "age": 1, "tags": ["x"], "on": True}
    sent = {"name": "ada", "age": "1", "tags": ["x"], "on": "yes"}
    assert client.post("/form", data=sent).json() == expected
    assert client.post("/any", data=sent).json() == expected
    assert client.post("/any", json=expected).json() == expected
    assert client.post("/uuid", data={"a": str(UUID(int=1))}).json() == {"a": UUID(int=1).hex}
    assert client.post("/uuid", data={"a": "no"}).status_code == 422


def test_an_optional_form_may_be_absent(serve: Serve) -> None:
    app = Spikard()

    @app.post("/")
    async def form(login: Annotated[Login | None, Form()] = None) -> Any:
        return login

    client = serve(app).client
    assert client.post("/").json() is None
    assert client.post("/", data={"name": "a", "age": "1"}).json()["name"] == "a"


def test_parameters_and_fields_are_told_together(serve: Serve) -> None:
    app = Spikard()

    @app.post("/{number}")
    async def form(number: int, name: Annotated[str, Form()], file: UploadFile) -> Any:
        return number

    answer = serve(app).client.post("/x", files={"other": ("a.txt", b"1")})
    assert [fault["loc"] for fault in answer.json()["errors"]] == [
        ["path", "number"],
        ["body", "name"],
        ["files", "file"],
    ]


def test_a_typed_body_holds_files(serve: Serve) -> None:
    app = Spikard()

    @app.post("/")
    async def store(body: Doc) -> Any:
        return [body.title, body.file.filename, body.text, body.raw.decode(), body.note]

    client = serve(app).client
    files = {"file": ("a.txt", b"1"), "text": ("b.txt", b"text"), "raw": ("c.bin", b"raw")}
    assert client.post("/", files=files, data={"title": "T"}).json() == ["T", "a.txt", "text", "raw", None]
    refused = client.post("/", json={"title": "T", "file": "no file", "text": "", "raw": ""})
    assert (refused.status_code, refused.json()["errors"][0]["loc"]) == (422, ["body", "file"])


def test_pydantic_models_hold_files(serve: Serve) -> None:
    model = pydantic.create_model("Album", name=(str, ...), photos=(list[UploadFile], ...), year=(int, 2000))
    app = Spikard()

    async def store(album: Any) -> Any:
        return [album.name, [photo.filename for photo in album.photos], album.year]

    store.__annotations__["album"] = model
    app.post("/")(store)
    answer = serve(app).client.post("/", files=[("photos", ("a.png", b"1"))], data={"name": "n", "year": "1999"})
    assert answer.json() == ["n", ["a.png"], 1999]


def test_a_form_beside_files(serve: Serve) -> None:
    app = Spikard()

    @app.post("/", file_params={"file": {"required": True}})
    async def store(body: dict[str, Any], file: UploadFile) -> Any:
        return [body, file.filename]

    client = serve(app).client
    assert client.post("/", files={"file": ("a.txt", b"1")}, data={"x": "1"}).json() == [{"x": "1"}, "a.txt"]


def test_request_form(serve: Serve) -> None:
    app = Spikard()

    @app.post("/")
    async def form(request: Request) -> Any:
        form = await request.form()
        assert request.form() is form
        return [[name, value if isinstance(value, str) else value.filename] for name, value in form.multi_items()]

    @app.post("/last")
    def last(request: Request) -> Any:
        form = request.form()
        return [form["a"], form.getlist("a"), form.get("b", "none"), "a" in form, len(form)]

    client = serve(app).client
    assert client.post("/", data={"a": ["1", "2"]}).json() == [["a", "1"], ["a", "2"]]
    assert client.post("/", files={"f": ("a.txt", b"1")}, data={"a": "é"}).json() == [["a", "é"], ["f", "a.txt"]]
    assert client.post("/").json() == []
    assert client.post("/last", data={"a": ["1", "2"]}).json() == ["2", ["1", "2"], "none", True, 1]
    assert client.post("/", json={}).status_code == 415
    wrong = {"content-type": "multipart/form-data; boundary=b"}
    assert client.post("/", content=b"--b\r\n", headers=wrong).status_code == 400


def test_msgpack_bodies(serve: Serve) -> None:
    app = Spikard()

    @app.post("/")
    async def login(login: Login) -> Login:
        return login

    client = serve(app).client
    headers = {"content-type": "application/msgpack"}

    def post(value: bytes) -> Any:
        return client.post("/", content=value, headers=headers)

    good = {"name": "ada", "age": 1, "tags": None, "on": False}
    assert post(msgspec.msgpack.encode(good)).json() == good
    refused = post(msgspec.msgpack.encode({"name": "ada", "age": "1"}))
    assert (refused.status_code, refused.json()["errors"][0]["type"]) == (422, "int_parsing")
    broken = post(b"\xc1")
    assert (broken.status_code, broken.json()["detail"]) == (400, "Invalid request format")
    assert post(b"").status_code == 422


def test_a_route_says_what_it_takes_and_gives(serve: Serve) -> None:
    app = Spikard()

    @app.post("/", consumes=("application/json",), produces=("application/json", "text/csv"))
    async def either(body: dict[str, Any]) -> Any:
        return body

    client = serve(app).client
    assert client.post("/", json={"a": 1}).json() == {"a": 1}
    assert client.post("/", data={"a": "1"}).status_code == 415
    refused = client.post("/", json={}, headers={"accept": "text/html, image/*"})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (406, "not-acceptable")
    for accept in ("text/*;q=0.1", "*/*", "application/json"):
        assert client.post("/", json={}, headers={"accept": accept}).status_code == 200


def test_a_model_may_be_lax(serve: Serve) -> None:
    model = pydantic.create_model("Lax", n=(int, ...))
    app = Spikard()

    async def lax(body: Any = Body(coerce=True)) -> Any:
        return body.n

    lax.__annotations__["body"] = model
    app.post("/")(lax)
    client = serve(app).client
    assert client.post("/", json={"n": "7"}).json() == 7
    assert client.post("/", data={"n": "7"}).json() == 7
    assert client.post("/", json={"n": "x"}).status_code == 422


class Celsius:
    def __init__(self, degrees: float) -> None:
        self.degrees = degrees


class Reading(msgspec.Struct):
    at: str
    temperature: Celsius


def test_decoders_build_types_of_the_application(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom, "_registered", [])
    register_decoder(lambda cls, value: Celsius(float(value)) if cls is Celsius else NotImplemented)
    register_decoder(lambda cls, value: NotImplemented)
    app = Spikard()

    @app.post("/")
    async def read(body: Reading) -> Any:
        return body.temperature.degrees

    client = serve(app).client
    assert client.post("/", json={"at": "now", "temperature": 21.5}).json() == 21.5
    assert client.post("/", json={"at": "now", "temperature": "hot"}).status_code == 422


def test_files_as_bytes_and_text(serve: Serve) -> None:
    app = Spikard()

    @app.post("/")
    async def read(
        raw: Annotated[bytes, File()], text: Annotated[str, File()], many: Annotated[list[bytes], File()]
    ) -> Any:
        return [raw.decode(), text, len(many)]

    client = serve(app).client
    files = [("raw", ("r", b"1")), ("text", ("t", b"2")), ("many", ("m", b"3")), ("many", ("m", b"4"))]
    assert client.post("/", files=files).json() == ["1", "2", 2]
    files[1] = ("text", ("t", b"\xff"))
    refused = client.post("/", files=files)
    assert (refused.status_code, refused.json()["errors"][0]["loc"]) == (422, ["files", "text"])
