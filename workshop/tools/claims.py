"""Reads the claims of an executed notebook, which its cells leave as data beside their text."""

import dataclasses

import nbformat


@dataclasses.dataclass(frozen=True)
class Claim:
    """One statement that a notebook has measured."""

    statement: str
    holds: bool
    measured: str
    cell: nbformat.NotebookNode  # the notebook's, in which it was made

    @property
    def is_headline(self) -> bool:
        return "headline" in self.cell.metadata.get("tags", [])


def claims_of(notebook: nbformat.NotebookNode) -> list[Claim]:
    """All claims of an executed notebook, in order."""
    return [
        Claim(**output.metadata["claim"], cell=cell)
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "claim" in output.get("metadata", {})
    ]
