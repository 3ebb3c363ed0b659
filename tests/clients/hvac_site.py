"""What the tests with the client hvac share: the client of a root token, and what is refused."""

import sys

from suite import LeftOut, Site

try:
    import hvac
    from hvac import exceptions
except ImportError:
    sys.exit("hvac is missing: pip install -r requirements.txt")

site = Site()


def client(token=None, namespace=None):
    pair = (site.certificate, site.key)
    return hvac.Client(url=site.address, token=token, verify=site.ca, cert=pair, namespace=namespace)


root = client(site.token)


def refused(kind, call, *words, **named):
    """The error of a call that must fail."""
    try:
        answer = call(*words, **named)
    except kind as error:
        return error
    raise AssertionError(f"{call} was not refused: {answer}")


def is_refused(kind, call, *words):
    """Whether a call fails now; some things are done behind the answer."""
    try:
        call(*words)
    except kind:
        return True
    return False


def opened(call, *words):
    """The answer of an endpoint that works with key shares and without a token, which listeners serve only on demand."""
    try:
        return call(*words)
    except exceptions.UnexpectedError as error:
        if "unsupported operation" not in str(error):
            raise
        raise LeftOut("the listener does not serve it without a token, and hvac knows no other way") from error
