"""The site below a prefix of a proxy: every page, link, file, redirect, cookie and answer."""

import io
import re

import pytest

PAGES = ["/", "/app/", "/app/faces/", "/models/made", "/missing"]
PREFIXES = ["/faces", "/a/b-c/d_e~1.0", "/user/name@home"]
HOSTILE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "evil.example",
    "/a//evil.example",
    "/..",
    "/a/../b",
    "/./a",
    "/a\tb",
    "/a b",
    "/a?b",
    "/a#b",
    "/%2f%2fevil.example",
    '/a"onload="x',
    "/a<b>",
    "/a;b",
    "/\x7f",
    "/gesch\xfctzt",
    "/" + "a" * 200,
]


def below(prefix: str) -> dict[str, str]:
    return {"X-Forwarded-Prefix": prefix}


def links_of(page: str) -> set[str]:
    found = re.findall(r'(?:href|src|action)="([^"]*)"', page)
    return {link for link in found if not link.startswith(("#", "data:"))}


@pytest.fixture
def client(make_app):
    return make_app(PROXIES=1).test_client()


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_page_and_all_that_it_names_is_below_the_prefix(client, prefix):
    todo, done = {f"{prefix}{page}" for page in PAGES}, set()
    while todo:
        done.add(link := todo.pop())
        assert link.startswith(f"{prefix}/")
        with client.get(link.removeprefix(prefix), headers=below(prefix)) as response:
            assert response.status_code == (404 if link.endswith("/missing") else 200), link
            if response.mimetype == "text/html":
                todo |= links_of(response.text) - done
    assert {f"{prefix}/static/photos.js", f"{prefix}/api/v1/openapi.json"} <= done
    assert f"{prefix}/bootstrap/static/css/bootstrap.min.css" in done


@pytest.mark.parametrize("prefix", PREFIXES)
def test_redirects_stay_below_the_prefix(client, prefix):
    headers = below(prefix) | {"X-Forwarded-Host": "a.example", "X-Forwarded-Proto": "https"}
    response = client.get("/app/faces", headers=headers)
    assert (response.status_code, response.location) == (
        308,
        f"https://a.example{prefix}/app/faces/",
    )


@pytest.mark.parametrize(("given", "path"), [("/faces", "/faces"), ("/a/b/", "/a/b"), ("/", "/")])
def test_the_cookie_is_for_the_prefix_and_the_form_works_with_it(make_app, photo, given, path):
    client = make_app(PROXIES=1, WTF_CSRF_ENABLED=True).test_client()
    shown = client.get("/app/faces/", headers=below(given))
    assert re.search(r"Path=([^;]+)", shown.headers["Set-Cookie"])[1] == path
    cookie = shown.headers["Set-Cookie"].split(";")[0].removeprefix("session=")
    token = re.search(r'name="csrf_token" type="hidden" value="([^"]+)"', shown.text)[1]
    client.set_cookie("session", cookie)  # as a browser sends it below the prefix
    data = {"csrf_token": token, "photo": (io.BytesIO(photo), "a.png")}
    assert client.post("/app/faces/", data=data, headers=below(given)).status_code == 200


def test_the_form_and_the_script_send_to_the_page_itself(client):
    page = client.get("/app/faces/", headers=below("/faces")).text
    assert "action=" not in re.search(r"<form[^>]*>", page)[0]
    with client.get("/static/photos.js") as script:
        assert re.findall(r"fetch\(([^,]*),", script.text) == ["form.action"]


@pytest.mark.parametrize(
    ("given", "server"), [("/faces", "/faces"), ("/a/b/", "/a/b"), ("/", "/"), ("", "/")]
)
def test_the_description_of_the_api_names_the_prefix(client, given, server):
    document = client.get("/api/v1/openapi.json", headers=below(given)).json
    assert document["servers"] == [{"url": server}]


@pytest.mark.parametrize("page", ["/", "/app/faces/", "/missing", "/app/faces", "/static/site.css"])
@pytest.mark.parametrize("prefix", HOSTILE)
def test_what_is_no_plain_path_is_refused(client, prefix, page):
    with client.get(page, headers=below(prefix)) as response:
        assert response.status_code == 400
        assert all(re.match(r"/(?!/)", link) for link in links_of(response.text))
        assert "evil" not in response.text
        assert "X-Forwarded-Prefix" in response.text
        assert "X-Request-ID" in response.headers


def test_the_api_refuses_in_its_own_form(client):
    response = client.get("/api/v1/models", headers=below("//evil.example"))
    assert response.content_type == "application/problem+json"
    assert "X-Forwarded-Prefix" in response.json["detail"]


@pytest.mark.parametrize("prefix", ["/faces", "//evil.example", "https://evil.example"])
def test_without_proxies_the_header_is_ignored(make_app, prefix):
    client = make_app().test_client()
    assert client.get("/", headers=below(prefix)).text == client.get("/").text
    assert client.get("/api/v1/openapi.json", headers=below(prefix)).json["servers"] == [
        {"url": "/"}
    ]


def test_the_prefix_of_the_outermost_trusted_proxy_counts(make_app):
    page = make_app(PROXIES=2).test_client().get("/", headers=below("//evil, /outer, /inner")).text
    assert 'href="/outer/app/"' in page


def test_a_prefix_of_the_server_itself_works_too(make_app):
    page = make_app().test_client().get("/", environ_overrides={"SCRIPT_NAME": "/faces"}).text
    assert 'href="/faces/app/"' in page
