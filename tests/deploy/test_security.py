"""What the stack lets whom do, read from the template: exact lists, so that anything more is seen in review."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
MESSAGES = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"}
MAY = {
    "ApiRole": {
        "ApiLogGroup": LOGS,
        "ModelBucket/models": {"s3:GetObject"},
        "PhotoBucket/uploads": {"s3:PutObject"},
        "PhotoBucket/clips": {"s3:PutObject"},
        "PhotoBucket/results": {"s3:GetObject"},
        "PhotoBucket": {"s3:ListBucket"},
    },
    "WorkerRole": {
        "WorkerLogGroup": LOGS,
        "ModelBucket/models": {"s3:GetObject"},
        "PhotoBucket/uploads": {"s3:GetObject", "s3:DeleteObject"},
        "PhotoBucket/results": {"s3:PutObject"},
        "PhotoBucket": {"s3:ListBucket"},
        "PhotoQueue": MESSAGES,
    },
    "VideoRole": {
        "VideoLogGroup": LOGS,
        "ModelBucket/models": {"s3:GetObject"},
        "PhotoBucket/clips": {"s3:GetObject", "s3:DeleteObject"},
        "PhotoBucket/parts": {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
        "PhotoBucket/results": {"s3:PutObject"},
        "PhotoBucket": {"s3:ListBucket"},
        "ClipQueue": MESSAGES,
    },
}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def named(resource: Any) -> str:
    """A resource of a policy -> what it is part of: PhotoBucket/uploads. Fails for one that cannot be read so."""
    if "Fn::GetAtt" in resource:
        return str(resource["Fn::GetAtt"][0])
    found = re.fullmatch(r"\$\{(\w+)\.Arn\}(?:/(models|uploads|clips|parts|results)/.+)?", resource["Fn::Sub"])
    assert found, resource
    return found[1] + (f"/{found[2]}" if found[2] else "")


def of_type(template: Any, kind: str) -> dict[str, Any]:
    return {name: one["Properties"] for name, one in template["Resources"].items() if one["Type"] == kind}


@pytest.mark.parametrize("role", list(MAY))
def test_each_function_may_do_exactly_this(template: Any, role: str) -> None:
    properties = template["Resources"][role]["Properties"]
    assert not properties.get("ManagedPolicyArns")
    (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    found: dict[str, set[str]] = {}
    for statement in (one for policy in properties["Policies"] for one in policy["PolicyDocument"]["Statement"]):
        assert statement["Effect"] == "Allow"
        for resource in listed(statement["Resource"]):
            found.setdefault(named(resource), set()).update(listed(statement["Action"]))
    assert found == MAY[role]


def test_no_other_role_is_made(template: Any) -> None:
    assert set(of_type(template, "AWS::IAM::Role")) == set(MAY)
    assert not [one for one in template["Resources"].values() if one["Type"] in ("AWS::IAM::Policy", "AWS::IAM::User")]


def resource_policies(template: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    kinds = ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::Lambda::LayerPermission")
    for name, one in template["Resources"].items():
        if one["Type"] in kinds:
            yield from ((name, statement) for statement in one["Properties"]["PolicyDocument"]["Statement"])


def test_nobody_from_outside_is_let_in_but_by_these_doors(template: Any) -> None:
    allowed = [(name, one) for name, one in resource_policies(template) if one["Effect"] == "Allow"]
    assert all(isinstance(one["Principal"], dict) for _, one in allowed), "a principal that is not an AWS service"
    doors = sorted((name, one["Principal"]["Service"], one["Action"]) for name, one in allowed)
    assert doors == [
        ("ClipQueuePolicy", "s3.amazonaws.com", "sqs:SendMessage"),
        ("PhotoQueuePolicy", "s3.amazonaws.com", "sqs:SendMessage"),
        ("SiteBucketPolicy", "cloudfront.amazonaws.com", "s3:GetObject"),
    ]
    assert all(one["Condition"] for _, one in allowed), "a service acts for every account: say for which"
    permissions = of_type(template, "AWS::Lambda::Permission").values()
    assert {one["Principal"] for one in permissions} == {"apigateway.amazonaws.com"}
    assert all("HttpApi" in json.dumps(one["SourceArn"]) for one in permissions)
    assert not of_type(template, "AWS::Lambda::Url")


def test_nobody_may_write_to_a_bucket_without_a_signature(template: Any) -> None:
    writing = re.compile(r"s3:(\*|Put|Delete|Create|Replicate|Abort|Restore)")
    for name, statement in resource_policies(template):
        if statement["Effect"] == "Allow":
            assert not [action for action in listed(statement["Action"]) if writing.match(action)], name
    for name, bucket in of_type(template, "AWS::S3::Bucket").items():
        assert "AccessControl" not in bucket, f"{name} has an ACL"


def test_public_site_of_s3_is_read_only_and_no_other_bucket_is_public(package: Any, tmp_path: Path) -> None:
    template = package(tmp_path, "--param=website=s3")
    public = [
        (name, statement["Action"])
        for name, statement in resource_policies(template)
        if statement["Effect"] == "Allow" and statement["Principal"] in ("*", {"AWS": "*"})
    ]
    assert public == [("SiteBucketPolicy", "s3:GetObject")]


def test_one_list_of_origins_holds_everywhere(package: Any, tmp_path: Path) -> None:
    origins = ["https://a.example", "https://b.example"]
    template = package(tmp_path, f"--param=corsOrigins={','.join(origins)}")
    (api,) = of_type(template, "AWS::ApiGatewayV2::Api").values()
    assert api["CorsConfiguration"]["AllowOrigins"] == origins
    (rule,) = template["Resources"]["PhotoBucket"]["Properties"]["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == origins
    for function in of_type(template, "AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["HPE_CORS_ORIGINS"] == {"Fn::Join": [",", origins]}


def test_site_is_the_only_origin_by_default(template: Any) -> None:
    (rule,) = template["Resources"]["PhotoBucket"]["Properties"]["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == [{"Fn::Sub": "https://${Cdn.DomainName}"}]
    variables = template["Resources"]["ApiLambdaFunction"]["Properties"]["Environment"]["Variables"]
    assert "*" not in json.dumps(variables["HPE_CORS_ORIGINS"])


def test_site_has_every_header(template: Any) -> None:
    (policy,) = of_type(template, "AWS::CloudFront::ResponseHeadersPolicy").values()
    config = policy["ResponseHeadersPolicyConfig"]
    headers = config["SecurityHeadersConfig"]
    assert headers["FrameOptions"]["FrameOption"] == "DENY"
    assert headers["ReferrerPolicy"]["ReferrerPolicy"] == "no-referrer"
    assert headers["ContentTypeOptions"]["Override"]
    assert headers["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31536000
    csp = headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    assert "default-src 'none'" in csp
    assert "unsafe" not in csp.replace("'wasm-unsafe-eval'", "")
    assert {item["Header"] for item in config["CustomHeadersConfig"]["Items"]} == {
        "Permissions-Policy",
        "Cross-Origin-Opener-Policy",
    }
    (cdn,) = of_type(template, "AWS::CloudFront::Distribution").values()
    assert cdn["DistributionConfig"]["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"
    assert cdn["DistributionConfig"]["DefaultCacheBehavior"]["AllowedMethods"] == ["GET", "HEAD"]


def test_no_variable_and_no_output_is_a_secret(template: Any) -> None:
    for function in of_type(template, "AWS::Lambda::Function").values():
        assert all(name.startswith("HPE_") for name in function["Environment"]["Variables"])
    secret = re.compile(r"secret|password|token|credential|access.?key", re.I)
    for name, output in template["Outputs"].items():
        assert not secret.search(name + json.dumps(output)), name
    assert not of_type(template, "AWS::IAM::AccessKey")
    assert "NoEcho" not in json.dumps(template), "a parameter that hides something would be one"


def test_logs_keep_no_address_and_no_browser(template: Any) -> None:
    (stage,) = of_type(template, "AWS::ApiGatewayV2::Stage").values()
    fields = re.findall(r"\$context\.([\w.]+)", stage["AccessLogSettings"]["Format"])
    assert set(fields) <= {
        "requestId",
        "requestTime",
        "routeKey",
        "status",
        "responseLatency",
        "integrationLatency",
        "responseLength",
        "integrationErrorMessage",
    }


def test_deployer_may_give_roles_to_two_services_alone_and_names_what_it_touches() -> None:
    statements = json.loads((ROOT / "deploy" / "deployer-policy.json").read_text())["Statement"]
    actions = {action: one for one in statements for action in one["Action"]}
    actions |= {one["Action"]: one for one in statements if isinstance(one["Action"], str)}
    assert not {"*", "iam:*", "s3:*", "lambda:*", "sts:AssumeRole"} & set(actions)
    services = ["lambda.amazonaws.com", "states.amazonaws.com"]
    assert actions["iam:PassRole"]["Condition"] == {"StringEquals": {"iam:PassedToService": services}}
    for statement in statements:
        services = {action.split(":")[0] for action in listed(statement["Action"])}
        named = {"iam", "sqs", "sns", "dynamodb", "states", "budgets"}
        if services & named or statement["Sid"] in ("Buckets", "Functions"):
            assert all("hpe-" in resource for resource in listed(statement["Resource"])), statement["Sid"]
