"""Comments and the wording of declarations, cut out of the header's text. Judges nothing.

A declaration's comment is what stands directly above it and what follows it on its last line. Line breaks
and the stars of a block do not count, so that a comment may be set anew without being changed."""

import hashlib
import re

TOKENS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
DIVIDER = re.compile(r"/\* -{8,}")


class Text:
    """A header's text with its comments found."""

    def __init__(self, text):
        self.text = text
        self.comments = [(m.start(), m.end()) for m in TOKENS.finditer(text) if m[0].startswith(("/*", "//"))]

    def head(self):
        """The comment that opens the file, by paragraph: {"WORDS": text, ...}; unnamed ones are numbered."""
        if not self.comments or self.text[:self.comments[0][0]].strip():
            return {}
        start, end = self.comments[0]
        paragraphs = re.split(r"\n[ *]*\n", self.text[start:end])
        named = {}
        for number, paragraph in enumerate(paragraphs):
            words = plain(paragraph)
            title = re.match(r"[A-Z]{4,}", words)
            named[title[0] if title else str(number)] = words
        return named

    def comment(self, begin, end):
        """Of the declaration at text[begin:end]."""
        return plain(" ".join(self.text[a:b] for a, b in [*self._above(begin), *self._beside(end)]))

    def declaration(self, begin, end):
        """The declaration itself up to its semicolon, without comments and spacing."""
        stop = self.text.find(";", end)
        code = TOKENS.sub(lambda m: " " if m[0].startswith("/") else m[0], self.text[self._line(begin):stop])
        code = " ".join(code.split())
        return re.sub(r" ?([^\w ]) ?", r"\1", code)

    def _line(self, position):
        return self.text.rfind("\n", 0, position) + 1

    def _above(self, begin):
        found = []
        position = self._line(begin)
        ends = {end: start for start, end in self.comments}
        while True:
            position = len(self.text[:position].rstrip())
            start = ends.get(position)
            beside_code = start is not None and self.text[self._line(start):start].strip()
            if start is None or beside_code or DIVIDER.match(self.text, start):
                return found[::-1]
            found.append((start, position))
            position = start

    def _beside(self, end):
        stop = self.text.find("\n", end)
        return [(a, b) for a, b in self.comments if end <= a < stop]


def plain(comment):
    """A comment's words on one line."""
    comment = re.sub(r"^\s*\*(?!/)|/\*|\*/|//", " ", comment, flags=re.M)
    return " ".join(comment.split())


def digest(words):
    """Short, for the entries of history.md."""
    return hashlib.sha256(words.encode()).hexdigest()[:12]
