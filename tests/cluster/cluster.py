"""The test cluster: a real Kubernetes of two nodes, with or without image registries.

    up      make it, or find it healthy         status  what is running, and what it takes
    down    delete it and stop what was started env     lines for `eval "$(... env)"`
    images  build our images                    load    build them and put them into the nodes
    tools   find or build helm and kubectl, for which neither Docker nor root is needed

Needs Python 3.11 or newer and nothing else: everything that is missing is built. How,
and what differs from a published kind node, is in docs/design/0002-test-cluster.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 -- nothing has looked at the version before
    sys.exit("cluster.py needs Python 3.11 or newer")

from cache_folder import default_cache
from errors import ClusterError
from lifecycle import TestCluster
from progress import Progress
from report import print_environment, print_status


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("up", "down", "status", "env", "images", "load", "tools"))
    command: str = parser.parse_args().command
    cluster = TestCluster(default_cache(), Progress())
    try:
        match command:
            case "status":
                print_status(cluster)
            case "env":
                print_environment(cluster)
            case _:
                with cluster.cache.locked():
                    result = _change(cluster, command)
                    cluster.progress.finish(cluster.cache.timings, command)
                if result is not None:
                    print(json.dumps(result))
    except ClusterError as error:
        cluster.runner.stop()
        print(f"\n{command}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        cluster.runner.stop()
        print(f"\n{command}: interrupted; run it again and it goes on where it was", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough, as `head` does. Nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _change(cluster: TestCluster, command: str) -> dict[str, str] | None:
    """Run a command that changes something; the names of the images if it builds any."""
    match command:
        case "up":
            cluster.up()
        case "down":
            cluster.down()
        case "tools":
            cluster.tools()
        case "images":
            return cluster.images()
        case "load":
            return cluster.load()
    return None


if __name__ == "__main__":
    sys.exit(main())
