"""Keys of the API: checked, counted and refused in words; issued and revoked by `hpe keys`. DynamoDB is moto's."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws
from web.fakes import FakeEstimator, photo

from hpe.commands.keys import group
from hpe.commands.stack import Stack
from hpe.errors import Forbidden, KeysUnavailable, OverRate, Unauthorized
from hpe.settings import Settings
from hpe.web import keys
from hpe.web.api import handle
from hpe.web.aws import client as aws_client
from hpe.web.messages import Request, Response

TABLE = "hpe-dev-keys"
NOON = 1_800_000_000 // 60 * 60.0


@pytest.fixture
def table(aws_env: pytest.MonkeyPatch) -> Iterator[Any]:
    """The table as deploy/resources/auth-key.yml makes it, and the stack that names it."""
    aws_client.cache_clear()
    aws_env.setattr(Stack, "outputs", {"KeysTableName": TABLE})
    with mock_aws():
        found = boto3.resource("dynamodb", region_name="us-east-1").create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "sha256", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "sha256", "KeyType": "HASH"}],
        )
        yield found
    aws_client.cache_clear()


def hpe_keys(*words: str) -> Result:
    return CliRunner().invoke(group, list(words))


def issued(name: str = "anna", rate: int = 3) -> str:
    result = hpe_keys("add", name, f"--rate={rate}")
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def post(key: str | None, path: str = "/pose", method: str = "POST") -> Response:
    headers = {"content-type": "image/jpeg", **(bearer(key) if key else {})}
    request = Request(method, path, {"format": "json"}, headers, photo())
    return handle(request, FakeEstimator, Settings(keys_table=TABLE))


def test_key_lets_its_caller_in_and_is_kept_as_a_hash_alone(table: Any) -> None:
    key = issued()
    assert post(key).status == 200
    (item,) = table.scan()["Items"]
    assert item["sha256"] == keys.hashed(key)
    assert key not in json.dumps(item, default=str)
    assert (item["name"], item["per_minute"], item["calls"]) == ("anna", 3, 1)


@pytest.mark.parametrize("sent", [None, "hpe_wrong", ""])
def test_without_a_known_key_the_answer_says_how_to_send_one(table: Any, sent: str | None) -> None:
    issued()
    for path in ("/pose", "/v1/pose", "/uploads"):
        answer = post(sent, path)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "Authorization: Bearer KEY" in json.loads(answer.body)["detail"]


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "bearer  ", "hpe_key", "Bearer \udcff"])
def test_other_kinds_of_authorization_are_no_key(table: Any, header: str) -> None:
    with pytest.raises(Unauthorized):
        keys.authorize({"authorization": header}, TABLE)


def test_revoked_key_is_refused_and_says_since_when(table: Any) -> None:
    key = issued()
    assert hpe_keys("revoke", "anna").exit_code == 0
    answer = post(key)
    assert answer.status == 403
    assert "this key was revoked on 20" in json.loads(answer.body)["detail"]


def test_rate_is_of_each_key_and_each_minute(table: Any) -> None:
    anna, bert = issued("anna", 3), issued("bert", 1)
    for second in range(3):
        assert keys.authorize(bearer(anna), TABLE, NOON + second) == "anna"
    with pytest.raises(OverRate, match="may call 3 times a minute: try again in 50 s") as refused:
        keys.authorize(bearer(anna), TABLE, NOON + 10)
    assert (refused.value.retry_after_s, refused.value.limit) == (50, 3)
    assert keys.authorize(bearer(bert), TABLE, NOON + 10) == "bert"
    assert keys.authorize(bearer(anna), TABLE, NOON + 60) == "anna"


def test_over_the_rate_is_429_with_retry_after(table: Any) -> None:
    key = issued(rate=1)
    statuses = [post(key).status for _ in range(4)]  # a minute may end between two of them, not between all
    assert statuses[0] == 200
    answer = post(key)
    assert (answer.status, 429 in statuses) == (429, True)
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_refused_calls_are_not_counted(table: Any) -> None:
    key = issued(rate=1)
    keys.authorize(bearer(key), TABLE, NOON)
    for _ in range(5):
        with pytest.raises(OverRate):
            keys.authorize(bearer(key), TABLE, NOON)
    assert table.scan()["Items"][0]["calls"] == 1


def test_what_is_open_stays_open(table: Any) -> None:
    assert post(None, "/health", "GET").status == 200
    assert post(None, "/openapi.json", "GET").status == 200
    assert post(None, "/pose", "OPTIONS").status == 204, "a browser asks before it sends the key"


def test_table_that_is_not_there_lets_nobody_in(aws_env: pytest.MonkeyPatch) -> None:
    aws_client.cache_clear()
    with mock_aws(), pytest.raises(KeysUnavailable):
        keys.authorize(bearer("hpe_x"), "no-such-table")
    aws_client.cache_clear()


def test_log_names_the_caller_and_never_the_key(table: Any, caplog: pytest.LogCaptureFixture) -> None:
    key = issued()
    with caplog.at_level("INFO", "hpe"):
        post(key)
    assert '"caller": "anna"' in caplog.text
    assert key not in caplog.text


def test_list_shows_names_and_never_a_key(table: Any) -> None:
    anna, bert = issued("anna"), issued("bert", 7)
    post(bert)
    hpe_keys("revoke", "anna")
    text = hpe_keys("list").stdout
    assert anna not in text
    assert bert not in text
    lines = {line.split()[0]: line for line in text.splitlines()}
    assert "never" in lines["anna"]
    assert lines["anna"].rstrip().endswith("Z")
    assert lines["bert"].split()[1] == "7"


def test_name_has_one_key_at_a_time(table: Any) -> None:
    first = issued()
    again = hpe_keys("add", "anna")
    assert (again.exit_code, "hpe keys revoke anna" in again.output) == (1, True)
    hpe_keys("revoke", "anna")
    second = issued()
    with pytest.raises(Forbidden):
        keys.authorize(bearer(first), TABLE)
    assert keys.authorize(bearer(second), TABLE) == "anna"


def test_revoking_nobody_and_a_stack_without_keys_are_one_line(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nobody has no key that could be revoked" in hpe_keys("revoke", "nobody").output
    monkeypatch.setattr(Stack, "outputs", {})
    assert "npx serverless deploy --param=auth=key" in hpe_keys("list").output


def test_key_may_expire_and_says_when_it_did(table: Any) -> None:
    key = hpe_keys("add", "anna", "--days=2").stdout.strip()
    (item,) = table.scan()["Items"]
    end = int(item["expires"])
    assert keys.authorize(bearer(key), TABLE, end - 120) == "anna"
    for late in (end, end + 3600):
        with pytest.raises(Forbidden, match=r"this key expired on 20\d\d-\d\d-\d\d: ask"):
            keys.authorize(bearer(key), TABLE, late)
    columns = next(line for line in hpe_keys("list").stdout.splitlines() if line.startswith("anna")).split()
    assert columns[3] > columns[2], "issued, then the end"


def test_expired_key_leaves_its_name_free(table: Any) -> None:
    hpe_keys("add", "anna", "--days=2")
    (item,) = table.scan()["Items"]
    table.put_item(Item={**item, "expires": 1_000_000_000})
    assert hpe_keys("add", "anna").exit_code == 0


def test_rotated_key_has_the_old_ones_rate_and_days_and_both_are_good_for_a_while(table: Any) -> None:
    old = hpe_keys("add", "anna", "--rate=7", "--days=30").stdout.strip()
    result = hpe_keys("rotate", "anna", "--grace=1")
    new = result.stdout.strip()
    items = {one["sha256"]: one for one in table.scan()["Items"]}
    mine, before = items[keys.hashed(new)], items[keys.hashed(old)]
    assert (mine["name"], mine["per_minute"]) == ("anna", 7)
    assert abs(int(mine["expires"] - before["expires"]) - 30 * 86400 + 3600) < 60, "30 days; the old one an hour"
    end = int(before["expires"])
    assert [keys.authorize(bearer(key), TABLE, end - 60) for key in (old, new)] == ["anna", "anna"]
    with pytest.raises(Forbidden):
        keys.authorize(bearer(old), TABLE, end)
    assert keys.authorize(bearer(new), TABLE, end) == "anna"
    assert "The old key is refused from 20" in result.stderr


def test_rotating_at_once_refuses_the_old_key_and_nobody_is_one_line(table: Any) -> None:
    old = issued()
    assert hpe_keys("rotate", "anna", "--grace=0").exit_code == 0
    assert post(old).status == 403
    result = hpe_keys("rotate", "nobody")
    assert (result.exit_code, "issue one (hpe keys add nobody)" in result.output) == (1, True)


@pytest.mark.parametrize("name", ["", "  ", "anna\nadmin", "anna\r", "a\tb", " anna", "\x1b[31mred", "a" * 65])
@pytest.mark.parametrize("verb", ["add", "rotate"])
def test_name_is_one_printable_line(table: Any, verb: str, name: str) -> None:
    result = hpe_keys(verb, name)
    assert (result.exit_code, "printable characters on one line" in result.output) == (2, True)
    assert not table.scan()["Items"]


def test_keys_may_be_issued_before_the_api_asks_for_them(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stack, "outputs", {"KeysTableName": TABLE, "Auth": "none"})
    result = hpe_keys("add", "anna")
    assert result.exit_code == 0
    assert "No key is asked for yet (auth=none): npx serverless deploy --param=auth=key" in result.stderr
