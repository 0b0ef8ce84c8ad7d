"""Headers that tell browsers to be careful."""

from spikard import Response, ServerConfig, Spikard
from spikard.config import SecurityHeadersConfig
from tests.conftest import Serve

TOLD_SECURE = {"x-forwarded-proto": "https"}


def app_with(headers: SecurityHeadersConfig | None) -> Spikard:
    app = Spikard(config=ServerConfig(security_headers=headers, trusted_proxies=["127.0.0.1"]))

    @app.get("/")
    async def root() -> str:
        return "root"

    @app.get("/own")
    async def own() -> Response:
        return Response("own", headers={"X-Frame-Options": "SAMEORIGIN"})

    return app


def test_every_answer_has_them(serve: Serve) -> None:
    client = serve(app_with(SecurityHeadersConfig())).client
    for path, status in [("/", 200), ("/nowhere", 404), ("/%ff", 400)]:
        response = client.get(path)
        assert response.status_code == status
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
        assert response.headers["referrer-policy"] == "strict-origin-when-cross-origin"
        assert "content-security-policy" not in response.headers
        assert "strict-transport-security" not in response.headers


def test_what_a_handler_says_itself_stands(serve: Serve) -> None:
    client = serve(app_with(SecurityHeadersConfig())).client
    assert client.get("/own").headers.get_list("x-frame-options") == ["SAMEORIGIN"]


def test_https_only_is_said_over_https(serve: Serve) -> None:
    client = serve(app_with(SecurityHeadersConfig(hsts_max_age=60, hsts_include_subdomains=True))).client
    secure = client.get("/", headers=TOLD_SECURE).headers
    assert secure["strict-transport-security"] == "max-age=60; includeSubDomains"
    client = serve(app_with(SecurityHeadersConfig(hsts_max_age=None))).client
    assert "strict-transport-security" not in client.get("/", headers=TOLD_SECURE).headers


def test_each_may_be_changed_or_left_out(serve: Serve) -> None:
    config = SecurityHeadersConfig(
        content_type_options=False,
        frame_options=None,
        referrer_policy=None,
        content_security_policy="default-src 'self'",
        permissions_policy="camera=()",
        cross_origin_opener_policy="same-origin",
        cross_origin_resource_policy="same-site",
    )
    headers = serve(app_with(config)).client.get("/").headers
    assert {"x-content-type-options", "x-frame-options", "referrer-policy"}.isdisjoint(headers)
    assert headers["content-security-policy"] == "default-src 'self'"
    assert headers["permissions-policy"] == "camera=()"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-site"


def test_none_unless_asked_for(serve: Serve) -> None:
    assert "x-content-type-options" not in serve(app_with(None)).client.get("/").headers
