from gateway.replay.record import decode
from gateway.simulation.writing import line
from tests.simulation import making


def test_what_is_written_reads_as_what_was_made() -> None:
    for made in making.records("all:0.01", campaigns=("card:begin=0",))[:500]:
        read = decode(line(made))
        assert bytes(read.body) == bytes(made.body)
        assert (read.at, read.account, read.path, read.method) == (
            made.at,
            made.account,
            made.path,
            made.method,
        )
        assert (read.attributes, read.headers, read.label) == (
            made.attributes,
            made.headers,
            made.label,
        )
        assert read.response == made.response


def test_a_record_is_one_line() -> None:
    made = making.records("chat:5")
    assert all(line(one).count(b"\n") == 1 for one in made)
