"""Looks for the newest build of a module as rpkg does for flatpaks, and prints what it finds as JSON.

    rpkg_latest_build.py URL N:S[:V]

URL is that of a version of the interface.
"""
import json
import os
import sys

from pyrpkg import Commands

url, nsvc = sys.argv[1:]
commands = Commands(os.getcwd(), "", "", "", "", "", "", "koji", "koji")
commands.module_api_url = url
print(json.dumps(commands.module_get_latest_build(nsvc)))
