"""hpe.settings: the environment, read once."""

import dataclasses

import pytest

from hpe.errors import BadSettings
from hpe.settings import LAMBDA_BODY_BYTES, Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_env({}) == Settings()


def test_every_field_has_its_variable() -> None:
    samples = {
        "model": "s3://b/k.onnx",
        "cache_dir": "/var/x",
        "cors_origins": "https://a.example, http://b.example:8080",
    }
    environ = {"HPE_LOG_LEVEL": "debug", "HPE_LAMBDA_LIMITS": "on", "HPE_THRESHOLD": "0.25"}
    for field in dataclasses.fields(Settings):
        name = f"HPE_{field.name.upper()}"
        environ.setdefault(name, samples.get(field.name, "7"))
    settings = Settings.from_env(environ)
    defaults = Settings()
    for field in dataclasses.fields(Settings):
        assert getattr(settings, field.name) != getattr(defaults, field.name), field.name
        assert type(getattr(settings, field.name)) is type(getattr(defaults, field.name)), field.name
    assert settings.cors_origins == ("https://a.example", "http://b.example:8080")


def test_blank_variables_mean_the_default() -> None:
    assert Settings.from_env({"HPE_MODEL": "  ", "HPE_MAX_PIXELS": ""}) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HPE_MAX_PIXELS", "many"),
        ("HPE_MAX_PIXELS", "-1"),
        ("HPE_MAX_PIXELS", "0"),
        ("HPE_MAX_UPLOAD_BYTES", "1e6"),
        ("HPE_THRESHOLD", "nan"),
        ("HPE_THRESHOLD", "inf"),
        ("HPE_THRESHOLD", "1.5"),
        ("HPE_THREADS", "2.5"),
        ("HPE_THREADS", "-1"),
        ("HPE_THREADS", "257"),
        ("HPE_THREADS", "100000"),
        ("HPE_CONCURRENT", "100000"),
        ("HPE_QUEUE", "100000"),
        ("HPE_PHOTO_LINK_S", "604801"),
        ("HPE_LOG_LEVEL", "LOUD"),
        ("HPE_LAMBDA_LIMITS", "maybe"),
        ("HPE_CORS_ORIGINS", "example.org"),
        ("HPE_CORS_ORIGINS", "https://example.org/"),
        ("HPE_CORS_ORIGINS", "https://*.example.org"),
    ],
)
def test_a_bad_value_is_named_with_its_variable(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name):
        Settings.from_env({name: value})


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().model = "other"  # type: ignore[misc]


def test_the_largest_answer_fits_lambda_after_base64() -> None:
    headers_and_envelope = 8_000
    assert -(-Settings().max_response_bytes // 3) * 4 + headers_and_envelope < LAMBDA_BODY_BYTES


@pytest.mark.parametrize(("megabytes", "threads"), [(128, 1), (1769, 1), (2560, 1), (3008, 2), (3538, 2), (10240, 6)])
def test_in_lambda_threads_follow_the_memory(megabytes: int, threads: int) -> None:
    assert Settings.from_env({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(megabytes)}).threads == threads


def test_a_number_of_threads_that_is_given_stands() -> None:
    assert Settings.from_env({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769", "HPE_THREADS": "4"}).threads == 4
