"""What a run says on the terminal while it works: one line per step, in Chinese, on standard error."""

import logging
import sys
import time

import dagster as dg

STEPS = {
    "archive__inbox": "收件存档",
    "dbt_build": "建模（dbt）",
    "gate_2": "第二道关卡",
    "published__warehouse": "发布",
    "reports__annex1": "附件1 工作簿",
    "reports__annex2": "附件2 工作簿",
    "reports__targets": "目标进度图",
}
PREFIXES = {"archive__": "存档", "read_": "读取与第一道关卡", "accept_": "准入"}


def step_label(step_key: str) -> str:
    """Return the Chinese name of a step."""
    from sources.contracts import providers

    if step_key in STEPS:
        return STEPS[step_key]
    for prefix, label in PREFIXES.items():
        provider = providers().get(step_key.removeprefix(prefix))
        if step_key.startswith(prefix) and provider:
            return f"{provider.label} {label}"
    return step_key


class _ProgressHandler(logging.Handler):
    """Prints the end of each step, with its time; Dagster's other events go to its own store."""

    def __init__(self) -> None:
        super().__init__()
        self.started: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "dagster_meta", {}).get("dagster_event")
        step = getattr(event, "step_key", None)
        if event is None or step is None:
            return
        kind = event.event_type_value
        if kind == "STEP_START":
            self.started[step] = time.monotonic()
        elif kind in ("STEP_SUCCESS", "STEP_FAILURE"):
            took = time.monotonic() - self.started.pop(step, time.monotonic())
            mark = "完成" if kind == "STEP_SUCCESS" else "未通过"
            print(f"  {mark}  {step_label(step)}  {took:.1f} 秒", file=sys.stderr, flush=True)


@dg.logger
def progress_logger(init_context: dg.InitLoggerContext) -> logging.Logger:
    """Return a logger that prints one line per finished step."""
    logger = logging.Logger("sti.progress", level=logging.DEBUG)
    logger.addHandler(_ProgressHandler())
    return logger
