"""Files of named data sets: from ``$RECURRA_DATA``, else from upstream; checked by sha256 either way."""

import gzip
import hashlib
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from ..atomic import replacing
from ..errors import InputError

_OPENERS: dict[str, Callable] = {"": open, ".gz": gzip.open, ".xz": lzma.open}


def data_folder() -> Path:
    """Where data sets are kept: ``$RECURRA_DATA``, or the user's cache folder."""
    import pooch

    return Path(os.environ.get("RECURRA_DATA") or pooch.os_cache("recurra"))


def fetch(relative_path: str, url: str, sha256: str, *, by_hand: bool = False) -> Path:
    """Give the path of a data file, after downloading it if need be.

    Args:
        relative_path: path below ``$RECURRA_DATA``; the file may be there plain, or with .gz or .xz appended.
        url: upstream address of the plain file, or of the page that offers it.
        sha256: hash of the plain (uncompressed) bytes.
        by_hand: the address isn't that of the file itself, so the user has to put the file there.

    Returns:
        The file found or downloaded. A download appears completely or not at all.

    Raises:
        InputError: no connection, a file that isn't there and cannot be downloaded, or a wrong checksum.
    """
    plain = data_folder() / relative_path
    found = _find(plain, url, sha256)
    if found is not None:
        return found
    if by_hand:
        raise InputError(
            f"{plain}: no such file, and it cannot be downloaded; get it from {url} and put it there (plain or with "
            ".gz appended), or set RECURRA_DATA to a folder that has it"
        )
    return _download(plain, url, f"sha256:{sha256}")


def fetch_from_archive(
    relative_path: str, url: str, sha256: str, extract: Callable[[Path], bytes], *, archive_hash: str | None = None
) -> Path:
    """Give the path of a data file that upstream ships inside an archive.

    Args:
        relative_path: path below ``$RECURRA_DATA``, as in :func:`fetch`.
        url: upstream address of the archive, which is kept beside the file.
        sha256: hash of the plain bytes of the file.
        extract: gives these bytes from the archive.
        archive_hash: hash of the archive, such as "md5:..."; without one the file's own is enough.

    Returns:
        The file found or extracted.

    Raises:
        InputError: as in :func:`fetch`, or an archive that doesn't hold the file.
    """
    plain = data_folder() / relative_path
    found = _find(plain, url, sha256)
    if found is not None:
        return found
    archive = plain.with_name(url.rsplit("/", 1)[1])
    if not archive.is_file():
        _download(archive, url, archive_hash)
    try:
        data = extract(archive)
    except (OSError, EOFError, KeyError, ValueError, zlib.error, tarfile.TarError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{archive}: the archive does not hold what was expected of {url} ({error}); delete it to download it "
            f"again, or put {plain} there by hand"
        ) from error
    found_hash = hashlib.sha256(data).hexdigest()
    if found_hash != sha256:
        raise InputError(
            f"{archive}: the file {plain.name!r} in it has the checksum {found_hash} where {sha256} was expected, so "
            f"upstream has changed; put the right file at {plain}, or set RECURRA_DATA to a folder that has it"
        )
    with replacing(plain) as temporary:
        temporary.write_bytes(data)
    return plain


def zip_member(name: str) -> Callable[[Path], bytes]:
    """Give a function that reads one file of a zip archive, for :func:`fetch_from_archive`."""

    def extract(archive: Path) -> bytes:
        with zipfile.ZipFile(archive) as file:
            return file.read(name)

    return extract


def _find(plain: Path, url: str, sha256: str) -> Path | None:
    for ending in _OPENERS:
        path = plain.with_name(plain.name + ending)
        if path.is_file():
            _check(path, ending, url, sha256)
            return path
    return None


def _check(path: Path, ending: str, url: str, sha256: str) -> None:
    digest = hashlib.sha256()
    try:
        with _OPENERS[ending](path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InputError(
            f"{path}: the file is damaged ({error}); delete it to download it again from {url}, or set RECURRA_DATA to "
            "another folder"
        ) from error
    if digest.hexdigest() != sha256:
        raise InputError(
            f"{path}: the file has the checksum {digest.hexdigest()} where {sha256} was expected; delete it to "
            f"download it again from {url}, or set RECURRA_DATA to another folder"
        )


def _download(plain: Path, url: str, known_hash: str | None) -> Path:
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")  # its progress lines would land in the middle of ours
    try:
        # into a temporary file beside the target, renamed once the checksum is right
        pooch.retrieve(url, known_hash=known_hash, fname=plain.name, path=plain.parent)
    except ValueError as error:
        if isinstance(error, requests.RequestException):  # a malformed address is both
            raise InputError(_offline(plain, url, error)) from error
        raise InputError(
            f"{url}: the download does not have the checksum {(known_hash or '').partition(':')[2]} that was expected, "
            "so upstream or something in between has changed it, and nothing was kept; put the right file at "
            f"{plain}, or set RECURRA_DATA to a folder that has it"
        ) from error
    except OSError as error:  # requests' own errors are OSErrors too
        raise InputError(_offline(plain, url, error)) from error
    return plain


def _offline(plain: Path, url: str, error: Exception) -> str:
    reason = " ".join(str(error).split())
    return (
        f"{url}: the file cannot be downloaded to {plain} ({reason[:160]}); connect to the internet, put the file "
        "there by hand, or set RECURRA_DATA to a folder that has it"
    )
