"""The template that is deployed: what no emulator enforces is read here. `serverless package`, offline."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hpe.web.cors import EXPOSED

ROOT = Path(__file__).resolve().parents[2]


def of_type(template: Any, kind: str) -> dict[str, Any]:
    return {name: one["Properties"] for name, one in template["Resources"].items() if one["Type"] == kind}


def test_functions_have_the_promised_limits(template: Any) -> None:
    api = template["Resources"]["ApiLambdaFunction"]["Properties"]
    assert (api["Runtime"], api["Architectures"], api["Timeout"]) == ("python3.13", ["arm64"], 29)
    assert (api["MemorySize"], api["ReservedConcurrentExecutions"]) == (1769, 20)
    assert {group["RetentionInDays"] for group in of_type(template, "AWS::Logs::LogGroup").values()} == {30}


def test_api_has_the_five_routes_and_no_other(template: Any) -> None:
    routes = {one["RouteKey"] for one in of_type(template, "AWS::ApiGatewayV2::Route").values()}
    assert routes == {"POST /pose", "GET /health", "GET /openapi.json", "POST /uploads", "GET /results/{id}"}


def test_api_is_throttled_and_logged(template: Any) -> None:
    (stage,) = of_type(template, "AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 20
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 40
    assert "$context.identity.sourceIp" not in stage["AccessLogSettings"]["Format"], "addresses are nobody's business"
    json.loads(stage["AccessLogSettings"]["Format"])


def test_cors_allows_the_site_alone_and_exposes_what_the_api_says(template: Any) -> None:
    (api,) = of_type(template, "AWS::ApiGatewayV2::Api").values()
    cors = api["CorsConfiguration"]
    assert cors["AllowOrigins"] == [{"Fn::Sub": "https://${Cdn.DomainName}"}]
    assert {name.strip().lower() for name in EXPOSED.split(",")} - {"allow"} <= set(cors["ExposeHeaders"])
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
    assert days == {"uploads/": 1, "results/": 1}
    assert "VersioningConfiguration" not in template["Resources"]["PhotoBucket"]["Properties"], "gone must mean gone"


def test_worker_reports_partial_failures_and_has_dead_letters(template: Any) -> None:
    (mapping,) = of_type(template, "AWS::Lambda::EventSourceMapping").values()
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"]["MaximumConcurrency"] == 5
    queue = template["Resources"]["PhotoQueue"]["Properties"]
    worker = template["Resources"]["WorkerLambdaFunction"]["Properties"]
    assert queue["VisibilityTimeout"] >= 6 * worker["Timeout"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["PhotoDeadLetters", "Arn"]}


def test_roles_say_no_star_and_read_one_model(template: Any) -> None:
    for name in ("ApiRole", "WorkerRole"):
        (policy,) = template["Resources"][name]["Properties"]["Policies"]
        statements = policy["PolicyDocument"]["Statement"]
        for statement in statements:
            assert statement["Resource"] != "*"
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert not [action for action in actions if "*" in action]
        model = next(one for one in statements if one["Sid"] == "ReadThisModel")
        assert model["Action"] == "s3:GetObject"
        keys = [resource["Fn::Sub"] for resource in model["Resource"]]
        assert all(re.search(r"/models/pose-[0-9a-f]{16}\.(onnx|json)$", key) for key in keys)


def test_model_key_is_the_manifests_sha256(template: Any) -> None:
    sha256 = json.loads((ROOT / "models" / "pose.json").read_text())["sha256"]
    variables = template["Resources"]["ApiLambdaFunction"]["Properties"]["Environment"]["Variables"]
    assert f"models/pose-{sha256[:16]}.onnx" in json.dumps(variables["HPE_MODEL"])


def test_alarms_ring_somewhere(template: Any) -> None:
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    assert {"LostPhotos", "ServerErrors", "SlowAnswers", "Throttled", "PhotosWaitLong", "NoModel"} <= set(alarms)
    assert all(alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}] for alarm in alarms.values())


def test_site_has_its_security_headers(template: Any) -> None:
    (policy,) = of_type(template, "AWS::CloudFront::ResponseHeadersPolicy").values()
    headers = policy["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    csp = headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    assert "default-src 'none'" in csp
    assert "unsafe" not in csp
    assert headers["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31536000


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


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--param=model=models/none.onnx", "models/none.onnx cannot be read (ENOENT)"),
        ("--param=website=ftp", "website is ftp: give cloudfront or s3 or none"),
        ("--param=package=rpm", "package is rpm: give zip or image"),
        ("--param=corsOrigins=example.org", "corsOrigins has example.org"),
        ("--param=alarmEmail=me", "alarmEmail is me: give an address, or none"),
        ("--param=prefix=My_Team", 'prefix "My_Team" cannot be part of a bucket name'),
        ("--stage=Dev", 'stage "Dev" cannot be part of a bucket name'),
    ],
)
def test_bad_parameter_is_one_clear_line(package: Any, tmp_path: Path, option: str, words: str) -> None:
    said = package(tmp_path, option, ok=False)
    assert [line for line in said.splitlines() if words in line], said
    assert "    at " not in said, "a stack trace helps nobody who deploys"
