"""Parts that params.yaml chooses by name: one class in one file, with its own frozen dataclass of parameters.

    LOSSES: Parts[Objective] = Parts("loss", __package__)

    @LOSSES.register("softmax", SoftmaxParams)
    class Softmax(Objective): ...

A section's dataclass that names its registry (`PARTS`) is read by `likeness.params` as the dataclass of the chosen
part, so that a parameter that the part does not read is a mistake. A name alone stands for the part's defaults.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")
C = TypeVar("C", bound=type[Any])


@dataclasses.dataclass(frozen=True)
class NoParams:
    """The parameters of a part that has none."""

    name: str


class Parts(Generic[T]):
    """The parts of one kind, by name; all modules of their package are imported when one is asked for.

    Args:
        kind: what they are, as a message says it, such as "loss".
        package: that holds them, one a file.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind, self.package = kind, package
        self._parts: dict[str, tuple[type[T], type[Any]]] = {}

    def register(self, name: str, params: type[Any] = NoParams) -> Callable[[C], C]:
        """Decorates the class of a part with its name and the dataclass of its parameters, if it has any.

        Raises:
            ValueError: another class has that name.
        """

        def add(part: C) -> C:
            if name in self._parts:
                raise ValueError(f"two classes are registered as the {self.kind} {name}; rename one")
            self._parts[name] = part, params
            return part

        return add

    @property
    def names(self) -> list[str]:
        """All names in the order of the alphabet."""
        return sorted(self._loaded())

    def part(self, name: str) -> type[T]:
        """The class registered under a name.

        Raises:
            ValueError: there is none; the message lists the known names.
        """
        return self._found(name)[0]

    def kind_of_params(self, name: str) -> type[Any]:
        """The dataclass of a part's parameters.

        Raises:
            ValueError: see `part`.
        """
        return self._found(name)[1]

    def params(self, name: str, **values: Any) -> Any:
        """The parameters of a part, its own defaults where nothing is given.

        Raises:
            ValueError: see `part`.
            TypeError: the part does not read a key.
        """
        return self.kind_of_params(name)(name=name, **values)

    def name_of(self, part: type[Any]) -> str:
        """The name that a class is registered under.

        Raises:
            KeyError: it is not registered.
        """
        return {kind: name for name, (kind, _) in self._parts.items()}[part]

    def without_nulls(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values without the keys of any part of this kind that are null.

        Null stands for the default. Files of version 0.1 list the keys of all parts, null where the part chosen
        does not read them.
        """
        known = {field.name for _, params in self._loaded().values() for field in dataclasses.fields(params)}
        return {key: value for key, value in values.items() if value is not None or key not in known}

    def _found(self, name: str) -> tuple[type[T], type[Any]]:
        parts = self._loaded()
        if name not in parts:
            raise ValueError(f"unknown {self.kind} {name!r}; known are {', '.join(sorted(parts))}")
        return parts[name]

    def _loaded(self) -> dict[str, tuple[type[T], type[Any]]]:
        folder = importlib.import_module(self.package).__path__
        for module in pkgutil.iter_modules(folder, f"{self.package}."):
            importlib.import_module(module.name)
        return self._parts
