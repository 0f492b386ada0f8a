"""A file of settings in YAML that people edit: read with one wording of what is wrong, whoever the settings belong to."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError


def read_yaml(path: Path, wrong: type[Exception], if_missing: str = "") -> Any:
    """Return what a YAML file says, not yet checked against anything.

    Args:
        path: the file.
        wrong: what is raised, with a message that names the file, the line where it is known, and what to do.
        if_missing: what to do where there is no such file.

    Raises:
        Exception: ``wrong``: the file is not there, cannot be read, is no UTF-8 or no YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise wrong("；".join(filter(None, (f"{path} 不存在", if_missing)))) from error
    except OSError as error:
        raise wrong(f"{path} 读不了：{error.strerror}") from error
    except UnicodeDecodeError as error:
        raise wrong(f"{path} 不是 UTF-8 编码，请另存为 UTF-8") from error
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"第 {mark.line + 1} 行" if mark else "内容"
        raise wrong(f"{path}：{where}不是合格的 YAML，请核对缩进、冒号后的空格和引号") from error


def reasons(error: ValidationError) -> str:
    """Return what is wrong with the fields of a settings file: each field by its path, and why."""
    return "；".join(f"字段 {'.'.join(map(str, e['loc'])) or '（整个文件）'}：{e['msg']}" for e in error.errors())
