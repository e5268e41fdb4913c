"""Has a module built as Freshmaker does, and prints the answer as JSON; dies as it does where it does.

    freshmaker_build.py URL TOKEN NAME BRANCH COMMIT
"""
import json
import sys
import types

from freshmaker.mbs import MBS

url, token, name, branch, commit = sys.argv[1:]
mbs = MBS(types.SimpleNamespace(
    mbs_base_url=url, mbs_auth_token=token, git_base_url="https://src.example.test"))
print(json.dumps(mbs.build_module(name, branch, commit)))
