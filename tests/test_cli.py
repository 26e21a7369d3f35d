"""The `hpe` command as a whole: help, lazy commands, errors as one line, exit statuses."""

import os
import re
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hpe import __version__, cli
from hpe.errors import ModelUnavailable


def hpe(*args: str, **kwargs) -> subprocess.CompletedProcess:
    """The command in a process of its own."""
    return subprocess.run([sys.executable, "-m", "hpe.cli", *args], capture_output=True, text=True, **kwargs)


def run(*args: str):
    return CliRunner().invoke(cli.main, args, prog_name="hpe")


def test_help_lists_every_command_with_its_line() -> None:
    result = CliRunner().invoke(cli.main, ["--help"], prog_name="hpe", terminal_width=100)
    assert result.exit_code == 0
    for name, (_, line) in cli.COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(line)}$", result.output, re.M)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_command_exists_and_explains_itself(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Usage: hpe {name} ")
    module, _, attribute = cli.COMMANDS[name][0].partition(":")
    command = getattr(import_module(module), attribute)
    undescribed = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert command.help
    assert not undescribed, "options without help"


@pytest.mark.parametrize("name", ["predict", "serve", "version"])
def test_line_in_the_list_is_the_first_line_of_the_command(name: str) -> None:
    module, _, attribute = cli.COMMANDS[name][0].partition(":")
    assert getattr(import_module(module), attribute).help.splitlines()[0] == cli.COMMANDS[name][1]


def test_no_arguments_show_the_help() -> None:
    result = run()
    assert result.exit_code == 2
    assert "hpe predict photo.jpg" in result.output


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version_flag(flag: str) -> None:
    assert run(flag).output == f"hpe {__version__}\n"


def test_version_names_model_and_packages() -> None:
    output = run("version").output
    assert output.startswith(f"hpe {__version__}\nmodel ")
    assert "onnxruntime " in output


def test_version_works_without_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPE_MODEL", "/nowhere/pose.onnx")
    result = run("version")
    assert result.exit_code == 0
    assert "model: /nowhere/pose.onnx: no such model file" in result.output


def test_a_slip_of_the_finger_gets_a_suggestion() -> None:
    result = run("pedict", "x.jpg")
    assert result.exit_code == 2
    assert "did you mean 'predict'?" in result.output


def test_an_unknown_command_gets_the_list() -> None:
    result = run("xyzzy")
    assert result.exit_code == 2
    assert "there are predict, video, serve," in result.output


def test_unknown_option_is_a_usage_error() -> None:
    assert run("predict", "--fly", "x.jpg").exit_code == 2


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    @click.command()
    def command() -> None:
        raise error

    monkeypatch.setattr("hpe.commands.version.version", command)


def test_an_error_of_ours_is_one_line_and_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, ModelUnavailable("s3://a/b.onnx: no such key"))
    result = run("version")
    assert (result.exit_code, result.output) == (1, "Error: s3://a/b.onnx: no such key\n")


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, ZeroDivisionError())
    assert isinstance(run("version").exception, ZeroDivisionError)


def test_ctrl_c_ends_with_130_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, KeyboardInterrupt())
    result = run("version")
    assert result.exit_code == 130
    assert "Stopped." in result.output


def test_missing_torch_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # a torch.py that fails as an absent torch does, before the real one on the path
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')")
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(cli.__file__).parents[1])])}
    config = next((Path(cli.__file__).parents[1] / "configs").glob("*.yaml"))
    export = ["export", "--pose", __file__, "--fp32", "-o", str(tmp_path / "x.json")]
    for words in (["train", "--config", str(config)], export):
        result = hpe(*words, env=environ)
        assert result.returncode == 1
        wanted = f'Error: hpe {words[0]} needs torch, which is not installed: pip install "hpe-pose[train]"'
        assert result.stderr.strip() == wanted


def test_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "hpe.cli", "predict", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        process.wait(30)


def test_ctrl_c_on_a_running_command_stops_it_cleanly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hpe.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        line = process.stdout.readline()
        assert "http://127.0.0.1:" in line
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=30)[0]
    assert "Traceback" not in rest
    assert process.returncode in (0, 130)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["train", "--config", "x.yaml", "--steps", "-5"], "-5 is not in the range x>=1"),
        (["train", "--config", "x.yaml", "--hours", "nan"], "nan is not a time: give a number above 0"),
        (["train", "--config", "x.yaml", "--hours", "0"], "0 is not a time"),
        (["eval", "--data", "x.json", "--size", "10"], "give a multiple of 32 from 32 to 1024"),
        (["eval", "--data", "x.json", "--frame", "3", "2"], "--frame 3 2: give two numbers from 1 to 99"),
        (["eval", "--data", "x.json", "--frame", "nan", "2"], "--frame nan 2: give two numbers"),
        (["eval", "--data", "x", "--kind", "lsp", "--first", "9", "--last", "3"], "--first 9 --last 3"),
        (["eval", "--data", "x.json", "--limit", "-1"], "-1 is not in the range x>=0"),
        (
            ["export", "--pose", "x.pt", "-o", "x.json", "--fp32", "--size", "100"],
            "--size 100: give a side or HEIGHTxWIDTH",
        ),
        (["export", "--pose", "x.pt", "-o", "x.json", "--fp32", "--count", "0"], "0 is not in the range x>=1"),
        (["serve", "--port", "70000"], "70000 is not in the range 0<=x<=65535"),
        (["predict", "x.jpg", "--jobs", "0"], "0 is not in the range 1<=x<=64"),
        (["predict", "x.jpg", "--people", "21"], "21 is not in the range 1<=x<=20"),
        (["predict", "x.jpg", "--dataset"], "--dataset is for --format coco; this is png"),
        (["submit", "x.jpg", "--api", "https://a.example", "--timeout", "nan"], "nan is not a time"),
    ],
)
def test_options_that_make_no_sense_are_one_clear_line_before_work_begins(words: list[str], told: str) -> None:
    result = run(*words)
    assert result.exit_code in (1, 2)
    (line,) = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert told in line


@pytest.mark.parametrize("device", ["foo", "cuda:99", "cuda:-1", "cuda:x", "cpu:0", "", "mps"])
def test_device_that_is_not_there_is_told_before_training(device: str) -> None:
    from hpe.commands.train import checked_device
    from hpe.errors import BadSettings

    with pytest.raises(BadSettings, match="this machine has"):
        checked_device(device)


def test_devices_that_are_there_are_taken() -> None:
    from hpe.commands.train import checked_device

    assert checked_device("cpu") == "cpu"
    assert checked_device("auto") in ("cpu", "cuda")
