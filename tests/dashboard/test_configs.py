import pytest

from dashboard.browse.configs import Config, Variable


@pytest.mark.parametrize(
    "name",
    ["DB_PASSWORD", "PGPASSWORD", "GITHUB_TOKEN", "aws_secret_access_key", "API_KEY", "HTTP_AUTH"],
)
def test_what_is_called_like_a_secret_is_covered(name: str) -> None:
    assert Variable(name, "x").is_secret


@pytest.mark.parametrize("name", ["PATH", "PWD_BASE", "AUTHOR", "LANG", "KEYBOARD"])
def test_what_is_no_secret_is_shown(name: str) -> None:
    assert not Variable(name, "x").is_secret


def test_an_empty_secret_needs_no_cover() -> None:
    assert not Variable("DB_PASSWORD", "").is_secret


def test_commands_are_written_as_a_shell_takes_them() -> None:
    config = Config.read({"entrypoint": ["/bin/app", "a b"], "cmd": None, "env": ["A=b=c", "D"]})
    assert config.entrypoint == "/bin/app 'a b'"
    assert config.command == ""
    assert config.env == (Variable("A", "b=c"), Variable("D", ""))


def test_a_config_that_says_nothing_can_be_read() -> None:
    assert Config.read({}) == Config()
