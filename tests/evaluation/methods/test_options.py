"""Options of a method, checked against the fields of its class."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from bayesbench.errors import UsageError
from bayesbench.evaluation.methods.options import checked, field_names, only_known


@dataclass(frozen=True)
class Example:
    """Something to build."""

    path: str
    rank: int = 2
    made: int = field(default=0, init=False)
    name: ClassVar[str] = "example"

    def __post_init__(self) -> None:
        if self.rank < 0:
            raise UsageError("rank must not be negative")


def test_only_what_the_class_takes_is_an_option() -> None:
    assert field_names(Example) == ("path", "rank")
    assert checked("example", Example, {"path": "p", "rank": 3}) == Example("p", 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "p", "made": 1}, "method 'example' has no option 'made'; it has path, rank"),
        ({"path": "p", "name": "x"}, "no option 'name'"),
        ({"rank": 1}, "needs option 'path'"),
        ({"path": "p", "rank": "two"}, "method 'example': .*check the values"),
        ({"path": "p", "rank": -1}, "rank must not be negative"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        checked("example", Example, options)


def test_a_method_without_options_says_so() -> None:
    with pytest.raises(UsageError, match="method 'mean' has no option 'rank'; it has none"):
        only_known("mean", ["rank"], [])
