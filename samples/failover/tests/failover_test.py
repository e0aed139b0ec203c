"""A test in a language that has no client library: `isoenv` with --json is all it needs."""

import json
import os
import socket
import subprocess
import time
import unittest

SOON = 10  # seconds


def isoenv(*words):
    """The JSON that `isoenv WORD…` prints about the environment this test runs in."""
    program = os.environ.get("ISOENV_EXECUTABLE", "isoenv")
    finished = subprocess.run([program, *words, "--json"], check=True, stdout=subprocess.PIPE)
    return json.loads(finished.stdout)


def ask(replica, line):
    """The line that comes back; "" when nobody answers for a second."""
    try:
        address = (replica["host"], replica["ports"][0]["number"])
        with socket.create_connection(address, timeout=1) as connection:
            connection.sendall(line.encode() + b"\n")
            return connection.makefile().readline().rstrip("\n")
    except OSError:
        return ""


def state_of(replica):
    return {row["service"]: row["state"] for row in isoenv("ps")}[replica["service"]]


class Failover(unittest.TestCase):
    def leader_of(self, replicas):
        deadline = time.monotonic() + SOON
        while time.monotonic() < deadline:
            for replica in replicas:
                if ask(replica, "ROLE").startswith("leader "):
                    return replica
        self.fail("the replicas did not agree on a leader")

    def test_another_leads_when_the_leader_stands_still(self):
        replicas = isoenv("env")["services"]
        old = self.leader_of(replicas)
        self.addCleanup(isoenv, "resume", old["service"])
        isoenv("pause", old["service"])
        self.assertEqual(state_of(old), "paused")
        self.assertEqual(ask(old, "ROLE"), "")
        self.leader_of([replica for replica in replicas if replica is not old])
        isoenv("resume", old["service"])
        self.assertEqual(state_of(old), "ready")
        self.assertNotEqual(ask(old, "ROLE"), "")

    def test_another_leads_when_the_leader_dies(self):
        replicas = isoenv("env")["services"]
        old = self.leader_of(replicas)
        # IsoEnv undoes it when the program ends; the next case here needs it before.
        self.addCleanup(isoenv, "start", old["service"])
        isoenv("kill", old["service"])
        self.assertEqual(state_of(old), "exited")
        self.leader_of([replica for replica in replicas if replica is not old])


if __name__ == "__main__":
    unittest.main()
