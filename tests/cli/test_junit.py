import xml.etree.ElementTree as ET
from pathlib import Path

from gateway.cli.junit import junit_xml
from tests.scenarios.staging import ran


async def test_what_xml_cannot_hold_is_replaced(tmp_path: Path) -> None:
    one = await ran(tmp_path, rest='policies: [quotas.yaml]\nmode: "as_written"\n')
    title = one.located.scenario.model_copy(update={"scenario": "a\x07 & <b>"})
    object.__setattr__(one.located, "scenario", title)
    root = ET.fromstring(junit_xml([one]))  # noqa: S314  our own
    assert root[0][0].get("name") == "a\ufffd & <b>"


def test_nothing_run_is_a_report_too() -> None:
    assert ET.fromstring(junit_xml([])).get("tests") == "0"  # noqa: S314  our own
