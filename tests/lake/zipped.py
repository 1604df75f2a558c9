"""Zips made by hand for a stand-in's ``archive_folder``."""

import hashlib
import io
import zipfile


def put(folder, stem, text, *, signed=True):
    """Put ``STEM.zip`` with its one CSV into a folder, and its CHECKSUM beside it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        opened.writestr(f"{stem}.csv", text)
    (folder / f"{stem}.zip").write_bytes(packed.getvalue())
    if signed:
        told = f"{hashlib.sha256(packed.getvalue()).hexdigest()}  {stem}.zip\n"
        (folder / f"{stem}.zip.CHECKSUM").write_text(told)
