"""Says what libmodulemd makes of documents.

Reads a JSON list of texts, writes a JSON list of objects: `accepts` (null if the library crashed), `content` (its own
writing of what it read, the same for the same content) and `plain` (values that a YAML 1.1 reader takes for something else
than text although they are names).
"""

import json
import os
import sys

import gi
import yaml

gi.require_version("Modulemd", "2.0")
from gi.repository import GLib, Modulemd  # noqa: E402

NO_TEXT = {"version", "modified", "eol", "eol_date", "epoch", "buildorder", "static_context", "reset", "default",
           "buildonly", "buildroot", "srpm-buildroot"}


def dumped(index):
    try:
        return index.dump_to_string()
    except GLib.Error as error:
        if "no modules" in error.message:
            return ""
        raise


def of_packager(document):
    index = Modulemd.ModuleIndex.new()
    if isinstance(document, Modulemd.PackagerV3):
        if document.get_module_name() is None:
            document.set_module_name("nameless")
        if document.get_stream_name() is None:
            document.set_stream_name("nameless")
        return dumped(document.convert_to_index())
    document.validate()
    named = document.copy(document.get_module_name() or "nameless", document.get_stream_name() or "nameless")
    index.add_module_stream(named)
    return dumped(index)


def content(text):
    """Raises GLib.Error or ValueError if the library refuses the text."""
    try:
        document = Modulemd.read_packager_string(text, None, None)
    except GLib.Error as error:
        refusal = error
    else:
        return of_packager(document)
    index = Modulemd.ModuleIndex.new()
    accepts, failures = index.update_from_string(text, False)
    if not accepts:
        raise ValueError(len(failures))
    if not any(words in refusal.message for words in ("more than a single", "Expected `document", "STREAM_START")):
        raise refusal
    try:
        index.upgrade_streams(Modulemd.ModuleStreamVersionEnum.TWO)
    except GLib.Error:
        pass  # there are no streams
    return dumped(index)


def misread(text):
    """Finds values that are no text to a YAML 1.1 reader, except where numbers, dates and booleans belong."""
    found = []

    def walk(value, spelling, path):
        if isinstance(spelling, dict):
            if set(value) != set(spelling):
                return found.append(".".join(path) + " (keys)")
            for key in spelling:
                if not (path == ["data"] and key == "xmd" and not isinstance(spelling[key], dict)):
                    walk(value[key], spelling[key], path + [key])
        elif isinstance(spelling, list):
            for item, written in zip(value, spelling):
                walk(item, written, path)
        elif value != spelling and path[-1] not in NO_TEXT and spelling.lower() not in ("true", "false"):
            found.append(".".join(path))

    for value, spelling in zip(yaml.safe_load_all(text), yaml.load_all(text, Loader=yaml.BaseLoader)):
        walk(value, spelling, [])
    return found


def verdict(text, is_ours):
    try:
        read = content(text)
    except (GLib.Error, ValueError, TypeError):
        return {"accepts": False, "content": "", "plain": []}
    return {"accepts": True, "content": read, "plain": misread(text) if is_ours else []}


def guarded(text, is_ours):
    """Runs in a process of its own: the library crashes on some texts."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        with os.fdopen(writer, "w") as out:
            json.dump(verdict(text, is_ours), out)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return json.loads(said) if said else {"accepts": None, "content": "", "plain": []}


if __name__ == "__main__":
    is_ours = sys.argv[1:] == ["--ours"]
    json.dump([guarded(text, is_ours) for text in json.load(sys.stdin)], sys.stdout)
