"""Puts the kit functions that a lesson imports, and its pictures, into its notebook, so that it stands alone."""

import ast
import base64
import builtins
import io
import re

import PIL.Image

from workshop.build.errors import BuildError

WIDEST_PICTURE = 700  # pixels: a Markdown picture shows at its own size, and this is what a notebook's page has room for
REMOVED = "\0"  # stands for a line that does not reach the notebook
PICTURE = re.compile(r"^!\[(?P<alt>[^\]]*)\]\((?P<target>[^)\s]*)\)[ ]*$", re.MULTILINE)


def kit_imports(source, path=None, line=0):
    """The names that a cell imports from workshop.kit, and the cell without those imports."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise BuildError(f"not Python: {error.msg}", path, line + (error.lineno or 0)) from error
    names, lines = [], source.splitlines()
    for statement in ast.walk(tree):
        module = (
            getattr(statement, "module", None) if isinstance(statement, ast.ImportFrom) else None
        )
        modules = (
            [alias.name for alias in statement.names]
            if isinstance(statement, ast.Import)
            else [module or ""]
        )
        if not any(name.split(".")[0] == "workshop" for name in modules):
            continue
        aliased = any(
            alias.asname or alias.name == "*" for alias in getattr(statement, "names", [])
        )
        if module != "workshop.kit" or aliased or statement not in tree.body:
            raise BuildError(
                "import from the kit as `from workshop.kit import name`",
                path,
                line + statement.lineno,
            )
        names += [alias.name for alias in statement.names]
        lines[statement.lineno - 1 : statement.end_lineno] = [REMOVED] * (
            statement.end_lineno - statement.lineno + 1
        )
    rest = re.sub(
        rf"\n\n({REMOVED}\n)+\n", "\n\n", "\n".join(lines)
    )  # one empty line, not two, where a block goes
    return names, re.sub(rf"{REMOVED}\n?", "", rest).strip("\n")


class Kit:
    """The package of functions that can be inlined, read as syntax trees and never imported."""

    def __init__(self, folder):
        self.folder = folder
        self.modules = {path.stem: Module(path) for path in sorted(folder.glob("*.py"))}

    def source_of(self, names, already=()):
        """The source of kit functions and of all they call: one runnable text; and the names that it defines.

        names: as exported by the package. already: names that the notebook has from an earlier cell.
        """
        imports, definitions = set(), {}
        for name in names:
            self.collect("__init__", name, imports, definitions)
        new = [node_source for name, (_, node_source) in definitions.items() if name not in already]
        if not new:
            return "", set()
        return "\n\n\n".join(["\n".join(sorted(imports)), *new]).strip(), set(definitions)

    def collect(self, module_name, name, imports, definitions):
        module = self.modules[module_name]
        if name in module.imports:
            origin, text = module.imports[name]
            if origin:
                self.collect(*origin, imports, definitions)
            else:
                imports.add(text)
        elif name in module.definitions:
            if name in definitions:
                if definitions[name][0] != module_name:
                    raise BuildError(
                        f"{name} is defined in {module_name} and in {definitions[name][0]}",
                        module.path,
                    )
                return
            definitions[name] = (
                module_name,
                None,
            )  # a place, so that functions that call each other end
            node, text = module.definitions[name]
            for used in sorted({part.id for part in ast.walk(node) if isinstance(part, ast.Name)}):
                if used in module.definitions or used in module.imports:
                    self.collect(module_name, used, imports, definitions)
                elif used.startswith("__") and not hasattr(builtins, used):
                    raise BuildError(
                        f"{name} uses {used}, which a notebook does not have",
                        module.path,
                        node.lineno,
                    )
            del definitions[name]  # and its true place behind what it calls
            definitions[name] = module_name, text
        else:
            raise BuildError(f"the kit has no {name}", module.path)


class Module:
    """One file of the kit: its definitions and imports by name."""

    def __init__(self, path):
        self.path = path
        self.definitions, self.imports = {}, {}
        source = path.read_text(encoding="utf-8")
        self.lines = source.splitlines()
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                self.definitions[node.name] = node, self.text(node)
            elif isinstance(node, ast.Assign) and all(
                isinstance(target, ast.Name) for target in node.targets
            ):
                for target in node.targets:
                    self.definitions[target.id] = node, self.text(node)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                self.add_import(node)
            elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                raise BuildError(
                    "the kit holds only imports, functions, classes and named values",
                    path,
                    node.lineno,
                )

    def text(self, node):
        """A definition with its decorators and the comment lines right above it."""
        first = (
            min(
                [
                    node.lineno,
                    *(decorator.lineno for decorator in getattr(node, "decorator_list", [])),
                ]
            )
            - 1
        )
        while first and self.lines[first - 1].startswith("#"):
            first -= 1
        return "\n".join(self.lines[first : node.end_lineno])

    def add_import(self, node):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "workshop":
            for alias in node.names:
                if alias.asname or not node.module.startswith("workshop.kit."):
                    raise BuildError(
                        "the kit imports from itself as `from workshop.kit.module import name`",
                        self.path,
                        node.lineno,
                    )
                self.imports[alias.name] = (
                    (node.module.removeprefix("workshop.kit."), alias.name),
                    None,
                )
            return
        if isinstance(node, ast.ImportFrom) and node.level:
            raise BuildError(
                "the kit has no relative imports: a notebook cannot follow them",
                self.path,
                node.lineno,
            )
        for alias in node.names:
            single = (
                ast.ImportFrom(node.module, [alias], 0)
                if isinstance(node, ast.ImportFrom)
                else ast.Import([alias])
            )
            self.imports[(alias.asname or alias.name).split(".")[0]] = None, ast.unparse(single)


def split_pictures(source, path, line):
    """A text cell's parts: its prose, and each picture with its data, which becomes a cell of its own."""
    parts, end = [], 0
    for match in PICTURE.finditer(source):
        here = line + source[: match.start()].count("\n") + 1
        parts += [
            source[end : match.start()],
            picture_as_data(path, match["alt"], match["target"], here),
        ]
        end = match.end()
    parts.append(source[end:])
    stray = next(
        (part for part in parts if "](" in part and re.search(r"!\[[^\]]*\]\((?!data:)", part)),
        None,
    )
    if stray:
        raise BuildError(
            "a picture stands on a line of its own: ![what it shows](path)", path, line
        )
    return [part.strip("\n") for part in parts if part.strip()]


def picture_as_data(source_path, alt, target, line):
    if not alt.strip():
        raise BuildError(
            f"the picture {target} has no alt text: write what it shows between ![ and ]",
            source_path,
            line,
        )
    picture_path = (source_path.parent / target).resolve()
    if not picture_path.is_file():
        raise BuildError(f"there is no picture {target}", source_path, line)
    data = picture_path.read_bytes()
    with PIL.Image.open(io.BytesIO(data)) as picture:
        if picture.format != "PNG" or picture.mode != "P" or picture.width > WIDEST_PICTURE:
            raise BuildError(
                f"{target} is not a palette PNG of at most {WIDEST_PICTURE} pixels: save it with images/drawing.py",
                source_path,
                line,
            )
    return f"![{alt}](data:image/png;base64,{base64.b64encode(data).decode()})"
