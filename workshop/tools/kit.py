"""Puts the kit functions that a lesson imports into its notebook, so that it stands alone."""

import ast
import builtins
import re
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any

from workshop.tools.errors import BuildError

REMOVED = "\0"  # stands for a line that does not reach the notebook


def kit_imports(source: str, path: Path | None = None, line: int = 0) -> tuple[list[str], str]:
    """The names that a cell imports from workshop.kit, and the cell without those imports."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise BuildError(f"not Python: {error.msg}", path, line + (error.lineno or 0)) from error
    names, lines = [], source.splitlines()
    for statement in ast.walk(tree):
        if not isinstance(statement, ast.Import | ast.ImportFrom) or not imports_workshop(
            statement
        ):
            continue
        aliased = any(alias.asname or alias.name == "*" for alias in statement.names)
        from_kit = isinstance(statement, ast.ImportFrom) and statement.module == "workshop.kit"
        shares_line = any(
            statement.lineno <= other.lineno <= (statement.end_lineno or 0)
            for other in tree.body
            if other is not statement
        )
        if not from_kit or aliased or shares_line or statement not in tree.body:
            message = "import from the kit as `from workshop.kit import name`, alone on its line"
            raise BuildError(message, path, line + statement.lineno)
        names += [alias.name for alias in statement.names]
        for number in range(statement.lineno - 1, statement.end_lineno or statement.lineno):
            lines[number] = REMOVED
    # One empty line, not two, where a block of lines goes.
    rest = re.sub(rf"\n\n({REMOVED}\n)+\n", "\n\n", "\n".join(lines))
    return names, re.sub(rf"{REMOVED}\n?", "", rest).strip("\n")


def imports_workshop(statement: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(statement, ast.ImportFrom):
        modules = [statement.module or ""]
    else:
        modules = [alias.name for alias in statement.names]
    return any(module.split(".")[0] == "workshop" for module in modules)


class Kit:
    """The package of functions that can be inlined, read as syntax trees and never imported."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.modules = {path.stem: Module(path) for path in sorted(folder.glob("*.py"))}

    def source_of(self, names: Iterable[str], already: Container[str] = ()) -> tuple[str, set[str]]:
        """The source of kit functions and of all they call: one runnable text; and the names that it defines.

        names: as exported by the package. already: names that the notebook has from an earlier cell.
        """
        imports: set[str] = set()
        definitions: dict[str, tuple[str, str]] = {}
        offered = self.modules["__init__"]
        for name in names:
            if name not in offered.kit_imports:
                raise BuildError(f"the kit has no {name}", offered.path)
            self.collect(offered.kit_imports[name], name, imports, definitions)
        new = [node_source for name, (_, node_source) in definitions.items() if name not in already]
        if not new:
            return "", set()
        return "\n\n\n".join(["\n".join(sorted(imports)), *new]).strip(), set(definitions)

    def collect(self, module_name: str, name: str, imports: set[str], definitions: dict) -> None:
        if module_name not in self.modules:
            raise BuildError(f"the kit has no module {module_name}", self.folder)
        module = self.modules[module_name]
        if name in module.kit_imports:
            self.collect(module.kit_imports[name], name, imports, definitions)
        elif name in module.imports:
            imports.update(module.imports[name])
        elif name in module.definitions:
            self.define(module_name, name, imports, definitions)
        else:
            raise BuildError(f"the kit has no {name}", module.path)

    def define(self, module_name: str, name: str, imports: set[str], definitions: dict) -> None:
        """Put a definition behind all that it uses."""
        module = self.modules[module_name]
        if name in definitions:
            if definitions[name][0] != module_name:
                raise BuildError(
                    f"{name} is defined in {module_name} and in {definitions[name][0]}", module.path
                )
            return
        definitions[name] = module_name, None  # a place, so that functions that call each other end
        node, text = module.definitions[name]
        for used in sorted({part.id for part in ast.walk(node) if isinstance(part, ast.Name)}):
            if used in module.names:
                self.collect(module_name, used, imports, definitions)
            elif used.startswith("__") and not hasattr(builtins, used):
                raise BuildError(
                    f"{name} uses {used}, which a notebook does not have", module.path, node.lineno
                )
        del definitions[name]
        definitions[name] = module_name, text


class Module:
    """One file of the kit: its definitions, its imports, and what it imports from the rest of the kit, by name."""

    def __init__(self, path: Path):
        self.path = path
        self.definitions: dict[str, tuple[ast.stmt, str]] = {}
        self.imports: dict[str, list[str]] = {}
        self.kit_imports: dict[str, str] = {}
        source = path.read_text(encoding="utf-8")
        self.lines = source.splitlines()
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                self.definitions[node.name] = node, self.text(node)
            elif isinstance(node, ast.Assign) and all(
                isinstance(target, ast.Name) for target in node.targets
            ):
                for target in node.targets:
                    self.definitions[ast.unparse(target)] = node, self.text(node)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                self.add_import(node)
            elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                for part in node.body:  # the table of what the package offers
                    self.add_import(part)
            elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                message = "the kit holds only imports, functions, classes and named values"
                raise BuildError(message, path, node.lineno)

    @property
    def names(self) -> set[str]:
        return self.definitions.keys() | self.imports.keys() | self.kit_imports.keys()

    def text(self, node: Any) -> str:
        """A definition with its decorators and the comment lines right above it."""
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(decorator.lineno for decorator in decorators)]) - 1
        while first and self.lines[first - 1].startswith("#"):
            first -= 1
        return "\n".join(self.lines[first : node.end_lineno])

    def add_import(self, node: Any) -> None:
        if imports_workshop(node):
            within_kit = isinstance(node, ast.ImportFrom) and str(node.module).startswith(
                "workshop.kit."
            )
            if not within_kit or any(
                alias.asname not in (None, alias.name) for alias in node.names
            ):
                message = "the kit imports from itself as `from workshop.kit.module import name`"
                raise BuildError(message, self.path, node.lineno)
            for alias in node.names:
                self.kit_imports[alias.name] = node.module.removeprefix("workshop.kit.")
            return
        if isinstance(node, ast.ImportFrom) and node.level:
            message = "the kit has no relative imports: a notebook cannot follow them"
            raise BuildError(message, self.path, node.lineno)
        for alias in node.names:
            is_from = isinstance(node, ast.ImportFrom)
            single = ast.ImportFrom(node.module, [alias], 0) if is_from else ast.Import([alias])
            # A list: `import sklearn.datasets` and `import sklearn.metrics` share the name sklearn.
            name = (alias.asname or alias.name).split(".")[0]
            self.imports.setdefault(name, []).append(ast.unparse(single))
