"""Makes the outputs of an executed notebook small, quiet, and the same on every run."""

import base64
import io
import re

import nbformat
import PIL.Image

# Lines that TensorFlow's C++ side writes while it loads, whatever the settings.
LOG_LINE = re.compile(
    r"^([IWEF]\d{4} \d\d:\d\d:\d+\.\d+|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWEF] |WARNING: All log messages before absl"
    r"|To enable the following instructions:).*\n?",
    re.MULTILINE,
)
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")


def clean(notebook: nbformat.NotebookNode) -> None:
    """Clean all outputs in place, and drop what only the build needs of the cells."""
    # Executing adds the version of this machine's Python.
    notebook.metadata.language_info = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("source_line")
        if cell.cell_type == "code":
            cell.metadata.pop("execution", None)
            cell.outputs = [output for output in map(cleaned, cell.outputs) if output]


def cleaned(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    """One output without logs, addresses, progress and spare colours, or None where nothing is left."""
    if output.output_type == "stream":
        output.text = folded(ADDRESS.sub("0x…", LOG_LINE.sub("", output.text)))
        return output if output.text.strip() else None
    data = output.get("data", {})
    for kind in {"text/plain", "text/html"} & data.keys():
        data[kind] = ADDRESS.sub("0x…", data[kind])
    if "image/png" in data:
        data["image/png"] = palette_png(data["image/png"])
    return output


def folded(text: str) -> str:
    """A text as a terminal would show it: each line what stands behind its last carriage return or backspaces."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(re.split(r"\r|\x08+", line.rstrip("\r\x08"))[-1] for line in lines)


def palette_png(encoded: str) -> str:
    """A base64 PNG with at most 256 colours and no metadata: about a quarter of its size."""
    with PIL.Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
        flat = PIL.Image.new("RGB", picture.size, "white")
        flat.paste(picture, mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
    smaller = io.BytesIO()
    flat.quantize(256, dither=PIL.Image.Dither.NONE).save(smaller, "PNG", optimize=True)
    return base64.b64encode(smaller.getvalue()).decode()
