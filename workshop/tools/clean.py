"""Makes the outputs of an executed notebook small, quiet, and the same on every run."""

import base64
import io
import re

import PIL.Image

from workshop.build.errors import BuildError

# Lines that TensorFlow's C++ side writes while it loads, whatever the settings.
LOG_LINE = re.compile(
    r"^([IWEF]\d{4} \d\d:\d\d:\d+\.\d+|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWEF] |WARNING: All log messages before absl"
    r"|To enable the following instructions:).*\n?",
    re.MULTILINE,
)
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")


def clean(notebook, lesson):
    """Clean all outputs in place.

    Raises BuildError for warnings left on stderr, for pictures without alt text or the other way round, and for pictures that are not PNG.
    """
    notebook.metadata.language_info = {
        "name": "python"
    }  # executing adds the version of this machine's Python
    for cell in notebook.cells:
        line = cell.metadata.pop("source_line")
        if cell.cell_type != "code":
            continue
        cell.metadata.pop("execution", None)
        cell.outputs = [output for output in map(cleaned, cell.outputs) if output]
        streams = [output for output in cell.outputs if output.output_type == "stream"]
        noise = "".join(output.text for output in streams if output.name == "stderr")
        if noise:
            message = f"a cell warns: mend the cause, or silence it with a reason:\n{noise}"
            raise BuildError(message, lesson.source, line)
        kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
        if kinds & {"image/jpeg", "image/svg+xml"}:
            raise BuildError(
                "a cell shows a JPEG or an SVG: draw it with Matplotlib", lesson.source, line
            )
        described = bool(cell.metadata.get("alt", "").strip())
        if "image/png" in kinds and not described:
            message = 'a cell draws a picture without alt text: write `# %% alt="what it shows"`'
            raise BuildError(message, lesson.source, line)
        if described and "image/png" not in kinds:
            message = (
                "a cell has alt text, but its output holds no picture: does it call plt.show()?"
            )
            raise BuildError(message, lesson.source, line)


def cleaned(output):
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


def folded(text):
    """A text as a terminal would show it: each line what stands behind its last carriage return or backspaces."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(re.split(r"\r|\x08+", line.rstrip("\r\x08"))[-1] for line in lines)


def palette_png(encoded):
    """A base64 PNG with at most 256 colours and no metadata: about a quarter of its size."""
    with PIL.Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
        flat = PIL.Image.new("RGB", picture.size, "white")
        flat.paste(picture, mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
    smaller = io.BytesIO()
    flat.quantize(256, dither=PIL.Image.Dither.NONE).save(smaller, "PNG", optimize=True)
    return base64.b64encode(smaller.getvalue()).decode()
