import os
from pathlib import Path

import pytest

from gateway.errors import OperatorError
from gateway.policy_directory import NoPolicies, read_texts
from gateway.source.problems import Problem, Problems
from gateway.source.yaml_text import MAX_BYTES


def problems(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(Problems) as raised:
        read_texts(path)
    return raised.value.problems


def test_a_directory_is_its_yaml_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "quota").mkdir()
    for name in ("b.yml", "a.yaml", "quota/c.yaml"):
        (tmp_path / name).write_text(f"# {name}\n")
    for passed_over in ("a.scenario.yaml", "notes.txt", "a.yaml.bak", ".#a.yaml", "list.json"):
        (tmp_path / passed_over).write_text("not a policy")
    texts = read_texts(tmp_path)
    assert list(texts) == [
        (tmp_path / name).as_posix() for name in ("a.yaml", "b.yml", "quota/c.yaml")
    ]
    assert texts[(tmp_path / "a.yaml").as_posix()] == "# a.yaml\n"


def test_a_file_is_itself_whatever_its_name(tmp_path: Path) -> None:
    file = tmp_path / "accounts"
    file.write_bytes("é: ü\r\n".encode())
    assert read_texts(file) == {file.as_posix(): "é: ü\r\n"}


def test_a_mounted_config_map_is_read_once_through_its_links(tmp_path: Path) -> None:
    version = tmp_path / "..2026_01_01_00_00_00.1"
    version.mkdir()
    (version / "quotas.yaml").write_text("# mounted\n")
    (tmp_path / "..data").symlink_to(version.name)
    (tmp_path / "quotas.yaml").symlink_to("..data/quotas.yaml")
    assert read_texts(tmp_path) == {(tmp_path / "quotas.yaml").as_posix(): "# mounted\n"}


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("# a\n")
    (tmp_path / "circle").symlink_to(tmp_path)
    assert len(read_texts(tmp_path)) == 1


def test_what_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoPolicies, match="does not exist"):
        read_texts(tmp_path / "nowhere")
    assert issubclass(NoPolicies, OperatorError)


def test_a_directory_without_policies_does_not_mean_no_limits(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(NoPolicies, match="holds no policy file"):
        read_texts(tmp_path)


def test_every_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("nowhere")
    os.mkfifo(tmp_path / "b.yaml")
    (tmp_path / "c.yaml").write_bytes(b"a: b\nc: \xe9\n")
    (tmp_path / "d.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    (tmp_path / "e.yaml").write_text("# sound\n")
    found = problems(tmp_path)
    assert [(Path(p.file).name, p.line, p.column) for p in found] == [
        ("a.yaml", 1, 1),
        ("b.yaml", 1, 1),
        ("c.yaml", 2, 4),
        ("d.yaml", 1, 1),
    ]
    assert "not a file" in found[0].message
    assert "0xE9 is not UTF-8" in found[2].message
    assert "1,048,577 bytes" in found[3].message


def test_a_file_that_may_not_be_opened_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("# a\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root, as in a container, may open everything
    (problem,) = problems(file)
    assert problem.message == "The file cannot be read: Permission denied."


def test_a_directory_that_may_not_be_listed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(NoPolicies, match="Permission denied"):
        read_texts(tmp_path)


def test_lists_of_phrases_are_read_with_the_files_that_name_them(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/fishing.txt").write_text("rod\n")
    (tmp_path / "lists/nobody-names-it.txt").write_text("reel\n")
    text = "lists: {a: {phrases: lists/fishing.txt}, b: {phrases: lists/gone.txt}}\n"
    (tmp_path / "a.yaml").write_text(text)
    named = (tmp_path / "lists/fishing.txt").as_posix()
    policy = (tmp_path / "a.yaml").as_posix()
    assert read_texts(tmp_path) == {policy: text, named: "rod\n"}
    assert read_texts(tmp_path / "a.yaml") == {policy: text, named: "rod\n"}


def test_a_list_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"rod\n\xff")
    (tmp_path / "a.yaml").write_text("lists: {a: {phrases: x.txt}}\n")
    (problem,) = problems(tmp_path)
    assert str(problem).startswith(f"{tmp_path}/x.txt:2:1: The byte 0xFF is not UTF-8.")
