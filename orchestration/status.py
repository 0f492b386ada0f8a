"""Who has sent what: one row per provider and half-year, from receipts, gate records and acceptances."""

from datetime import datetime

from expectations import findings as ledger
from sources.contracts import half_year_providers
from warehouse import archive, layers
from warehouse.paths import Home


def board(home: Home, period: str | None) -> list[dict[str, object]]:
    """Return the status of every provider for one half-year, or for all that anything was received for.

    States: 缺报, 已报（未审；有新版本还没有审也是）, 退回 (open 强制性), 待说明 (open 核实性), 已准入.
    """
    received = {(r.provider, r.period) for r in archive.receipts(home) if r.period}
    accepted = layers.accepted_periods(home)
    wanted = [period] if period else sorted({p for _, p in received})
    rows: list[dict[str, object]] = []
    for key in wanted:
        for provider in half_year_providers():
            versions = archive.versions(home, provider.provider, key)
            open_ones = ledger.blocking(home.findings, key, f"gate1:{provider.provider}")
            mandatory = sum(f.rule_class == "mandatory" for f in open_ones)
            record = layers.gate_record(home, provider.provider, key)
            state = "已报（未审）"
            if not versions:
                state = "缺报"
            elif record is None or record["version_count"] < len(versions):
                pass
            elif mandatory:
                state = "退回"
            elif open_ones:
                state = "待说明"
            elif provider.provider in accepted.get(key, set()):
                state = "已准入"
            rows.append(
                {
                    "报告期": key,
                    "单位": provider.label,
                    "状态": state,
                    "版本数": len(versions),
                    "最近收到": ledger.local_time(datetime.fromisoformat(versions[-1].received_at)) if versions else "",
                    "强制性": mandatory,
                    "核实性": len(open_ones) - mandatory,
                }
            )
    return rows
