"""From what the admin typed, wrote into a file or piped in, to the fields of a draft."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from crosspost.cli.output import warn
from crosspost.errors import ContentError, UsageError
from crosspost.foreign import of_system
from crosspost.wording import t

#: Bytes of an announcement file; a long announcement has some thousands.
LARGEST_FILE = 1_000_000


@dataclass
class Fields:
    """What was given; None for what was not."""

    body: str | None = None
    title: str | None = None
    source: str | None = None
    link: str | None = None
    lang: str | None = None
    at: str | None = None
    to: list[str] | None = None
    urgent: bool | None = None
    images: list[tuple[Path, str]] | None = None
    videos: list[tuple[Path, str]] | None = None
    tags: list[str] | None = None
    texts: dict[str, str] | None = None  # channel -> its own text

    def over(self, other: Fields) -> Fields:
        """These, and from `other` what is not given here."""
        pairs = {f.name: getattr(self, f.name) for f in fields(self)}
        given = {name: value for name, value in pairs.items() if value is not None}
        return Fields(**{**other.__dict__, **given})


def gather(
    text: str | None, file: Path | None, options: Fields, *, read_input: bool = True
) -> Fields:
    """The fields of a draft from a text, a file or standard input, with the options over them.

    Raises UsageError, ContentError.
    """
    if text is not None and text != "-" and file is not None:
        raise UsageError(
            t("Give the text either as an argument or with --file, not both."),
            hint=t("Nothing was queued."),
        )
    if file is not None:
        return options.over(from_file(file))
    if text is not None and text != "-":
        options.body = text
    elif text == "-" or (read_input and not sys.stdin.isatty()):
        return options.over(from_markdown(_from_input(), Path.cwd(), t("standard input")))
    return options


def _from_input() -> str:
    try:
        return sys.stdin.read(LARGEST_FILE + 1)
    except UnicodeDecodeError as error:
        raise ContentError(
            t("Standard input is not UTF-8 text."),
            hint=t("Convert it first, for example with: iconv -f WINDOWS-1252 -t UTF-8"),
        ) from error


def from_file(path: Path) -> Fields:
    """The fields of a Markdown file with front matter. Raises ContentError."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ContentError(
                t("{path} is larger than {limit} bytes.", path=path, limit=LARGEST_FILE),
                hint=t("Images are named in the front matter, not put into the text."),
            )
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ContentError(
            t("{path} cannot be read: {reason}.", path=path, reason=of_system(error))
        ) from error
    except UnicodeDecodeError as error:
        raise ContentError(
            t("{path} is not a UTF-8 text file.", path=path),
            hint=t("Save it as UTF-8 in your editor."),
        ) from error
    if not text.lstrip().startswith("---"):
        warn(
            t(
                "Note: {path} has no front matter (title: ... between two lines of ---), "
                "so all of it is the text.",
                path=path,
            )
        )
    return from_markdown(text, path.parent, str(path))


def from_markdown(text: str, folder: Path, name: str) -> Fields:
    """The fields of a Markdown text, with front matter if it begins with `---`. Image files are
    looked for from `folder` on; `name` is for messages. Raises ContentError."""
    import frontmatter
    import yaml

    if len(text) > LARGEST_FILE:
        raise ContentError(t("{path} is larger than {limit} bytes.", path=name, limit=LARGEST_FILE))
    try:
        values, body = frontmatter.parse(text, handler=_as_written())
    except yaml.YAMLError as error:
        raise ContentError(
            t(
                "The front matter of {name} is not well-formed: {reason}.",
                name=name,
                reason=_where(error),
            ),
            hint=t('A value with a colon in it needs quotation marks: title: "Notice: closed"'),
        ) from error
    return _Matter(values, folder, name).fields(body.strip())


