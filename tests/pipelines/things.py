"""Functions and objects of every kind that a node may be made of, and what each does.

All is made anew by ``made``, so that other processes can make the same and compare;
``python -m pipelines.things`` prints how this process encodes them.
"""

from __future__ import annotations

import enum
import functools
import json
import operator
import re
import sys
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from kedro_rats.encoding.canonical import digest
from kedro_rats.encoding.objects import ObjectEncoder

if TYPE_CHECKING:
    from collections.abc import Callable


def double(x: Any) -> Any:
    return x * 2


def logged(func: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(func)
    def wrapper(*args: Any) -> Any:
        return [func.__name__, func(*args)]

    return wrapper


@logged
def decorated(x: Any) -> Any:
    return x + 1


def badly_logged(func: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*args: Any) -> Any:
        return ["bad", func(*args)]

    return wrapper


@badly_logged
def badly_decorated(x: Any) -> Any:
    return x + 1


def adder(n: int) -> Callable[[int], int]:
    return lambda x: x + n


def chooser(names: set[str]) -> Callable[[str], Any]:
    def choose(name: str) -> Any:
        return [name in names, name in {"one", "two", "three", "four"}, sorted(names)]

    return choose


def local_class() -> type:
    class Local:
        tags = frozenset({"p", "q", "r", "s"})

        def __init__(self, n: int) -> None:
            self.n = n

        def __call__(self, x: Any) -> Any:
            return [x + self.n, sorted(self.tags)]

    return Local


def local_enumeration() -> Any:
    class Local(enum.Enum):
        ONE = 1
        TWO = 2

    return Local


class Adds:
    """A callable object with an attribute that its constructor does not take."""

    def __init__(self, n: int) -> None:
        self.n = n * 10

    def __call__(self, x: Any) -> Any:
        return x + self.n

    def method(self, x: Any) -> Any:
        return x - self.n

    alias = method

    @classmethod
    def of_class(cls, x: Any) -> Any:
        return [cls.__name__, x]

    @staticmethod
    def of_nothing(x: Any) -> Any:
        return [x]

    def __hidden(self, x: Any) -> Any:
        return ["hidden", x]

    def hidden(self) -> Callable[..., Any]:
        return self.__hidden


class Child(Adds):
    def method(self, x: Any) -> Any:
        return ["child", x]

    def parent(self) -> Callable[..., Any]:
        return super().method


@dataclass(frozen=True)
class Plain:
    """What ``$new`` is for."""

    n: int
    names: tuple[str, ...] = ("a",)

    def add(self, x: Any) -> Any:
        return x + self.n


@dataclass
class Doubling:
    """Its constructor changes what it is given: it must not be called again."""

    n: int

    def __post_init__(self) -> None:
        self.n *= 2

    def add(self, x: Any) -> Any:
        return x + self.n


@dataclass
class OwnInit:
    n: int

    def __init__(self, n: int) -> None:
        self.n = n + 1

    def add(self, x: Any) -> Any:
        return x + self.n


class InheritedInit(Plain):
    def __init__(self, whatever: int) -> None:
        super().__init__(whatever * 3, ("z",))


@dataclass(slots=True)
class Slots:
    n: int

    def add(self, x: Any) -> Any:
        return x + self.n


@dataclass(frozen=True, slots=True)
class FrozenSlots:
    n: int

    def add(self, x: Any) -> Any:
        return x + self.n


class OldSlots:
    __slots__ = ("n", "unset")

    def __init__(self, n: int) -> None:
        self.n = n

    def add(self, x: Any) -> Any:
        return x + self.n


class Property:
    """Its attribute is stored under the name of a property that refuses to be set."""

    def __init__(self, n: int) -> None:
        self.__dict__["n"] = n

    @property
    def n(self) -> int:
        return int(self.__dict__["n"])

    def add(self, x: Any) -> Any:
        return x + self.n


class KeepsState:
    """Says itself what is kept, and gives its state before its items as ``pickle`` does not."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.open: Any = sys.stdout

    def __getstate__(self) -> dict[str, Any]:
        return {"n": self.n}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.n, self.open = state["n"], sys.stdout

    def add(self, x: Any) -> Any:
        assert self.open is sys.stdout
        return x + self.n


class CountingList(list[Any]):
    """A list that counts what is appended, and whose count is its state."""

    count = 0

    def append(self, item: Any) -> None:
        self.count += 1
        super().append(item)

    def total(self, x: Any) -> Any:
        return [sum(self) + x, self.count]


class Odd:
    """Follows the letter of ``get_params``, and not what it is for."""

    made = 0

    def __init__(self, alpha: int) -> None:
        Odd.made += 1
        self.alpha = alpha * 2

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"alpha": self.alpha}

    def add(self, x: Any) -> Any:
        return x + self.alpha


class Colour(enum.Enum):
    RED = 1

    def add(self, x: Any) -> Any:
        return x + self.value


class Flag(enum.IntFlag):
    A = 1
    B = 2


class Options(BaseModel):
    depth: int = 3
    names: set[str] = {"x", "y", "z"}
    inner: dict[str, Any] = {}

    def add(self, x: Any) -> Any:
        return [x + self.depth, sorted(self.names), sorted(self.model_fields_set)]


Point = namedtuple("Point", "x y")


def look(value: Any) -> Any:
    return value


def held(value: Any, x: Any) -> Any:
    """Return what an object is, as far as a test can compare it."""
    return [type(value).__name__, repr(value), x]


class Pair:
    """Two attributes, which may be one object."""

    def __init__(self, one: Any, other: Any) -> None:
        self.one, self.other = one, other

    def both(self, x: Any) -> Any:
        return [self.one is self.other, x]


class DrawsTwice(Pair):
    def both(self, x: Any) -> Any:
        return [int(self.one.integers(1000)), int(self.other.integers(1000)), x]


def ring() -> Pair:
    made = Pair(None, Pair(1, None))
    made.other.other = made
    return made


def ring_of_lists() -> Pair:
    made = Pair([], 2)
    made.one.append(made)
    return made


def goes_round(pair: Pair, x: Any) -> Any:
    inner = pair.one[0] if isinstance(pair.one, list) else pair.other.other
    return [inner is pair, x]


def routed() -> Any:
    import sklearn

    with sklearn.config_context(enable_metadata_routing=True):
        return LogisticRegression().set_fit_request(sample_weight=True)


def requests(estimator: Any, x: Any) -> Any:
    return [repr(estimator.get_metadata_routing()), x]


def nested_estimator() -> Any:
    return GridSearchCV(
        make_pipeline(
            ColumnTransformer([("scale", StandardScaler(with_mean=False), [0, 1])]),
            LogisticRegression(C=0.5, solver="liblinear"),
        ),
        {"logisticregression__C": [0.1, 1.0], "columntransformer__scale": ["drop"]},
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
    )


def fitted() -> Any:
    return StandardScaler().fit(np.arange(6.0).reshape(3, 2))


def shares_state() -> Any:
    state = np.random.RandomState(0)
    return BaggingClassifier(LogisticRegression(random_state=state), random_state=state)


def states_are_one(bagging: Any, x: Any) -> Any:
    return [bagging.random_state is bagging.estimator.random_state, x]


def predicted(scaler: Any, x: Any) -> Any:
    return scaler.transform(np.full((1, 2), float(x))).tolist()


PLAIN = Plain(1)
FREE = np.frompyfunc(double, 1, 1)

# (what calls it with 3, whether a pickle is needed)
_OF_THREE: dict[str, tuple[Callable[[], Callable[[Any], Any]], bool]] = {
    "function": (lambda: double, False),
    "builtin": (lambda: abs, False),
    "of a c module": (lambda: operator.neg, False),
    "class": (lambda: Plain, False),
    "builtin class": (lambda: str, False),
    "method of a class": (lambda: Adds.of_class, False),
    "static method": (lambda: Adds.of_nothing, False),
    "method of a builtin class": (lambda: [1, 2].__add__([3]).count, False),
    "method descriptor": (lambda: int.bit_length, False),
    "slot wrapper": (lambda: (5).__add__, False),
    "class method of a builtin": (lambda: int.from_bytes.__self__, False),
    "ufunc": (lambda: np.log1p, False),
    "numpy function": (lambda: np.sum, False),
    "scipy-like ufunc method": (
        lambda: np.add.accumulate.__self__.identity.__add__,
        False,
    ),
    "decorated": (lambda: decorated, False),
    "badly decorated": (lambda: badly_decorated, True),
    "partial": (lambda: partial(operator.add, 4), False),
    "nested partial": (lambda: partial(partial(pow, 2), mod=5), False),
    "partial of a method": (lambda: partial(Plain(4).add), False),
    "callable object": (lambda: Adds(4), False),
    "bound method": (lambda: Adds(4).method, False),
    "alias of a method": (lambda: Adds(4).alias, False),
    "method of the parent": (lambda: Child(4).parent(), False),
    "private method": (lambda: Adds(4).hidden(), True),
    "dataclass": (lambda: Plain(4).add, False),
    "dataclass that changes": (lambda: Doubling(4).add, False),
    "dataclass with own init": (lambda: OwnInit(4).add, False),
    "dataclass with inherited init": (lambda: InheritedInit(4).add, False),
    "slots": (lambda: Slots(4).add, False),
    "frozen slots": (lambda: FrozenSlots(4).add, False),
    "old slots": (lambda: OldSlots(4).add, False),
    "property": (lambda: Property(4).add, False),
    "keeps state": (lambda: KeepsState(4).add, False),
    "counting list": (lambda: CountingList([1, 2]).total, False),
    "odd get_params": (lambda: Odd(4).add, False),
    "enum": (lambda: Colour.RED.add, False),
    "pydantic": (lambda: Options(inner={"b": [1], "a": (2,)}).add, False),
    "lambda": (lambda: lambda x: x + 1, True),
    "closure": (lambda: adder(4), True),
    "sets": (lambda: chooser({"e", "f", "g", "h", "i"}), True),
    "local class": (lambda: local_class()(4), True),
    "local enumeration": (lambda: partial(held, local_enumeration().ONE), True),
    "numpy random state": (
        lambda: partial(DrawsTwice.both, _draws(shared=False)),
        False,
    ),
    "shared random state": (
        lambda: partial(DrawsTwice.both, _draws(shared=True)),
        True,
    ),
    "two of one": (lambda: Pair(*[[1]] * 2).both, True),
    "two alike": (lambda: Pair([1], [1]).both, False),
    "two of one that cannot change": (lambda: partial(held, (PLAIN, PLAIN)), False),
    "ring": (lambda: partial(goes_round, ring()), True),
    "ring of lists": (lambda: partial(goes_round, ring_of_lists()), True),
    "estimators share a state": (lambda: partial(states_are_one, shares_state()), True),
    "estimator": (lambda: partial(held, nested_estimator()), False),
    "routed estimator": (lambda: partial(requests, routed()), True),
    "fitted estimator": (lambda: partial(predicted, fitted()), False),
    "estimator with a function": (lambda: partial(held_function, function_in()), True),
    "array": (lambda: partial(held, np.arange(3, dtype="int16")), False),
    "structured dtype": (lambda: partial(held, np.dtype([("a", "f4")])), False),
    "numpy number": (lambda: partial(held, np.float32(0.1)), False),
    "ordered": (lambda: partial(held, OrderedDict(b=1, a=2)), False),
    "default": (lambda: partial(held, defaultdict(list, {"b": [1]})), False),
    "counter": (lambda: partial(held, Counter("abca")), False),
    "deque": (lambda: partial(held, deque([1, 2], maxlen=5)), False),
    "named tuple": (lambda: partial(held, Point(1, 2)), False),
    "flag": (lambda: partial(held, Flag.A | Flag.B), False),
    "pattern": (lambda: partial(held, re.compile("a+", re.IGNORECASE)), False),
    "getter": (lambda: partial(held, operator.itemgetter(1, "x")), False),
    "module": (lambda: partial(held_module, json), False),
    "path": (lambda: partial(held, Path("a/b")), False),
    "exception": (lambda: partial(held, ValueError("a", 1)), False),
}


def _draws(*, shared: bool) -> DrawsTwice:
    state = np.random.default_rng(5)
    return DrawsTwice(state, state if shared else np.random.default_rng(5))


def function_in() -> Any:
    return FunctionTransformer(lambda rows: [row for row in rows if row in {"p", "q"}])


def held_function(transformer: Any, x: Any) -> Any:
    return [transformer.func(["q", x]), x]


def held_module(module: Any, x: Any) -> Any:
    return [module.__name__, module.dumps(x)]


NAMES = list(_OF_THREE)
# Of one object, or of two: that differs with the version of scikit-learn.
SOMETIMES_PICKLED = ["routed estimator"]
PICKLED = [name for name, (_, needs_pickle) in _OF_THREE.items() if needs_pickle]


def made(name: str) -> Callable[[Any], Any]:
    """Return what takes one number, made anew."""
    return _OF_THREE[name][0]()


def encoded(thing: Any) -> tuple[Any, dict[str, bytes]]:
    """Return a thing as JSON, and the pickles that it names."""
    pickles: dict[str, bytes] = {}
    encoder = ObjectEncoder(lambda data: pickles.setdefault(digest(data), data))
    return encoder.encode(thing), pickles


def main() -> None:
    """Print how this process encodes everything."""
    found = {name: encoded(made(name))[0] for name in NAMES}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
