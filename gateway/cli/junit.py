"""Scenarios that were run, in the form of JUnit's XML, which CI systems show.

There is no standard of it; these are the elements and attributes that all readers know.
"""

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from gateway.scenarios.run import Ran
from gateway.scenarios.story import story
from gateway.source.problems import printable


def junit_xml(runs: Sequence[Ran]) -> bytes:
    """One suite for each file, one case for each scenario."""
    by_file: dict[str, list[Ran]] = {}
    for ran in runs:
        by_file.setdefault(ran.located.document.source.file, []).append(ran)
    root = ET.Element("testsuites", _figures(runs))
    for file, of_file in by_file.items():
        suite = ET.SubElement(root, "testsuite", {"name": file, **_figures(of_file)})
        for ran in of_file:
            _case(suite, file, ran)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _figures(runs: Sequence[Ran]) -> dict[str, str]:
    return {
        "tests": str(len(runs)),
        "failures": str(sum(1 for ran in runs if not ran.passed)),
        "errors": "0",
        "time": f"{sum(ran.seconds for ran in runs):.3f}",
    }


def _case(suite: ET.Element, file: str, ran: Ran) -> None:
    line = ran.located.where().rpartition(":")[2]
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": file,
            "name": printable(ran.located.scenario.scenario),
            "file": file,
            "line": line,
            "time": f"{ran.seconds:.3f}",
        },
    )
    if ran.passed:
        return
    said = [
        f"{ran.located.where(('expect', one.at))}: expected "
        f"{ran.located.written(('expect', one.at))}, but {one.but}"
        for one in ran.unmet
    ]
    failure = ET.SubElement(case, "failure", {"message": printable(said[0])})
    failure.text = printable_lines([*said, "", *story(ran)])


def printable_lines(lines: Sequence[str]) -> str:
    """XML has no place for control characters, not even escaped."""
    return "\n".join(printable(line) for line in lines)