def _as_written() -> Any:
    """Reads front matter so that times and numbers stay as they are written: YAML takes 09.00 for
    nine, and 10:30 for 630."""
    import yaml
    from frontmatter.default_handlers import YAMLHandler

    class AsWritten(yaml.SafeLoader):
        """Of what YAML guesses from how a word looks, only true, false and nothing."""

    kept = ("bool", "null", "merge")
    AsWritten.yaml_implicit_resolvers = {
        first: [pair for pair in pairs if pair[0].rpartition(":")[2] in kept]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    class Handler(YAMLHandler):
        def load(self, fm: str, **_: Any) -> Any:
            return yaml.load(fm, Loader=AsWritten)  # noqa: S506 - a SafeLoader

    return Handler()


def _where(error: Any) -> str:
    mark = getattr(error, "problem_mark", None)
    from crosspost.foreign import of_yaml

    reason = of_yaml(getattr(error, "problem", None) or "") or t("unreadable")
    if mark is None:
        return str(reason)
    # The mark counts from 0, from the end of the line with --- on.
    return t("{reason} (line {line})", reason=reason, line=mark.line + 1)


@dataclass
class _Matter:
    """Front matter, being read; all that is wrong with it is said at once."""

    values: Mapping[str, Any]
    folder: Path
    name: str
    problems: list[str] = field(default_factory=list)

    def fields(self, body: str) -> Fields:
        known = {"title", "source", "link", "lang", "at", "to", "urgent", "images", "videos"}
        known |= {"tags", "texts"}
        for key in self.values:
            if key not in known:
                self.problems.append(
                    t(
                        '{name}: there is no front-matter key "{key}"; there are {known}.',
                        name=self.name,
                        key=key,
                        known=", ".join(sorted(known)),
                    )
                )
        found = Fields(
            body=body,
            title=self._text("title"),
            source=self._text("source"),
            link=self._text("link"),
            lang=self._text("lang"),
            at=self._text("at"),
            to=self._names("to", t("write a list of channel names")),
            urgent=self._yes_no("urgent"),
            images=self._files("images"),
            videos=self._files("videos"),
            tags=self._names("tags", t("write a list of words")),
            texts=self._texts(),
        )
        if self.problems:
            raise ContentError(*self.problems, hint=t("Nothing was queued."))
        return found

    def _text(self, key: str) -> str | None:
        value = self.values.get(key)
        if value is None or isinstance(value, str):
            return value
        self._wrong(key, t("write a text in quotation marks"))
        return None

    def _yes_no(self, key: str) -> bool | None:
        value = self.values.get(key)
        if value is None or isinstance(value, bool):
            return value
        self._wrong(key, t("write true or false"))
        return None

    def _names(self, key: str, advice: str) -> list[str] | None:
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, str):
            return split(value)
        if isinstance(value, list) and all(isinstance(name, str) for name in value):
            return list(value)
        self._wrong(key, advice)
        return None

    def _texts(self) -> dict[str, str] | None:
        value = self.values.get("texts")
        if value is None:
            return None
        if isinstance(value, dict) and all(isinstance(i, str) for i in (*value, *value.values())):
            return {name: text.strip() for name, text in value.items()}
        self._wrong("texts", t("write the name of a channel and its text, for each of them"))
        return None

    def _files(self, key: str) -> list[tuple[Path, str]] | None:
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, list):
            self._wrong(key, t("write a list of file and alt"))
            return None
        found = (self._one_file(f"{key}[{number}]", item) for number, item in enumerate(value, 1))
        return [file for file in found if file]

    def _one_file(self, where: str, item: Any) -> tuple[Path, str] | None:
        if (
            isinstance(item, dict)
            and set(item) <= {"file", "alt"}
            and isinstance(item.get("file"), str)
        ):
            return self.folder / item["file"], str(item.get("alt") or "")
        self._wrong(where, t("write file: and alt: for each of them"))
        return None

    def _wrong(self, key: str, advice: str) -> None:
        self.problems.append(t("{name}: {key}: {advice}.", name=self.name, key=key, advice=advice))


def split(names: str) -> list[str]:
    """Names that are separated by commas."""
    return [name.strip() for name in names.split(",") if name.strip()]


def pair(
    files: Sequence[Path], alts: Sequence[str], file: str = "--image", alt: str = "--alt"
) -> list[tuple[Path, str]] | None:
    """Each --image with its --alt, in order, or each of another pair of options; None when there
    is no file. Raises UsageError."""
    if len(alts) > len(files):
        raise UsageError(
            t("There are more {alt} than {file}.", alt=alt, file=file),
            hint=t("Write each {file} FILE and after it its {alt} TEXT.", alt=alt, file=file),
        )
    texts = [*alts, *[""] * (len(files) - len(alts))]
    return list(zip(files, texts, strict=True)) or None


def texts_for(options: Sequence[str]) -> dict[str, str] | None:
    """Each `--text-for CHANNEL=TEXT`; None when there is none. Raises UsageError."""
    texts = {}
    for option in options:
        channel, sign, text = option.partition("=")
        if not sign or not channel.strip() or not text.strip():
            raise UsageError(
                t("--text-for {option}: this is not CHANNEL=TEXT.", option=option[:40]),
                hint=t('Write it like: --text-for x-main="A shorter text."'),
            )
        texts[channel.strip()] = text.strip()
    return texts or None


def as_markdown(values: Mapping[str, Any], body: str) -> str:
    """Front matter and body as a file that `from_markdown` reads; for an editor."""
    import frontmatter

    return str(frontmatter.dumps(frontmatter.Post(body, **values), allow_unicode=True))
