"""The dashboard and the alarms look at metrics that there are: AWS's own, and those that the code emits."""

import fnmatch
import json
import re
from pathlib import Path
from typing import Any

import pytest

from hpe.web.cloudwatch import NAMESPACE, UNITS
from hpe.web.problems import INTERNAL, KINDS

ROOT = Path(__file__).resolve().parents[2]
SLUGS = {kind.slug for kind in (*KINDS.values(), INTERNAL)}
AWS_METRICS = {
    "AWS/ApiGateway": {"Count", "4xx", "5xx", "Latency", "IntegrationLatency", "DataProcessed"},
    "AWS/Lambda": {"ConcurrentExecutions", "Throttles", "Invocations", "Errors", "Duration"},
    "AWS/SQS": {
        "ApproximateNumberOfMessagesVisible",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateAgeOfOldestMessage",
    },
}


@pytest.fixture(scope="module")
def widgets(template: Any) -> list[dict[str, Any]]:
    """The dashboard's widgets, each ${reference} as the name that it refers to."""
    body = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    for name in re.findall(r"\$\{(\w+)[.:}]", body):
        assert name == "AWS" or name in template["Resources"], f"the dashboard refers to {name}, which is not there"
    found: list[dict[str, Any]] = json.loads(re.sub(r"\$\{([\w:.]+)\}", r"\1", body))["widgets"]
    return found


def metrics_of(widgets: list[dict[str, Any]]) -> list[tuple[str, str, dict[str, str]]]:
    """(namespace, metric, dimensions) of every line, those in searches included."""
    found = []
    for line in (line for widget in widgets for line in widget["properties"]["metrics"]):
        if isinstance(line[0], dict):
            search = re.match(
                r"SEARCH\('\{(\w+),([\w,]+)\} MetricName=\"(\w+)\" (\w+)=\"(\w+)\"'", line[0]["expression"]
            )
            assert search, line
            assert set(search[2].split(",")) == {"Function", "Problem"}
            found.append((search[1], search[3], {search[4]: search[5]}))
        else:
            words = [word for word in line if isinstance(word, str)]
            found.append((words[0], words[1], dict(zip(words[2::2], words[3::2], strict=True))))
    return found


def test_dashboard_shows_metrics_that_there_are(widgets: list[dict[str, Any]]) -> None:
    metrics = metrics_of(widgets)
    for namespace, name, dimensions in metrics:
        if namespace == NAMESPACE:
            assert name in UNITS
            assert dimensions["Function"] in ("ApiLambdaFunction", "WorkerLambdaFunction", "VideoLambdaFunction")
        else:
            assert name in AWS_METRICS[namespace]
    assert {name for namespace, name, _ in metrics if namespace == NAMESPACE} == set(UNITS), "all that is paid for"


def test_dashboard_shows_what_one_asks_first(widgets: list[dict[str, Any]]) -> None:
    names = {name for _, name, _ in metrics_of(widgets)}
    assert {"Count", "4xx", "5xx", "Throttles", "ConcurrentExecutions", "ApproximateAgeOfOldestMessage"} <= names
    queues = {dimensions.get("QueueName") for _, _, dimensions in metrics_of(widgets)}
    assert {"PhotoQueue.QueueName", "PhotoDeadLetters.QueueName"} <= queues
    assert {"ClipQueue.QueueName", "ClipDeadLetters.QueueName"} <= queues
    functions = {dimensions.get("FunctionName") for _, _, dimensions in metrics_of(widgets)}
    assert {"ApiLambdaFunction", "WorkerLambdaFunction", "VideoLambdaFunction"} <= functions
    stats = {line[-1]["stat"] for widget in widgets for line in widget["properties"]["metrics"] if "stat" in line[-1]}
    assert {"p50", "p95"} <= stats


def test_widgets_lie_beside_each_other(widgets: list[dict[str, Any]]) -> None:
    taken: set[tuple[int, int]] = set()
    for widget in widgets:
        columns = range(widget["x"], widget["x"] + widget["width"])
        cells = {(x, y) for x in columns for y in range(widget["y"], widget["y"] + widget["height"])}
        assert not cells & taken, widget["properties"]["title"]
        assert max(columns) < 24
        taken |= cells


def test_alarms_look_at_metrics_that_there_are(template: Any) -> None:
    alarms = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    assert alarms
    for alarm in alarms:
        if alarm["Namespace"] != NAMESPACE:
            assert alarm["MetricName"] in AWS_METRICS[alarm["Namespace"]]
            continue
        assert alarm["MetricName"] in UNITS
        dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
        assert set(dimensions) == {"Function", "Problem"}
        assert dimensions["Problem"] in SLUGS


def test_metrics_carry_the_functions_own_name(template: Any) -> None:
    # AWS_LAMBDA_FUNCTION_NAME in the line, !Ref of the function in the dashboard: the same name
    for name in ("ApiLambdaFunction", "WorkerLambdaFunction", "VideoLambdaFunction"):
        properties = template["Resources"][name]["Properties"]
        assert properties["FunctionName"]
        assert "AWS_LAMBDA_FUNCTION_NAME" not in properties["Environment"]["Variables"], "Lambda sets it itself"


def test_dashboards_address_is_told_and_the_deployer_may_make_it(template: Any) -> None:
    assert "#dashboards/dashboard/${Dashboard}" in template["Outputs"]["DashboardUrl"]["Value"]["Fn::Sub"]
    name = template["Resources"]["Dashboard"]["Properties"]["DashboardName"]["Fn::Sub"]
    arn = f"arn:aws:cloudwatch::1:dashboard/{name.replace('${AWS::StackName}', 'hpe-dev')}"
    statements = json.loads((ROOT / "deploy" / "deployer-policy.json").read_text())["Statement"]
    for action in ("cloudwatch:PutDashboard", "cloudwatch:GetDashboard", "cloudwatch:DeleteDashboards"):
        (allowed,) = (one for one in statements if action in one["Action"])
        assert any(fnmatch.fnmatch(arn, pattern) for pattern in allowed["Resource"])
