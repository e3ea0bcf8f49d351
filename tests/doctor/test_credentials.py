from __future__ import annotations

from collections.abc import Callable

import pytest

from zccvoice.config import Config
from zccvoice.doctor.credentials import check_credentials
from zccvoice.doctor.finding import Verdict


def test_all_is_well(settings: Callable[..., Config]) -> None:
    (found,) = check_credentials(settings())
    assert (found.verdict, found.found) == (
        Verdict.OK,
        "present, and shaped as they should be: a-client-id",
    )


def test_what_is_missing(settings: Callable[..., Config]) -> None:
    found = check_credentials(settings(door={"secret_token": ""}, zoom={"client_secret": ""}))
    assert [(one.verdict, one.found.split(":")[0]) for one in found] == [
        (Verdict.FAILED, "door.secret_token"),
        (Verdict.FAILED, "zoom.client_secret"),
    ]


@pytest.mark.parametrize(
    ("section", "field", "value", "problem"),
    [
        ("zoom", "client_id", "your app's client id", "the client id of app \"your app's client id\" has spaces"),
        ("zoom", "client_secret", '"s3cret-in-quotes"', "the client secret of app 'a-client-id' has spaces"),
        ("zoom", "client_secret", "s3cret", "the client secret of app 'a-client-id' is shorter than 8"),
        ("door", "secret_token", "s3cret-tokén", "the secret token of app 'a-client-id' has"),
        ("door", "secret_token", "s3cret-of-the-client", "two of client id, client secret and secret token"),
    ],
)  # fmt: skip
def test_what_looks_wrong(
    settings: Callable[..., Config], section: str, field: str, value: str, problem: str
) -> None:
    (found,) = check_credentials(settings(**{section: {field: value}}))
    assert found.verdict is Verdict.FAILED
    assert problem in found.found
    assert "s3cret" not in found.found
