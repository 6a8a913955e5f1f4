"""Wheels made on the spot, so that pip has something to install without an index."""

import hashlib
import zipfile
from importlib.metadata import distribution


def make_wheel(folder, name, version, files):
    """Write a wheel and return the line that pins it."""
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    path = folder / f"{stem}-py3-none-any.whl"
    contents = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{inside},,\n" for inside in (*contents, f"{info}/RECORD"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for inside, content in {**contents, f"{info}/RECORD": record}.items():
            wheel.writestr(inside, content)
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def wheel_of_installed(folder, name):
    """Make a wheel of a pure-Python package as it is installed here."""
    installed = distribution(name)
    files = {
        str(file): file.read_binary()
        for file in installed.files
        if ".dist-info" not in str(file) and file.suffix != ".pyc" and ".." not in file.parts
    }
    return make_wheel(folder, name, installed.version, files)
