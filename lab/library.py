"""What a package exports: each name is loaded when it is first used, and its arguments are checked against their types.

The types are the annotations that a reader sees: ``Float[Tensor, "n k"]``, ``Sequence[Scene]``, ``Literal[...]``. So a
core needs no checks of its own, and a user of the library gets one line where torch would broadcast, or fail far away:

    negative_sampling_loss: noise_scores must be a float tensor of shape (n, k) with n = 3, got float32 of shape (5, 2)

A function is wrapped. Of a model (``nn.Module``), the public methods are wrapped in place. Only the call from outside
is checked, not the calls it makes. Nothing is imported here that imports torch: a command line sets up threads first.

jaxtyping with beartype was tried instead. But of a list, beartype checks one item, chosen at random. It takes True for
an int, checks no range of a configuration, and its words are ``Float[Tensor, 'n d'] with n=3, d=5, got f32[3,1]``.
"""

import dataclasses
import functools
import inspect
import numbers
import sys
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import lazy_loader

NUMBERS = {int: numbers.Integral, float: numbers.Real}  # NumPy's numbers are such numbers too
INSIDE = ContextVar("INSIDE", default=False)  # whether a checked function is running
Sizes = dict[str, int | tuple[int, ...]]  # of the letters in shapes, as far as the arguments before have set them


def exports(package: str, names: Mapping[str, Sequence[str]]) -> tuple[Callable, Callable, list[str]]:
    """``__getattr__``, ``__dir__`` and ``__all__`` of a package.

    Args:
        package: its ``__name__``.
        names: the exported names of each of its modules.
    """
    load, list_names, everything = lazy_loader.attach(package, submod_attrs=names)

    def load_checked(name: str) -> Any:
        value = load(name)
        for module, exported in names.items():  # also classes whose objects a function returns, as ``build`` does
            for each in exported:
                check_methods(getattr(sys.modules.get(f"{package}.{module}"), each, None), each)
        if inspect.isfunction(value):
            value = checked(value, name)
            value.__module__, value.__qualname__ = package, name  # so that it can be pickled
            setattr(sys.modules[package], name, value)  # the next use finds it there
        return value

    return load_checked, list_names, everything


def check_methods(kind: Any, name: str) -> None:
    """Wraps the public methods of a model that are not wrapped yet. Other classes are quick records, and stay."""
    if not inspect.isclass(kind) or not is_module(kind):
        return
    for method, function in list(vars(kind).items()):
        public = method == "__init__" or not method.startswith("_")
        if public and inspect.isfunction(function) and not hasattr(function, "checks_arguments"):
            wrapped = checked(function, name if method == "__init__" else f"{name}.{method}")
            wrapped.__doc__ = function.__doc__ or ""  # without one, help() would show torch's
            setattr(kind, method, wrapped)


def checked(function: Callable, name: str) -> Callable:
    """The function after a check of its arguments.

    It raises a ``ValueError`` if an argument does not fit its annotation: in one line the function, the argument, what
    is allowed, and what came.
    """
    signature = inspect.signature(function)
    hints = functools.cache(lambda: get_type_hints(function, include_extras=True))

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        torch = sys.modules.get("torch")
        if INSIDE.get() or (torch and torch.compiler.is_compiling()):  # a compiled function has no checks
            return function(*args, **kwargs)
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError:
            return function(*args, **kwargs)  # Python's own message: a missing or an unknown argument
        check_arguments(name, given, {key: hints().get(key) for key in given if is_single(signature, key)})
        token = INSIDE.set(True)
        try:
            return function(*args, **kwargs)
        finally:
            INSIDE.reset(token)

    call.checks_arguments = True
    return call


def is_single(signature: inspect.Signature, key: str) -> bool:
    """Whether it is one argument, and not *args or **kwargs."""
    return signature.parameters[key].kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def check_arguments(name: str, given: Mapping[str, Any], hints: Mapping[str, Any]) -> None:
    """The letters of shapes mean the same size in all arguments.

    Raises:
        ValueError: names the first argument that does not fit.
    """
    sizes: Sizes = {}
    for key, hint in hints.items():
        if hint is None:
            continue
        right = fits(given[key], hint)
        found = sizes_of(given[key], hint) if right else {}
        if not right or any(sizes.get(letter, size) != size for letter, size in found.items()):
            raise ValueError(f"{name}: {key} must be {allowed(hint, sizes)}, got {came(given[key], hint)}")
        sizes.update(found)
        if dataclasses.is_dataclass(hint):
            check_fields(f"{name}: {key}", given[key])


def check_fields(where: str, record: Any) -> None:
    """The fields of a configuration, and the tensors of a record such as ``word2vec.Text``."""
    hints = get_type_hints(type(record), include_extras=True)
    if any(get_origin(hint) is Annotated for hint in hints.values()):
        from lab.config import check

        try:
            check(record)
        except ValueError as error:
            raise ValueError(f"{where}.{error}") from None
    tensors = {key: hint for key, hint in hints.items() if is_tensor_type(hint)}
    if tensors:
        check_arguments(where, {key: getattr(record, key) for key in tensors}, tensors)


