"""What a deployed stack must refuse: to anyone without credentials, and to the roles of its own functions."""

import json
from dataclasses import dataclass
from typing import Any

from deploy.rehearsal.cloud import ACCOUNT, Cloud
from deploy.rehearsal.commands import PHOTOS, POSES
from deploy.rehearsal.model_change import MANIFEST, place
from deploy.rehearsal.stack import STACK, Stack
from deploy.rehearsal.tools import RehearsalError, expect


def check_denied(stack: Stack) -> int:
    """What nobody, and what no function, may do. Gives how many refusals were seen."""
    return _strangers(stack) + _functions(stack)


def _strangers(stack: Stack) -> int:
    """Requests without a signature may neither read nor write any bucket."""
    import requests

    cloud, seen = stack.cloud, 0
    for name in ("ModelBucketName", "PhotoBucketName", "SiteBucketName"):
        bucket = f"{cloud.endpoint}/{stack.outputs[name]}"
        for path in ("", "/index.html", "/uploads/x", "/models/x"):
            answer = requests.get(f"{bucket}{path}", verify=str(cloud.certificate), timeout=30)
            expect(answer.status_code == 403, f"anyone may read {bucket}{path}: {answer.status_code}")
        put = requests.put(f"{bucket}/x", data=b"x", verify=str(cloud.certificate), timeout=30)
        expect(put.status_code == 403, f"anyone may write to {bucket}: {put.status_code}")
        seen += 5
    return seen


def _functions(stack: Stack) -> int:
    """Each function's role may read its model, so that refusals mean something, and nothing that it does not need."""
    import botocore.exceptions

    models, model = stack.outputs["ModelBucketName"], f"{place(MANIFEST)}{MANIFEST.name}"
    seen = 0
    for role, calls in _may_not(stack, models, model).items():
        s3 = as_role(stack.cloud, role).client("s3")
        s3.get_object(Bucket=models, Key=model)
        for action, arguments in calls:
            try:
                getattr(s3, action)(**arguments)
            except botocore.exceptions.ClientError as error:
                expect(error.response["Error"]["Code"] == "AccessDenied", f"{role} {action}: {error}")
                seen += 1
            else:
                raise RehearsalError(f"{role} may {action} {arguments}")
    return seen


def _may_not(stack: Stack, models: str, model: str) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Role -> calls of S3 that it must be refused. model: the key of the deployed one in the bucket `models`."""
    photos, site = stack.outputs["PhotoBucketName"], stack.outputs["SiteBucketName"]
    stored = [item["Key"] for item in stack.cloud.client("s3").list_objects_v2(Bucket=models)["Contents"]]
    others = [key for key in stored if not key.startswith(place(MANIFEST))] or ["models/other/other.onnx"]
    upload, result = f"uploads/{'0' * 32}", f"results/{'0' * 32}.json"
    model_and_site: list[tuple[str, dict[str, Any]]] = [
        ("put_object", {"Bucket": models, "Key": model, "Body": b""}),
        ("put_object", {"Bucket": site, "Key": "index.html", "Body": b""}),
    ]
    return {
        "ApiRole": [
            *model_and_site,
            ("get_object", {"Bucket": models, "Key": others[0]}),
            ("delete_object", {"Bucket": models, "Key": model}),
            ("list_objects_v2", {"Bucket": models}),
            ("list_objects_v2", {"Bucket": photos}),
            ("get_object", {"Bucket": photos, "Key": upload}),
            ("put_object", {"Bucket": photos, "Key": result, "Body": b""}),
            ("delete_object", {"Bucket": photos, "Key": upload}),
            ("list_buckets", {}),
        ],
        "BatchRole": [
            *model_and_site,
            ("get_object", {"Bucket": photos, "Key": result}),
            ("put_object", {"Bucket": PHOTOS, "Key": "album/x.jpg", "Body": b""}),
            ("put_object", {"Bucket": POSES, "Key": "elsewhere/x", "Body": b""}),
            ("list_objects_v2", {"Bucket": PHOTOS}),
        ],
        "WorkerRole": [
            *model_and_site,
            ("put_object", {"Bucket": photos, "Key": upload, "Body": b""}),
            ("delete_object", {"Bucket": photos, "Key": result}),
            ("list_objects_v2", {"Bucket": photos}),
        ],
    }


@dataclass(frozen=True)
class Session:
    """A role's credentials."""

    cloud: Cloud
    keys: dict[str, str]

    def client(self, service: str) -> Any:
        """A boto3 client that acts as the role."""
        keys = self.keys
        return self.cloud.client(service, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


def as_role(cloud: Cloud, logical_id: str) -> Session:
    """Act as a function's role: its trust is widened for that, in the emulator alone, after all else was checked."""
    resources = cloud.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    name = next(one["PhysicalResourceId"] for one in resources if one["LogicalResourceId"] == logical_id)
    trust = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole",
    }]}  # fmt: skip
    cloud.client("iam").update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    keys = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="rehearsal")["Credentials"]
    return Session(cloud, {name: keys[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")})
