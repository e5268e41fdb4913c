"""Looks modules up as ODCS does for a compose, and prints what it finds as JSON.

    odcs_lookup.py URL
"""
import json
import sys
import types

from odcs.server.mbs import MBS, ModuleLookupError


def names(modules):
    return ["%(name)s:%(stream)s:%(version)s:%(context)s" % module for module in modules]


def refused(ask, *args, **kwargs):
    try:
        ask(*args, **kwargs)
    except ModuleLookupError as error:
        return str(error)
    return None


mbs = MBS(types.SimpleNamespace(mbs_url=sys.argv[1]))
gtk = mbs.get_latest_modules("gtk:4")
perl = mbs.get_latest_modules("perl:5.36")
print(json.dumps({
    "newest": names(gtk),
    "all_contexts": names(perl),
    "version": names(mbs.get_latest_modules("gtk:4:20230101000000")),
    "context": names(mbs.get_latest_modules("gtk:4:20230101000000:c44cc2b9")),
    "done": names(mbs.get_latest_modules("mariadb:10.5", include_done=True)),
    "not_done": refused(mbs.get_latest_modules, "mariadb:10.5"),
    "devel": names(mbs.get_latest_modules("gtk-devel:3")),
    "bases": names(mbs.get_latest_modules(
        "ruby:2.7", base_module_br_name="platform", base_module_br_stream_version_lte=80100.0,
        base_module_br_stream_version_gte=80000)),
    "expanded": names(mbs.validate_module_list(perl, base_modules=["platform"])),
}))
