"""Deploying from GitHub: no stored key, and a role that one environment of one repository gets."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.api import lint_all

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
ROLE = (ROOT / "deploy" / "github-role.yml").read_text()


class CloudFormation(yaml.SafeLoader):
    """Reads !Ref, !Sub and the like as {tag: value}."""


def _tagged(loader: Any, suffix: str, node: Any) -> dict[str, Any]:
    make = {"scalar": loader.construct_scalar, "sequence": loader.construct_sequence}
    return {suffix: make[node.id](node)}


CloudFormation.add_multi_constructor("!", _tagged)


@pytest.fixture(scope="module")
def role() -> Any:
    return yaml.load(ROLE, CloudFormation)["Resources"]["Deployer"]["Properties"]


def test_workflow_stores_no_key_and_may_write_nothing() -> None:
    assert "secrets." not in WORKFLOW
    assert yaml.safe_load(WORKFLOW)["permissions"] == {"contents": "read", "id-token": "write"}


def test_nothing_that_a_user_types_is_pasted_into_a_command() -> None:
    for step in yaml.safe_load(WORKFLOW)["jobs"]["deploy"]["steps"]:
        assert "${{" not in step.get("run", ""), step


def test_role_is_for_one_environment_of_one_repository(role: Any) -> None:
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    condition = statement["Condition"]["StringEquals"]
    assert condition["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
    assert condition["token.actions.githubusercontent.com:sub"] == {
        "Sub": "repo:${Repository}:environment:${Environment}"
    }
    assert role["ManagedPolicyArns"] == [{"Ref": "DeployerPolicyArn"}]


def test_template_is_one() -> None:
    assert [str(one) for one in lint_all(ROLE)] == []


def test_workflow_gives_what_the_role_and_the_stack_need() -> None:
    assert set(re.findall(r"vars\.(\w+)", WORKFLOW)) == {"AWS_ROLE_ARN", "AWS_REGION", "HPE_PARAMETERS"}
    assert "deploy/stages/$STAGE.yml" in WORKFLOW
