"""What configurations may look like."""

from pathlib import Path
from typing import Any

from spikard._spikard import ConfigSource, check_machine
from spikard.fsm.config_code import ConfigCode
from spikard.fsm.config_issue import ConfigIssue
from spikard.fsm.config_text import read_file, read_text
from spikard.fsm.errors import ConfigurationError
from spikard.fsm.native_checks import within_limits


class ConfigValidator:
    """Checks configurations: first the form of each part, then, if all have theirs, what they must agree on."""

    def validate(self, config: dict[str, Any]) -> list[str]:
        """The texts of all errors; none if the configuration is good."""
        return [text for _, severity, _, _, text, _ in within_limits(check_machine, config) if severity == "error"]

    def validate_strict(self, config: dict[str, Any]) -> None:
        """Raises `ConfigurationError` with all errors in its context, if there are any."""
        _refuse(self.validate(config))

    def validate_form(self, config: dict[str, Any]) -> None:
        """Raises `ConfigurationError` if a part has not its form; whether they agree is not looked at."""
        found = within_limits(check_machine, config)
        _refuse([text for code, severity, _, _, text, _ in found if severity == "error" and code in _OF_FORM])

    def config_warnings(self, config: dict[str, Any]) -> list[str]:
        """What is allowed but probably not meant. The error policy is looked through whatever else is wrong."""
        policy = config.get("error_policy")
        if isinstance(policy, dict) and self.validate(config):
            config = {"states": [{"name": "any", "type": "initial"}], "transitions": [], "error_policy": policy}
        return [text for _, severity, _, _, text, _ in within_limits(check_machine, config) if severity == "warning"]


_OF_FORM = frozenset({"C001", "C002", "C003", "C004", "C005", "C006"})


def _refuse(errors: list[str]) -> None:
    if errors:
        raise ConfigurationError(
            f"Configuration validation failed with {len(errors)} error(s)", context={"errors": errors}
        )


def validate_config(config: dict[str, Any], strict: bool = True) -> list[str]:
    """Raises `ConfigurationError` if a configuration has errors; with `strict=False` gives their texts."""
    validator = ConfigValidator()
    if strict:
        validator.validate_strict(config)
        return []
    return validator.validate(config)


validate_machine_config = validate_config


def check_config(config: dict[str, Any] | str | Path) -> list[ConfigIssue]:
    """All issues of a configuration, warnings included: of a mapping, of a YAML text, or of a file given as `Path`.

    Issues of texts and files know their line and column. A text that can't be read is a `ConfigurationError`.
    """
    source: ConfigSource | None = None
    value: Any = config
    if isinstance(config, Path):
        source = read_file(config)
    elif isinstance(config, str):
        source = read_text(config)
    if source is not None:
        value = source.value()
    issues = []
    for code, severity, path, message, _, hint in within_limits(check_machine, value):
        line, column = (None, None) if source is None else source.position(path)
        place = ".".join(str(step) for step in path)
        issues.append(ConfigIssue(ConfigCode(code), severity, place, message, hint, line, column))
    return issues
