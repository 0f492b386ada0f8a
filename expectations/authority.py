"""Who may decide what, as data: ``authority.yaml``, or a city's own file of the same form."""

from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from sources.finding import CLASS_LABELS, Finding
from sources.settings import read_yaml, reasons
from sources.text import label_of

AUTHORITY_FILE = Path(__file__).parent / "authority.yaml"


class AuthorityError(ValueError):
    """The file of who may decide what is wrong; the message names the file, the field and the reason."""


class Power(BaseModel):
    """Who has a power: the people named, or anybody who gives a name where none is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    names: tuple[str, ...] = ()

    def refusal(self, by: str, what: str) -> str:
        """Return why a person may not do ``what``; empty where they may."""
        if not self.names or label_of(by).casefold() in {label_of(name).casefold() for name in self.names}:
            return ""
        return f"{what}只能由{'、'.join(self.names)}决定，{by} 不在其中"


class WaiverPower(Power):
    """Who may waive, and for how many days at most, today included."""

    most_days: int


class _Waivers(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    query: WaiverPower
    mandatory: WaiverPower


class Authority(BaseModel):
    """Who may explain, accept, waive and decide on what is missing; ``never_waived`` says per rule what to do instead."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    explain: Power
    accept: Power
    waive: _Waivers
    missing: Power
    never_waived: dict[str, str] = {}

    def waiver_of(self, finding: Finding) -> WaiverPower | None:
        """Return who may waive a finding; None for a note, which blocks nothing."""
        return {"query": self.waive.query, "mandatory": self.waive.mandatory}.get(finding.rule_class)

    def waiver_refusal(self, finding: Finding, by: str) -> str:
        """Return why a person may not waive a finding; empty where they may."""
        power = self.waiver_of(finding)
        if power is None:
            return "提示不挡发布，不需要豁免"
        if finding.rule_id in self.never_waived:
            return f"不能豁免：{self.never_waived[finding.rule_id]}"
        return power.refusal(by, f"豁免{CLASS_LABELS[finding.rule_class]}问题")


def authority_in(directory: Path) -> Authority:
    """Return the authority of the home whose ledger's folder this is: its own ``authority.yaml`` beside the folder, else the project's.

    Raises:
        AuthorityError: the file is wrong.
    """
    own = directory.parent / AUTHORITY_FILE.name
    path = own if own.exists() else AUTHORITY_FILE
    return load_authority(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def load_authority(path: Path, _changed_at: int = 0) -> Authority:
    """Read and check a file of who may decide what; ``_changed_at`` only tells one state of the file from the next.

    Raises:
        AuthorityError: naming the file, the field and the reason.
    """
    data = read_yaml(path, AuthorityError)
    try:
        return Authority.model_validate(data)
    except ValidationError as error:
        raise AuthorityError(f"{path.name}：{reasons(error)}") from error
