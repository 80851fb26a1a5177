"""Takes out what looks like a credential, of structures by their fields and of text by its shape. In doubt it goes.

Of an environment only variables are kept whose names the product gives itself. Everywhere else goes what stands under a name such as
`password`, `token` or `apiKey`; the user and password of an address; what an Authorization header says; keys and certificates in PEM; JSON
Web Tokens; and long strings of letters and digits that no person chose. Names of Secrets and digests of images are no secrets, and stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from tradingbot_contract import endpoints

REDACTED: Final = "REDACTED"
_WORDS: Final = (
    r"pass(?:word|wd|phrase|code)?|pwd|secret|token|api[-_.]?key|access[-_.]?key(?:[-_.]?id)?|private[-_.]?key|secret[-_.]?key|signing[-_.]?key|"
    r"encryption[-_.]?key|credentials?|authorization|authentication|cookie|signature|session[-_.]?id|dsn|otp|pin|seed|mnemonic"
)
_NAME: Final = re.compile(rf"(?i)(?:^|.*[^a-z]|.*(?<=[a-z])(?=[A-Z]))?(?:{_WORDS})s?\d*\Z")
_PLAIN: Final = re.compile(r"(?i)true|false|null|none|~|\{\}|\[\]|-?\d{1,3}")
_PEM: Final = re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL)
_USERINFO: Final = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s\"'<>]*@")
_SCHEME: Final = re.compile(r"(?i)\b(bearer|basic|digest|negotiate)(\s+)[^\s\"',;]+")
_WEB_TOKEN: Final = re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?")
_NAMED: Final = re.compile(
    rf"""(?ix)
    (?P<name> ["']? [\w.\-]* (?:{_WORDS}) s?\d* ["']? [ \t]* [:=]{{1,2}} [ \t]* )
    (?P<value> [|>][-+0-9]* [ \t]* (?:\n[ \t]+[^\n]*)+ | "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | \S+ )
    """
)
_KNOWN_TOKENS: Final = re.compile(r"\b(?:AKIA|ASIA|ghp_|gho_|ghs_|github_pat_|glpat-|xox[abprs]-|sk-|sk_live_|rk_live_|hf_)[\w-]{8,}")
_LONG: Final = re.compile(r"(?<![\w+/=.:@-])[A-Za-z0-9+/_=-]{28,}(?![\w+/=-])")
_HEX: Final = re.compile(r"(?<![\w:@/-])[0-9a-fA-F]{32,}(?![\w-])")
_KINDS_OF_CHARACTERS: Final = 3
_MOST_SEPARATED: Final = 12
"""A name that a person chose is made of parts; longer ones without a separator are chosen by nobody."""

KNOWN_VARIABLES: Final = frozenset(
    value
    for name, value in vars(endpoints).items()
    if name.startswith("ENV_") and value not in {endpoints.ENV_DATABASE_URL, endpoints.ENV_REDIS_URL}
) | frozenset(
    {
        "PYTHONUNBUFFERED",
        "POD_NAME",
        "POD_NAMESPACE",
        "NODE_NAME",
        "OTEL_SDK_DISABLED",
        "HF_HOME",
        "HF_HUB_OFFLINE",
        "MALLOC_ARENA_MAX",
        "MALLOC_TRIM_THRESHOLD_",
    }
)
_DROPPED: Final = frozenset({"managedFields"})
_OF_A_REFERENCE: Final = frozenset({"name", "secretName", "optional", "items", "defaultMode"})
"""What a pod says of a Secret that it mounts."""
_OF_A_PROJECTION: Final = frozenset({"audience", "expirationSeconds", "path"})
"""What a pod says of a token that the kubelet makes for it."""
_CERTIFICATES: Final = frozenset({"caBundle"})


class Redactor:
    """Redacts, and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def redact_text(self, text: str) -> str:
        """Return the text without what looks like a credential."""
        for pattern in (_PEM, _WEB_TOKEN, _KNOWN_TOKENS):
            text = pattern.sub(self._replace, text)
        text = _USERINFO.sub(lambda found: self._replace(found, f"{found[1]}{REDACTED}@"), text)
        text = _SCHEME.sub(lambda found: self._replace(found, f"{found[1]}{found[2]}{REDACTED}"), text)
        text = _NAMED.sub(self._replace_named, text)
        text = _HEX.sub(self._replace, text)
        return _LONG.sub(self._replace_long, text)

    def redact_structure(self, value: Any) -> Any:
        """Return an object of the API, or a page, without what looks like a credential."""
        if isinstance(value, str):
            return self.redact_text(value)
        if isinstance(value, list):
            return [self.redact_structure(each) for each in value]
        if isinstance(value, Mapping):
            return self._redact_mapping(value)
        return value

    def _redact_mapping(self, value: Mapping[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, content in value.items():
            if name in _DROPPED:
                continue
            if name == "env" and isinstance(content, list):
                kept[name] = [self._redact_variable(each) for each in content]
            elif name in _CERTIFICATES or (_names_credential(name) and not _is_harmless(name, content)):
                self.count += 1
                kept[name] = REDACTED
            else:
                kept[self.redact_text(name)] = self.redact_structure(content)
        return kept

    def _redact_variable(self, variable: Any) -> Any:
        if not isinstance(variable, Mapping) or "value" not in variable:
            return self.redact_structure(variable)
        if variable.get("name") in KNOWN_VARIABLES or str(variable.get("name", "")).startswith("TRADINGBOT_OPERATOR_"):
            return {"name": variable["name"], "value": self.redact_structure(variable["value"])}
        self.count += 1
        return {"name": variable.get("name"), "value": REDACTED}

    def _replace(self, found: re.Match[str], by: str = REDACTED) -> str:
        if found[0] == by:
            return by
        self.count += 1
        return by

    def _replace_named(self, found: re.Match[str]) -> str:
        value = found["value"]
        bare = value.strip("\"'").rstrip(",;)}]")
        if not bare or bare == REDACTED or _PLAIN.fullmatch(bare) or value.rstrip(",;") in {"[]", "{}"}:
            return found[0]
        quote = value[0] if value[0] in "\"'" else ""
        return self._replace(found, f"{found['name']}{quote}{REDACTED}{quote}")

    def _replace_long(self, found: re.Match[str]) -> str:
        text = found[0]
        kinds = (any(map(str.islower, text)), any(map(str.isupper, text)), any(map(str.isdigit, text)))
        longest_part = max(map(len, re.split(r"[-_/=+]", text)))
        return self._replace(found) if sum(kinds) >= _KINDS_OF_CHARACTERS and longest_part > _MOST_SEPARATED else text


def _names_credential(name: str) -> bool:
    return _NAME.match(name) is not None


def _is_harmless(name: str, content: Any) -> bool:
    """Return whether it is no credential whatever it is called: nothing, a switch, or a reference to the Secret where one is."""
    if content is None or isinstance(content, bool) or content in ("", [], {}):
        return True
    if isinstance(content, int | float) and name.lower().endswith("tokens"):
        return True  # how many of them a model may read
    if name == "serviceAccountToken" and isinstance(content, Mapping) and set(content) <= _OF_A_PROJECTION:
        return True
    if isinstance(content, list):
        return all(_is_harmless(name, each) for each in content)
    return isinstance(content, Mapping) and name.lower().rstrip("s").endswith("secret") and set(content) <= _OF_A_REFERENCE
