"""How many records a second a simulation makes on one core, and what it holds meanwhile.

Run it alone on a quiet machine: python -m tests.benchmarks.simulation_speed [CORPORA]
"""

import gc
import resource
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from gateway.replay.record import Record
from gateway.simulation.campaign import read_campaign
from gateway.simulation.corpora import Corpora, built_in, from_directory
from gateway.simulation.order import Order, standard
from gateway.simulation.stream import Simulation
from gateway.simulation.writing import as_dict, line

RECORDS = 100_000
ORDERS = {
    "all populations": Order(populations=standard(), launch_day=9),
    "a fleet of 1,000": Order(campaigns=(read_campaign("fleet:begin=0"),)),
    "24,000 accounts": Order(campaigns=(read_campaign("fleet:begin=0,accounts=24000"),)),
    "90 % cover": Order(campaigns=(read_campaign("cover:begin=0"),)),
    "agents of a campaign": Order(campaigns=(read_campaign("agentic:begin=0"),)),
}
FORMS: dict[str, Callable[[Record], object]] = {
    "records": lambda record: record,
    "dicts": as_dict,
    "lines": line,
}


def rate(order: Order, corpora: Corpora, form: Callable[[Record], object]) -> tuple[float, float]:
    """Records a second once it runs, and seconds until the first."""
    gc.collect()
    begun = time.process_time()
    records = iter(Simulation(order, corpora))
    next(records)
    ready = time.process_time()
    made = sum(1 for _ in map(form, islice(records, RECORDS)))
    return made / (time.process_time() - ready), ready - begun


def main() -> None:
    corpora = from_directory(Path(sys.argv[1])) if sys.argv[1:] else built_in()
    for name, order in ORDERS.items():
        for what, form in FORMS.items():
            a_second, ready_s = rate(order, corpora, form)
            sys.stdout.write(
                f"{name:22} {what:8} {a_second:10,.0f} a second, ready in {ready_s:.2f} s\n"
            )
    most_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"memory at most {most_mib:.0f} MiB\n")


if __name__ == "__main__":
    main()
