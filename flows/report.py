"""``gatesmith report``: what is known of a design, or of several, as a page."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from gatesmith.flows.folders import check_writable, make_folder
from gatesmith.flows.pages.document import Document
from gatesmith.flows.pages.html import html
from gatesmith.flows.pages.markdown import markdown
from gatesmith.models.errors import UserError
from gatesmith.models.store import write_atomically

__all__ = ["report"]

COMPARISON = "report-comparison.html"
PICTURES = ("structure", "waveform", "area", "energy", "scatter")


def report(
    directories: str | Path | Sequence[str | Path],
    *,
    output: str | Path | None = None,
    data_dir: str | Path | None = None,
    console: Console | None = None,
) -> Path:
    """Write a page of one design, or a comparison of several; its path is returned.

    The page is one HTML file that needs nothing else. Beside it lies the same as Markdown, with
    its pictures. The same designs and reports give the same bytes.

    Parameters
    ----------
    directories : path or paths   Design folders.
    output : path                 Page to write, ``*.html``; not given, ``reports/report.html`` of
                                  the one design, or ``report-comparison.html`` in this folder.
    data_dir : path               Folder with data sets that are files.

    UserError for a folder that is no design, a report in it that is damaged or of another kind,
    and a page that cannot be written. Nothing is written then.
    """
    from gatesmith.flows.pages.comparison import comparison_page
    from gatesmith.flows.pages.design_page import design_page
    from gatesmith.flows.pages.findings import gather

    folders = [directories] if isinstance(directories, str | Path) else list(directories)
    if not folders:
        raise UserError("Give at least one design folder")
    path = Path(output) if output is not None else None
    if path is None:
        own = len(folders) == 1
        path = Path(folders[0], "reports", "report.html") if own else Path(COMPARISON)
    elif path.suffix != ".html":
        raise UserError(f"Page must be named *.html, not {str(output)!r}")
    found = [gather(folder, data_dir=data_dir) for folder in folders]
    check_writable(path)
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name a file")
    page = design_page(found[0]) if len(found) == 1 else comparison_page(found)
    _write(page, path)
    (console or Console()).print(f"wrote {path} and {path.with_suffix('.md').name}", soft_wrap=True)
    return path


def _write(page: Document, path: Path) -> None:
    stem = path.stem
    texts = {f"{stem}-{one.name}.svg": one.drawing.standalone() for one in page.pictures}
    texts[f"{stem}.md"] = markdown(page, stem)
    texts[path.name] = html(page)
    make_folder(path.parent)
    try:
        for name in PICTURES:  # of a page before this one
            if f"{stem}-{name}.svg" not in texts:
                path.with_name(f"{stem}-{name}.svg").unlink(missing_ok=True)
        for file, text in texts.items():
            write_atomically(path.with_name(file), text)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from error
