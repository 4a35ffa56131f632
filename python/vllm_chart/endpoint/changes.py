"""Changes of an endpoint's clients: what each makes of the credentials that there are, or why it is refused."""

import secrets
import unicodedata
from collections.abc import Sequence

from vllm_chart.endpoint.clients import Credential, digest
from vllm_chart.findings import WrongCallError

Credentials = Sequence[Credential]

#: The longest name that the chart takes in clients.allow.
LONGEST = 256
#: What the names of clients begin with that are known by the tokens of their ServiceAccounts.
TOKENS = "system:serviceaccount:"


def new_key() -> str:
    """A key of 256 random bits, which nobody finds from its digest, and that tools for leaked secrets know by `sk-`."""
    return f"sk-{secrets.token_urlsafe(32)}"


def counted(there: Credentials) -> dict[str, int]:
    """How many keys each client has, in the order of their names."""
    names = sorted({one.client for one in there})
    return {name: sum(one.client == name for one in there) for name in names}


def add(there: Credentials, client: str, key: str) -> list[Credential]:
    """With a client that is new. Raises WrongCallError for a name that is taken, or hardly told from another."""
    _check(client)
    for other in counted(there):
        if other == client:
            raise WrongCallError(f"there is a client {client!r}: `vllm-chart clients rotate` gives it another key")
        if _alike(other) == _alike(client):
            raise WrongCallError(f"{client!r} is hardly told from the client {other!r}: write another name")
    return [*there, Credential(client, digest(key))]


def rotate(there: Credentials, client: str, key: str, *, keep_old: bool) -> list[Credential]:
    """With a new key of a client, which is its last, in the place of its old ones or beside them. Raises WrongCallError
    where there is no such client."""
    _find(there, client)
    kept = [one for one in there if keep_old or one.client != client]
    return [*kept, Credential(client, digest(key))]


def revoke_old(there: Credentials, client: str) -> list[Credential]:
    """Without the keys of a client but the one that it was given last. Raises WrongCallError where it has no other."""
    *old, _ = _find(there, client)
    if not old:
        raise WrongCallError(f"the client {client!r} has one key alone: `vllm-chart clients revoke` ends it")
    return [one for one in there if one not in old]


def revoke(there: Credentials, client: str, *, last: bool) -> list[Credential]:
    """Without a client. Raises WrongCallError where there is none, or nobody would be left and that is not said
    (`last`)."""
    _find(there, client)
    left = [one for one in there if one.client != client]
    if not left and not last:
        raise WrongCallError(f"{client!r} is the last client, and nobody could ask then: write --last if you mean it")
    return left


def _find(there: Credentials, client: str) -> list[Credential]:
    """A client's credentials, the one that it was given last at the end."""
    if found := [one for one in there if one.client == client]:
        return found
    known = ", ".join(map(repr, counted(there))) or "there are none"
    raise WrongCallError(f"there is no client {client!r}: {known}")


def _check(client: str) -> None:
    """Raises WrongCallError for a name that could not stand in a header, a log, a metric and a rule as it is."""
    if not client or len(client) > LONGEST:
        raise WrongCallError(f"a client's name has 1 to {LONGEST} characters: this one has {len(client)}")
    if client != client.strip():
        raise WrongCallError(f"{client!r} begins or ends with white space: write {client.strip()!r}")
    if not client.isprintable():
        raise WrongCallError(f"{client!r} has characters that can't be seen: write others")
    if client.startswith(TOKENS):
        raise WrongCallError(f"{client!r} is the name of who has a ServiceAccount's token (clients.jwt): write another")


def _alike(name: str) -> str:
    """What names have in common that a person takes for the same: https://www.unicode.org/reports/tr15/"""
    return unicodedata.normalize("NFKC", name).casefold()
