"""The template that is deployed: what no emulator enforces is read here. `serverless package`, offline."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from hpe import clip_queue
from hpe.queue import LAST_TRY
from hpe.web.api import ROUTES
from hpe.web.cors import ALLOWED, EXPOSED

ROOT = Path(__file__).resolve().parents[2]


def of_type(template: Any, kind: str) -> dict[str, Any]:
    return {name: one["Properties"] for name, one in template["Resources"].items() if one["Type"] == kind}


def test_functions_have_the_promised_limits(template: Any) -> None:
    api = template["Resources"]["ApiLambdaFunction"]["Properties"]
    assert (api["Runtime"], api["Architectures"], api["Timeout"]) == ("python3.13", ["arm64"], 29)
    assert (api["MemorySize"], api["ReservedConcurrentExecutions"]) == (1769, 10)
    assert {group["RetentionInDays"] for group in of_type(template, "AWS::Logs::LogGroup").values()} == {30}


def test_api_has_every_route_with_v1_and_without_and_no_other(template: Any) -> None:
    routes = {one["RouteKey"] for one in of_type(template, "AWS::ApiGatewayV2::Route").values()}
    expected = {f"{method} {path}" for path, methods in ROUTES.items() for method in methods}
    assert routes == expected | {one.replace(" /", " /v1/") for one in expected}


def test_api_is_throttled_and_logged(template: Any) -> None:
    (stage,) = of_type(template, "AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 5
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 20
    assert {one: given["ThrottlingRateLimit"] for one, given in stage["RouteSettings"].items()} == {
        "POST /uploads": 1,
        "POST /v1/uploads": 1,
    }
    assert "$context.identity.sourceIp" not in stage["AccessLogSettings"]["Format"], "addresses are nobody's business"
    json.loads(stage["AccessLogSettings"]["Format"])


def test_cors_allows_the_site_alone_and_exposes_what_the_api_says(template: Any) -> None:
    (api,) = of_type(template, "AWS::ApiGatewayV2::Api").values()
    cors = api["CorsConfiguration"]
    assert cors["AllowOrigins"] == [{"Fn::Sub": "https://${Cdn.DomainName}"}]
    assert {name.strip().lower() for name in EXPOSED.split(",")} - {"allow"} <= set(cors["ExposeHeaders"])
    assert {name.strip().lower() for name in ALLOWED.split(",")} == set(cors["AllowHeaders"])
    assert not cors.get("AllowCredentials")


def test_every_bucket_is_private_encrypted_and_tls_only(template: Any) -> None:
    buckets = of_type(template, "AWS::S3::Bucket")
    for name, bucket in buckets.items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert bucket["BucketEncryption"], name
    policies = json.dumps(list(of_type(template, "AWS::S3::BucketPolicy").values()))
    assert policies.count("aws:SecureTransport") == len(buckets)


def test_photos_are_deleted_after_a_day(template: Any) -> None:
    rules = template["Resources"]["PhotoBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    assert days == {"uploads/": 1, "clips/": 1, "parts/": 1, "results/": 1}
    assert "VersioningConfiguration" not in template["Resources"]["PhotoBucket"]["Properties"], "gone must mean gone"


def test_worker_reports_partial_failures_and_has_dead_letters(template: Any) -> None:
    mapping = source_of(template, "PhotoQueue")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"]["MaximumConcurrency"] == 2
    queue = template["Resources"]["PhotoQueue"]["Properties"]
    worker = template["Resources"]["WorkerLambdaFunction"]["Properties"]
    assert queue["VisibilityTimeout"] >= 6 * worker["Timeout"]
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["PhotoDeadLetters", "Arn"]},
        "maxReceiveCount": LAST_TRY,
    }


def source_of(template: Any, queue: str) -> dict[str, Any]:
    """The mapping from this queue to its function."""
    sources = of_type(template, "AWS::Lambda::EventSourceMapping").values()
    return next(one for one in sources if one["EventSourceArn"] == {"Fn::GetAtt": [queue, "Arn"]})


def test_clips_have_a_queue_and_a_worker_of_their_own(template: Any) -> None:
    mapping = source_of(template, "ClipQueue")
    assert (mapping["BatchSize"], mapping["FunctionResponseTypes"]) == (1, ["ReportBatchItemFailures"])
    queue = template["Resources"]["ClipQueue"]["Properties"]
    worker = template["Resources"]["VideoLambdaFunction"]["Properties"]
    assert worker["Timeout"] == 900
    assert queue["VisibilityTimeout"] > worker["Timeout"], "no second worker while one is at it"
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["ClipDeadLetters", "Arn"]},
        "maxReceiveCount": clip_queue.LAST_TRY + 1,
    }
    told = template["Resources"]["PhotoBucket"]["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    folders = {one["Queue"]["Fn::GetAtt"][0]: one["Filter"]["S3Key"]["Rules"][0]["Value"] for one in told}
    assert folders == {"PhotoQueue": "uploads/", "ClipQueue": "clips/"}


@pytest.mark.parametrize("name", ["ApiRole", "WorkerRole", "VideoRole"])
def test_role_reads_one_model(template: Any, name: str) -> None:
    (policy,) = template["Resources"][name]["Properties"]["Policies"]
    model = next(one for one in policy["PolicyDocument"]["Statement"] if one["Sid"] == "ReadThisModel")
    assert re.search(r"/models/[0-9a-f]{16}/\*$", model["Resource"]["Fn::Sub"])


def test_model_key_carries_the_manifests_sha256(template: Any) -> None:
    sha256 = hashlib.sha256((ROOT / "models" / "pose.json").read_bytes()).hexdigest()
    variables = template["Resources"]["ApiLambdaFunction"]["Properties"]["Environment"]["Variables"]
    key = f"models/{sha256[:16]}/pose.json"
    assert variables["HPE_MODEL"] == {"Fn::Sub": f"s3://${{ModelBucket}}/{key}"}
    assert template["Outputs"]["ModelKey"]["Value"] == key, "by it a later deploy knows which model to keep"


def test_alarms_ring_somewhere(template: Any) -> None:
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    assert {"LostPhotos", "ServerErrors", "SlowAnswers", "Throttled", "PhotosWaitLong", "NoModel"} <= set(alarms)
    assert {"LostClips", "ClipsWaitLong", "ClipWorkerFails", "ClipWorkerLate"} <= set(alarms)
    assert all(alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}] for alarm in alarms.values())


def test_clips_alarms_leave_the_worker_the_time_that_it_may_take(template: Any) -> None:
    worker = template["Resources"]["VideoLambdaFunction"]["Properties"]["Timeout"]
    queue = template["Resources"]["ClipQueue"]["Properties"]
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    # it stops by itself a minute before it would be killed
    assert 1000 * (worker - 60) < alarms["ClipWorkerLate"]["Threshold"] < 1000 * worker
    tries = queue["RedrivePolicy"]["maxReceiveCount"] - 1  # what one clip is promised
    assert alarms["ClipsWaitLong"]["Threshold"] > tries * queue["VisibilityTimeout"]


def test_nothing_names_an_account_or_a_secret(template: Any) -> None:
    text = json.dumps(template)
    assert not re.search(r"\b\d{12}\b", text)
    assert not re.search(r"AKIA|ASIA|SECRET|PASSWORD", text)
    assert set(template["Outputs"]) >= {"WebsiteUrl", "ApiUrl", "ModelBucketName", "PhotoBucketName", "SiteBucketName"}


def test_parameters_change_what_they_say(package: Any, tmp_path: Path) -> None:
    options = {
        "architecture": "x86_64",
        "concurrency": "none",
        "photoDays": 7,
        "memory": 3008,
        "logDays": 7,
        "throttleRate": 5,
        "prefix": "team",
        "website": "s3",
        "corsOrigins": "https://a.example,https://b.example",
        "alarmEmail": "a@b.example",
    }
    given = [f"--param={name}={value}" for name, value in options.items()]
    changed = package(tmp_path, "--stage", "prod", "--region", "eu-central-1", *given)
    api = changed["Resources"]["ApiLambdaFunction"]["Properties"]
    assert (api["Architectures"], api["MemorySize"]) == (["x86_64"], 3008)
    assert "ReservedConcurrentExecutions" not in api
    assert "team-prod-photos" in json.dumps(changed["Resources"]["PhotoBucket"]["Properties"]["BucketName"])
    assert changed["Resources"]["HttpApi"]["Properties"]["CorsConfiguration"]["AllowOrigins"] == [
        "https://a.example",
        "https://b.example",
    ]
    assert "Cdn" not in changed["Resources"]
    assert changed["Resources"]["SiteBucket"]["Properties"]["WebsiteConfiguration"]
    assert changed["Resources"]["AlarmMail"]["Properties"]["Endpoint"] == "a@b.example"


def test_api_alone_has_no_site(package: Any, tmp_path: Path) -> None:
    alone = package(tmp_path, "--param=website=none")
    assert "SiteBucket" not in alone["Resources"]
    assert "WebsiteUrl" not in alone["Outputs"]


def test_stages_file_gives_parameters_and_the_command_line_wins(package: Any, tmp_path: Path) -> None:
    file = ROOT / "deploy" / "stages" / "zz-test.yml"
    try:
        file.write_text("memory: 2048\nlogDays: 7\n")
        changed = package(tmp_path, "--stage=zz-test", "--param=logDays=14")
        assert changed["Resources"]["ApiLambdaFunction"]["Properties"]["MemorySize"] == 2048
        assert changed["Resources"]["ApiLogGroup"]["Properties"]["RetentionInDays"] == 14
        file.write_text("memroy: 2048\n")
        said = package(tmp_path, "--stage=zz-test", ok=False)
        assert "deploy/stages/zz-test.yml has memroy, which is not a parameter: there are prefix, " in said
    finally:
        file.unlink()


CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/a"


def test_domains_of_ones_own(package: Any, tmp_path: Path) -> None:
    given = ("domain=pose.example.org", "apiDomain=api.example.org")
    given += (f"certificateArn={CERTIFICATE}", f"apiCertificateArn={CERTIFICATE}")
    template = package(tmp_path, *(f"--param={one}" for one in given))
    resources, outputs = template["Resources"], template["Outputs"]
    config = resources["Cdn"]["Properties"]["DistributionConfig"]
    assert config["Aliases"] == ["pose.example.org"]
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2025"
    assert config["ViewerCertificate"]["AcmCertificateArn"] == CERTIFICATE
    assert resources["ApiDomain"]["Properties"]["DomainName"] == "api.example.org"
    assert resources["ApiDomainMapping"]["Properties"]["Stage"] == "$default"
    assert (outputs["WebsiteUrl"]["Value"], outputs["ApiUrl"]["Value"]) == (
        "https://pose.example.org",
        "https://api.example.org",
    )
    assert {"SiteDomainTarget", "ApiDomainTarget"} <= set(outputs), "where DNS must point"
    headers = resources["SiteHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    assert " https://api.example.org " in headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    assert resources["HttpApi"]["Properties"]["CorsConfiguration"]["AllowOrigins"] == ["https://pose.example.org"]


def test_tokens_are_checked_by_the_http_api_itself(package: Any, tmp_path: Path) -> None:
    given = ("auth=jwt", "jwtIssuer=https://issuer.example/", "jwtAudience=hpe,other")
    resources = package(tmp_path, *(f"--param={one}" for one in given))["Resources"]
    assert resources["Tokens"]["Properties"]["JwtConfiguration"] == {
        "Issuer": "https://issuer.example/",
        "Audience": ["hpe", "other"],
    }
    guarded = {
        one["Properties"]["RouteKey"]: one["Properties"]["AuthorizerId"]
        for one in resources.values()
        if one["Type"] == "AWS::ApiGatewayV2::Route" and one["Properties"].get("AuthorizationType") == "JWT"
    }
    assert set(guarded) == {"POST /pose", "POST /uploads", "POST /v1/pose", "POST /v1/uploads"}
    assert all(authorizer == {"Ref": "Tokens"} for authorizer in guarded.values())


def test_keys_have_a_table_that_the_api_alone_may_update(package: Any, tmp_path: Path) -> None:
    resources = package(tmp_path, "--param=auth=key")["Resources"]
    variables = resources["ApiLambdaFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["HPE_KEYS_TABLE"] == {"Ref": "KeysTable"}
    assert "HPE_KEYS_TABLE" not in resources["WorkerLambdaFunction"]["Properties"]["Environment"]["Variables"]
    policy = resources["ApiChecksKeys"]["Properties"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("dynamodb:UpdateItem", {"Fn::GetAtt": ["KeysTable", "Arn"]})
    assert policy["Roles"] == [{"Ref": "ApiRole"}]


def test_budget_writes_a_mail(package: Any, tmp_path: Path) -> None:
    budget = package(tmp_path, "--param=budgetUsd=100", "--param=alarmEmail=a@b.example")["Resources"]["Budget"]
    assert budget["Properties"]["Budget"]["BudgetLimit"] == {"Amount": 100, "Unit": "USD"}
    notices = budget["Properties"]["NotificationsWithSubscribers"]
    assert {one["Subscribers"][0]["Address"] for one in notices} == {"a@b.example"}
    assert [(one["Notification"]["NotificationType"], one["Notification"]["Threshold"]) for one in notices] == [
        ("ACTUAL", 80),
        ("ACTUAL", 100),
        ("FORECASTED", 100),
    ]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--param=model=models/none.onnx", "models/none.json cannot be read (ENOENT)"),
        ("--param=modle=x", "--param has modle, which is not a parameter: there are prefix, "),
        ("--param=prefix=My_Team", 'prefix "My_Team" cannot be part of a bucket name'),
        ("--stage=Dev", 'stage "Dev" cannot be part of a bucket name'),
    ],
)
def test_bad_parameter_is_one_clear_line(package: Any, tmp_path: Path, option: str, words: str) -> None:
    said = package(tmp_path, option, ok=False)
    assert [line for line in said.splitlines() if words in line], said
    assert "    at " not in said, "a stack trace helps nobody who deploys"
