"""Whether an HTML page is well-formed."""

from html.parser import HTMLParser

__all__ = ["Checker", "check"]

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Checker(HTMLParser):
    """Counts tags and sees that each is closed in turn."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def check(page: str) -> Checker:
    """A page that is well-formed, with ids that are its own."""
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert not checker.open and len(set(checker.ids)) == len(checker.ids)
    return checker
