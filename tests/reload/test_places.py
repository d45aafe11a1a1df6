"""Which directories are watched, so that no change of what operators name goes unseen."""

from pathlib import Path

from gateway.reload.places import places
from tests.reload.files import ConfigMap


def test_a_directory_is_watched_with_what_holds_it_and_what_it_holds(tmp_path: Path) -> None:
    inner = tmp_path / "policies" / "teams"
    inner.mkdir(parents=True)
    (inner / "a.yaml").write_text("")
    assert places([tmp_path / "policies"]) == {tmp_path, tmp_path / "policies", inner}


def test_of_a_file_its_directory_is_watched(tmp_path: Path) -> None:
    file = tmp_path / "accounts.yaml"
    file.write_text("")
    assert places([file]) == {tmp_path}


def test_where_links_lead_is_watched_and_where_they_stand(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "a.yaml").write_text("")
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "accounts.yaml").symlink_to(store / "a.yaml")
    assert places([etc / "accounts.yaml"]) == {etc, store}


def test_a_mounted_config_map_is_watched_in_the_directory_whose_link_is_swapped(
    tmp_path: Path,
) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    ConfigMap(mount, {"a.yaml": ""})
    assert places([mount]) == {tmp_path, mount, mount / "..version_1"}


def test_links_in_a_circle_come_to_an_end(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "back").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "itself").symlink_to("itself")
    assert places([tmp_path / "a"]) == {tmp_path, tmp_path / "a"}


def test_what_does_not_exist_is_awaited_where_it_would_appear(tmp_path: Path) -> None:
    assert places([tmp_path / "no" / "such" / "policies"]) == {tmp_path}


def test_hidden_directories_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "policies" / ".git").mkdir(parents=True)
    assert places([tmp_path / "policies"]) == {tmp_path, tmp_path / "policies"}
