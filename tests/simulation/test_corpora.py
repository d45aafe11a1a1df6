import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from gateway.simulation.corpora import UnusableCorpora, built_in, from_directory


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(json.dumps(row) for row in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)


def prompts(name: str, number: int = 60) -> list[dict[str, Any]]:
    return [
        {"prompt": f"{name} question number {at} about gardens and rivers"} for at in range(number)
    ]


def test_folders_tell_what_a_source_is_for(tmp_path: Path) -> None:
    write(tmp_path / "benign" / "people.jsonl", prompts("people"))
    write(tmp_path / "extraction" / "taken.jsonl.gz", prompts("taken"))
    corpora = from_directory(tmp_path)
    assert set(corpora.harvest) == {"taken"}
    assert all(text.startswith("people") for text in corpora.chat.items)


def test_without_folders_no_source_serves_both_sides(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write(tmp_path / f"{name}.jsonl", prompts(name))
    corpora = from_directory(tmp_path)
    harvested = {text for texts in corpora.harvest.values() for text in texts.items}
    assert harvested
    assert not harvested & set(corpora.chat.items)


def test_a_source_can_be_held_out(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / "extraction" / f"{name}.jsonl", prompts(name))
    write(tmp_path / "benign" / "c.jsonl", prompts("c"))
    assert set(from_directory(tmp_path, without=["a"]).harvest) == {"b"}


def test_a_template_is_what_all_its_rows_share(tmp_path: Path) -> None:
    rows = [
        {
            "template": "t",
            "prompt": f"Say what this is about: text {word} here\nAnswer in one word.",
        }
        for word in ("alpha", "beta", "gamma")
    ]
    write(tmp_path / "batch" / "rows.jsonl", rows)
    write(tmp_path / "benign" / "c.jsonl", prompts("c"))
    (template,) = from_directory(tmp_path).templates
    filled = template.fill(random.Random(1))
    assert filled.startswith("Say what this is about: text ")
    assert filled.endswith("Answer in one word.")


def test_sessions_keep_system_tools_and_results(tmp_path: Path) -> None:
    messages = [
        {"role": "system", "content": "You book rooms."},
        {"role": "user", "content": "A room, please."},
        {"role": "assistant", "content": "", "tool": ["book_room"]},
        {"role": "tool", "content": "done"},
        {"role": "assistant", "content": "Booked."},
    ]
    write(tmp_path / "agents" / "s.jsonl", [{"msgs": messages}])
    (session,) = from_directory(tmp_path).sessions
    assert session.system == "You book rooms."
    assert session.tools == ("book_room",)
    assert [(turn.role, turn.tool) for turn in session.turns] == [
        ("user", None),
        ("assistant", "book_room"),
        ("tool", "book_room"),
        ("assistant", None),
    ]


def test_files_without_texts_are_named(tmp_path: Path) -> None:
    write(tmp_path / "c.jsonl", prompts("c"))
    write(tmp_path / "trace.jsonl", [{"timestamp": 1}])
    assert from_directory(tmp_path).passed_over == ("trace.jsonl",)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnusableCorpora, match="is no directory"):
        from_directory(tmp_path / "nowhere")
    with pytest.raises(UnusableCorpora, match="holds no texts"):
        from_directory(tmp_path)
    (tmp_path / "broken.jsonl").write_text("{")
    with pytest.raises(UnusableCorpora, match=r"broken\.jsonl cannot be read"):
        from_directory(tmp_path)


def test_our_own_texts_are_the_same_each_time_and_in_many_languages() -> None:
    first, second = built_in(), built_in()
    assert first.chat.items == second.chat.items
    scripts = {"zh": "请", "ru": "Почему", "de": "Wie", "tr": "neden"}
    whole = "\n".join(first.chat.items)
    assert all(word in whole for word in scripts.values())
    assert all(len(texts.items) > 500 for texts in first.harvest.values())
