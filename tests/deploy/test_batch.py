"""The state machine of `hpe batch` and what it and its function may do, read from the template."""

import json
import re
from typing import Any

import pytest

from hpe.batch.items import batch_of
from hpe.batch.plan import Place
from hpe.commands.batch import start_input

OUT = "arn:${AWS::Partition}:s3:::poses/out"


@pytest.fixture(scope="module")
def resources(package: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A stack that may read two buckets and write below poses/out."""
    given = ("batchBuckets=photos,more-photos", "batchOutput=poses/out", "batchConcurrency=30")
    return package(tmp_path_factory.mktemp("batch"), *(f"--param={one}" for one in given))["Resources"]


def maps(resources: Any) -> dict[str, Any]:
    states = resources["BatchMachine"]["Properties"]["Definition"]["States"]
    return {name: state for name, state in states.items() if state["Type"] == "Map"}


def may(resources: Any, role: str) -> set[tuple[str, str]]:
    """(action, resource) of everything that a role may do."""
    (policy,) = resources[role]["Properties"]["Policies"]
    return of_policy(policy)


def of_policy(policy: Any) -> set[tuple[str, str]]:
    """(action, resource) of everything that a policy allows."""
    found = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        assert statement["Effect"] == "Allow"
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        places = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        found |= {(action, next(iter(place.values()))) for action in actions for place in map(flat, places)}
    return found


def flat(place: dict[str, Any]) -> dict[str, str]:
    return {name: ".".join(value) if isinstance(value, list) else value for name, value in place.items()}


def test_function_reads_the_given_buckets_and_writes_the_output_alone(resources: Any) -> None:
    found = {one for one in may(resources, "BatchRole") if one[0].startswith("s3:") and "ModelBucket" not in one[1]}
    assert found == {
        ("s3:GetObject", "arn:${AWS::Partition}:s3:::photos/*"),
        ("s3:GetObject", "arn:${AWS::Partition}:s3:::more-photos/*"),
        ("s3:PutObject", f"{OUT}/*"),
    }


def test_clips_go_to_their_own_worker_which_may_read_and_write_what_the_function_may(resources: Any) -> None:
    assert ("sqs:SendMessage", "ClipQueue.Arn") in may(resources, "BatchRole")
    variables = resources["BatchLambdaFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["HPE_CLIP_QUEUE"] == {"Ref": "ClipQueue"}
    policy = resources["BatchClipsPolicy"]["Properties"]
    assert policy["Roles"] == [{"Ref": "VideoRole"}]
    assert of_policy(policy) == {
        ("s3:GetObject", "arn:${AWS::Partition}:s3:::photos/*"),
        ("s3:GetObject", "arn:${AWS::Partition}:s3:::more-photos/*"),
        ("s3:GetObject", f"{OUT}/*done/*"),
        ("s3:PutObject", f"{OUT}/*"),
    }


def test_machine_lists_the_given_buckets_and_calls_one_function(resources: Any) -> None:
    found = may(resources, "BatchMachineRole")
    assert {place for action, place in found if action == "s3:ListBucket"} == {
        "arn:${AWS::Partition}:s3:::photos",
        "arn:${AWS::Partition}:s3:::more-photos",
    }
    others = {(action, place) for action, place in found if action.startswith("s3:") and action != "s3:ListBucket"}
    assert {place for _, place in others} == {f"{OUT}/runs/*"}, "manifests and summaries, nothing else"
    assert {place for action, place in found if action.startswith("lambda:")} == {"BatchLambdaFunction.Arn"}
    assert all("${AWS::StackName}-batch" in place for action, place in found if action.startswith("states:"))
    (trust,) = resources["BatchMachineRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "states.amazonaws.com"}
    assert trust["Condition"]


def test_both_ways_to_read_do_the_same_with_what_they_read(resources: Any) -> None:
    listing, manifest = maps(resources).values()
    assert "s3:listObjectsV2" in listing["ItemReader"]["Resource"]["Fn::Sub"]
    assert manifest["ItemReader"]["ReaderConfig"] == {"InputType": "JSONL"}
    different = ("Label", "ItemReader")
    same = [{name: one[name] for name in one if name not in different} for one in (listing, manifest)]
    assert same[0] == same[1]
    assert set(same[0]) == {
        "Type", "ItemSelector", "ItemBatcher", "MaxConcurrency", "ToleratedFailurePercentage", "ResultWriter",
        "ItemProcessor", "End",
    }  # fmt: skip
    assert same[0]["MaxConcurrency"] == 30
    assert same[0]["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}


def test_two_tries_of_the_function_fit_into_an_express_workflow(resources: Any) -> None:
    timeout = resources["BatchLambdaFunction"]["Properties"]["Timeout"]
    assert 2 * timeout < 300
    (task,) = maps(resources)["PhotosOfPrefix"]["ItemProcessor"]["States"].values()
    last = task["Retry"][-1]
    assert (last["ErrorEquals"], last["MaxAttempts"] >= 1) == (["States.ALL"], True), "a killed worker is tried again"


def test_machine_asks_for_what_hpe_batch_gives_and_makes_what_the_function_takes(resources: Any) -> None:
    given = start_input(Place("photos", "x"), Place("poses", "out"), 7, draw=True)
    definition = json.dumps(resources["BatchMachine"]["Properties"]["Definition"])
    asked = set(re.findall(r'"\$\.(\w+)"', definition)) - {"Payload"}
    assert asked <= {*given, "manifest"}
    assert asked >= {"bucket", "prefix", "output", "outputBucket", "summaries", "batchSize", "draw", "kind"}
    selector = maps(resources)["PhotosOfPrefix"]["ItemSelector"]
    item = {
        name.removesuffix(".$"): {"Key": "x/a.jpg", "Etag": "e", "Size": 9}
        if path == "$$.Map.Item.Value"
        else given[path.removeprefix("$.")]
        for name, path in selector.items()
    }
    batch = batch_of({"Items": [item]})
    assert (batch.bucket, batch.output, batch.draw, batch.items[0].key) == ("photos", "poses/out", True, "x/a.jpg")


def test_without_buckets_there_is_none_of_it(template: Any) -> None:
    assert not [name for name in template["Resources"] if name.startswith("Batch")]
