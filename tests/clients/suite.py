"""What the suites of real clients share: where the server is, and counting what passed.

From the environment:

  ARCA_ADDR                    the server: https://127.0.0.1:8200
  ARCA_CACERT                  the authority of its certificate, PEM
  ARCA_CLIENT_CERT, _CLIENT_KEY  what the client shows of itself, PEM
  ARCA_CLIENT_CA               the authority of the client's certificate; $ARCA_CACERT if unset
  ARCA_TOKEN                   a root token; not needed where the server is not initialised yet, since a suite then
                               initialises and unseals it, and tries out what needs the key shares
  ARCA_TEST_POSTGRES           postgresql://superuser:password@host:port/database; without it the tests of the
                               database engine are left out

A suite ends with 0 if everything passed, and with 1 otherwise.
"""

import base64
import os
import secrets
import sys
import time
import traceback
from urllib.parse import urlsplit


class LeftOut(Exception):
    """A test that cannot be run here; the text says what is missing."""


class Site:
    """Where the server is, and what the client has to show."""

    def __init__(self):
        def wanted(name):
            value = os.environ.get(name)
            if not value:
                sys.exit(f"{name} is not set; see the head of tests/clients/suite.py")
            return value

        self.address = wanted("ARCA_ADDR")
        self.ca = wanted("ARCA_CACERT")
        self.certificate = wanted("ARCA_CLIENT_CERT")
        self.key = wanted("ARCA_CLIENT_KEY")
        self.client_ca = os.environ.get("ARCA_CLIENT_CA") or self.ca
        self.token = os.environ.get("ARCA_TOKEN")
        self.postgres = os.environ.get("ARCA_TEST_POSTGRES")
        self.shares = []

    def database(self):
        """The connection's URL with places for the name and the password, the name, the password."""
        if not self.postgres:
            raise LeftOut("ARCA_TEST_POSTGRES is not set")
        url = urlsplit(self.postgres)
        places = f"postgresql://{{{{username}}}}:{{{{password}}}}@{url.hostname}:{url.port}{url.path}?sslmode=disable"
        return places, url.username, url.password

    def quorum(self):
        """As many key shares as unseal the vault."""
        if not self.shares:
            raise LeftOut("the vault was initialised by someone else: its key shares are not known")
        return self.shares[:3]


class Suite:
    """Tests in the order in which they were written down; each is a function."""

    def __init__(self):
        self.tests = []

    def test(self, function):
        self.tests.append(function)
        return function

    def include(self, *others):
        """Takes the tests of other suites behind its own."""
        for other in others:
            self.tests += other.tests

    def run(self):
        """Runs all of them, or those whose names contain one of the words of the command line."""
        words = sys.argv[1:]
        passed, failed, left_out = 0, 0, 0
        for test in self.tests:
            name = test.__name__.replace("_", " ")
            if words and not any(word in test.__name__ for word in words):
                continue
            try:
                test()
            except LeftOut as reason:
                left_out += 1
                print(f"LEFT OUT  {name}: {reason}")
            except Exception:
                failed += 1
                print(f"FAILED    {name}\n{traceback.format_exc()}")
            else:
                passed += 1
        print(f"{passed} passed, {failed} failed" + (f", {left_out} left out" if left_out else ""))
        sys.exit(1 if failed else 0)


def unique(word):
    """A name that no earlier run has used."""
    return f"{word}-{secrets.token_hex(4)}"


def eventually(check, seconds=10):
    """What `check` returns once it is true; some things are done behind the answer."""
    end = time.monotonic() + seconds
    while True:
        found = check()
        if found or time.monotonic() > end:
            assert found, f"not so within {seconds} seconds"
            return found
        time.sleep(0.1)


def decode_root_token(encoded, password):
    """A root token out of what `generate-root` answers, and the one-time password of its beginning."""
    encoded += "=" * (-len(encoded) % 4)
    return bytes(a ^ b for a, b in zip(base64.b64decode(encoded), password.encode())).decode()
