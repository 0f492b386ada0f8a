"""The ten rows of the city (地区), as the forms print them, and what part of each kind of money falls to them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Area:
    """One area: its printed name, other names that clerks use, the region digits of codes, and its weights."""

    name: str
    aliases: tuple[str, ...]
    region: str
    gov: float
    firms: float
    performers: float


AREAS = (
    Area("市本级", (), "330400", 0.19, 0.0, 0.34),
    Area("南湖区", (), "330402", 0.09, 0.08, 0.14),
    Area("秀洲区", (), "330411", 0.07, 0.12, 0.10),
    Area("嘉善县", (), "330421", 0.10, 0.12, 0.08),
    Area("海盐县", (), "330424", 0.07, 0.07, 0.05),
    Area("海宁市", (), "330481", 0.14, 0.14, 0.09),
    Area("平湖市", (), "330482", 0.12, 0.16, 0.07),
    Area("桐乡市", (), "330483", 0.13, 0.20, 0.08),
    Area("嘉兴经开区", ("嘉兴经济技术开发区",), "330400", 0.05, 0.04, 0.03),
    Area("嘉兴港区", ("浙江乍浦经济开发区", "乍浦经开区"), "330482", 0.04, 0.07, 0.02),
)
CITY_LEVEL = AREAS[0]
