"""The least that a distribution adds to rpkg to have a command of its own, as fedpkg does: a name and a configuration.

    rpkg_site.py CONFIGURATION ARGUMENTS...
"""
import configparser
import logging
import os
import sys

from pyrpkg.cli import cliClient

config = configparser.ConfigParser()
with open(sys.argv.pop(1), encoding="utf-8") as file:
    config.read_file(file)
client = cliClient(config, name="sitepkg")
client.do_imports()
client.parse_cmdline()
client.args.path = client.args.path or os.getcwd()
client.setupLogging(logging.getLogger("pyrpkg"))
try:
    sys.exit(client.args.command())
except Exception as error:
    print("Could not execute %s: %s" % (client.args.command.__name__, error), file=sys.stderr)
    sys.exit(1)