def is_tensor_type(hint: Any) -> bool:
    return hasattr(hint, "dim_str") and hasattr(hint, "array_type")


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type. Of a list all items are looked at; what is read only once is not read here."""
    origin, inside = get_origin(hint), get_args(hint)
    if hint in (Any, object) or isinstance(hint, TypeVar):
        return True
    if hint in (None, types.NoneType):
        return value is None
    if origin is Annotated:
        return fits(value, inside[0])
    if origin in (Union, types.UnionType):
        return any(fits(value, each) for each in inside)
    if origin is Literal:
        return any(type(value) is type(each) and value == each for each in inside)
    if origin is tuple or (origin and issubclass(origin, Iterable) and not issubclass(origin, Mapping)):
        return items_fit(value, origin, inside)
    if hint in NUMBERS:
        return isinstance(value, NUMBERS[hint]) and not isinstance(value, bool)
    if is_tensor_type(hint):
        from jaxtyping import jaxtyped

        with jaxtyped("context"):  # a letter that comes twice has one size
            return isinstance(value, hint)
    if inspect.isclass(hint) and is_module(hint):
        return is_module(type(value))  # also a compiled model, or another one with the same methods
    return isinstance(value, origin or hint)


def is_module(kind: type) -> bool:
    return any(base.__name__ == "Module" and base.__module__.startswith("torch.nn") for base in kind.__mro__)


def items_fit(value: Any, origin: type, inside: tuple[Any, ...]) -> bool:
    """Whether it is a sequence (of one kind of items, or as many as a tuple says). A text is no sequence of texts."""
    if isinstance(value, str | bytes):
        return False
    if inside and inside[0] in NUMBERS and hasattr(value, "tolist"):  # an array or a tensor of numbers
        value = value.tolist()
    kind = Sequence if origin in (tuple, list) else origin
    if not isinstance(value, kind):
        return False
    if origin is tuple and inside[-1] is not Ellipsis:
        return len(value) == len(inside) and all(map(fits, value, inside))
    return not isinstance(value, Sequence) or not inside or all(fits(item, inside[0]) for item in value)


def sizes_of(value: Any, hint: Any) -> Sizes:
    """The size of each letter of a shape."""
    if get_origin(hint) in (Union, types.UnionType):
        hint = next((each for each in get_args(hint) if fits(value, each)), None)
    if not is_tensor_type(hint):
        return {}
    letters, shape, sizes = hint.dim_str.split(), tuple(value.shape), {}
    starred = next((k for k, letter in enumerate(letters) if letter[0] in "*."), None)
    if starred is not None:  # this one takes the sizes that are left
        end = len(shape) - (len(letters) - starred - 1)
        sizes[letters.pop(starred)] = shape[starred:end]
        shape = shape[:starred] + shape[end:]
    return {k: v for k, v in (*sizes.items(), *zip(letters, shape, strict=True)) if k.lstrip("*").isidentifier()}


def allowed(hint: Any, sizes: Sizes) -> str:
    """A type in words."""
    origin, inside = get_origin(hint), get_args(hint)
    if is_tensor_type(hint):
        kind = {"Shaped": "", "Int": "integer ", "Bool": "boolean "}.get(hint.dtype.__name__, f"{hint.dtype.__name__} ")
        letters = hint.dim_str.split()
        known = ", ".join(f"{letter} = {sizes[letter]}" for letter in dict.fromkeys(letters) if letter in sizes)
        shape = f"({letters[0]},)" if len(letters) == 1 else f"({', '.join(letters)})"
        text = f"{kind.lower()}tensor of shape {shape}".removesuffix(" of shape (...,)")
        return f"{article(text)} {text}" + (f" with {known}" if known else "")
    if origin is Annotated:
        return allowed(inside[0], sizes)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(allowed(each, sizes) for each in inside))
    if origin is Literal:
        return f"{'one of ' if len(inside) > 1 else ''}{', '.join(map(repr, inside))}"
    if origin is tuple and inside[-1] is not Ellipsis:
        return f"a tuple ({', '.join(allowed(each, sizes) for each in inside)})"
    if origin is not None and issubclass(origin, Mapping | Callable):
        return {Mapping: "a mapping", Callable: "a function"}.get(origin, f"a {origin.__name__}")
    if origin is not None:
        return f"a sequence, and each item {allowed(inside[0], sizes)}" if inside else "a sequence"
    names = {int: "int", float: "float", str: "string", bool: "bool", None: "None", types.NoneType: "None"}
    name = names.get(hint) or getattr(hint, "__name__", str(hint))
    return name if name == "None" else f"{article(name)} {name}"


def came(value: Any, hint: Any) -> str:
    """A value in words, and what to do if it is nearly right."""
    kind = type(value).__name__
    if value is None or isinstance(value, str | bytes | bool | numbers.Number):
        return repr(value)
    if type(value).__module__ == "numpy" and hasattr(value, "shape"):
        wanted = any(is_tensor_type(each) for each in (hint, *get_args(hint)))
        help_ = "; torch.from_numpy makes a tensor of it" if wanted else ""
        return f"a NumPy array: {value.dtype} of shape {tuple(value.shape)}{help_}"
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"{str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}"
    inside = get_args(hint)
    if get_origin(hint) not in (None, Literal, tuple, Union, types.UnionType) and inside and fits(value, inside[0]):
        return f"{article(kind)} {kind}; put it into a list"
    if isinstance(value, Sequence) and inside:
        wrong = next((k for k, item in enumerate(value) if not fits(item, inside[0])), None)
        if wrong is not None:
            return f"{article(kind)} {kind} with {came(value[wrong], None)} at index {wrong}"
    return f"{article(kind)} {kind}"


def article(word: str) -> str:
    return "an" if word[:1].lower() in "aeiou" else "a"
