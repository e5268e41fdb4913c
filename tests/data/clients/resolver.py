"""Asks the resolver of the original service what local builds ask it, and prints the answers as JSON.

    resolver.py URL

URL is that of the module builds.
"""
import json
import sys
import types

from module_build_service.common import models
from module_build_service.common.errors import UnprocessableEntity
from module_build_service.common.utils import load_mmd
from module_build_service.resolver.MBSResolver import MBSResolver


def names(mmds):
    return [mmd.get_nsvc() for mmd in mmds]


class NoLocalBuilds:
    """The records of a machine on which nothing was built."""

    def __getattr__(self, name):
        return lambda *args: self

    def all(self):
        return []


def refused(ask, *args, **kwargs):
    try:
        ask(*args, **kwargs)
    except UnprocessableEntity as error:
        return str(error)
    return None


resolver = MBSResolver(NoLocalBuilds(), types.SimpleNamespace(mbs_url=sys.argv[1]))
[f38] = resolver.get_module_modulemds("platform", "f38", strict=True)
[el8] = resolver.get_module_modulemds("platform", "el8.1.0", strict=True)
ready = models.BUILD_STATES["ready"]
garbage = models.BUILD_STATES["garbage"]
gtk = resolver.get_module("gtk", "4", "20230101000000", "c44cc2b9", strict=True)
tagged = resolver.get_modulemd_by_koji_tag("module-nginx-1.20-20230201120000-75741a8b")
print(json.dumps({
    "one": "%(name)s:%(stream)s:%(version)s:%(context)s %(koji_tag)s" % gtk,
    "one_document": load_mmd(gtk["modulemd"]).get_nsvc(),
    "newest": names(resolver.get_module_modulemds("gtk", "4")),
    "all_contexts": names(resolver.get_module_modulemds("perl", "5.36")),
    "against_base": names(resolver.get_buildrequired_modulemds("gtk", "4", f38)),
    "compatible": names(resolver.get_compatible_base_module_modulemds(el8, True, ["el8"], [ready])),
    "compatible_any": names(
        resolver.get_compatible_base_module_modulemds(el8, False, ["el8"], [ready, garbage])),
    "newest_of_virtual": resolver.get_latest_with_virtual_stream("platform", "el8").get_nsvc(),
    "no_virtual": resolver.get_latest_with_virtual_stream("platform", "nowhere"),
    "count": resolver.get_module_count(name="gtk"),
    "count_filtered": resolver.get_module_count(name="platform", virtual_stream="el8"),
    "tagged": tagged.get_nsvc(),
    "missing": resolver.get_module("gtk", "4", "1", "c44cc2b9"),
    "missing_strict": refused(resolver.get_module_modulemds, "gtk", "99", strict=True),
}))
