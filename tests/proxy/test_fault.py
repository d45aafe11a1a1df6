from gateway.proxy.fault import described


def caught(raises: object) -> BaseException:
    assert callable(raises)
    try:
        raises()
    except Exception as error:  # noqa: BLE001  # any
        return error
    raise AssertionError


def test_type_and_place_are_told_of_an_error_and_of_its_cause_and_no_message() -> None:
    def inner() -> None:
        raise KeyError("sk-secret")

    def outer() -> None:
        try:
            inner()
        except KeyError as error:
            raise ValueError("a prompt") from error

    told = described(caught(outer))
    assert told.startswith("ValueError at test_fault.py:")
    assert "; caused by KeyError at test_fault.py:" in told
    assert "sk-secret" not in told
    assert "a prompt" not in told


def test_a_suppressed_context_stays_untold() -> None:
    def raises() -> None:
        try:
            raise KeyError  # noqa: TRY301  # the case
        except KeyError:
            raise ValueError from None

    assert "KeyError" not in described(caught(raises))


def test_a_circle_of_causes_ends() -> None:
    error = ValueError()
    error.__cause__ = error
    assert described(error) == "ValueError"
