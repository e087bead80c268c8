"""Erasing without rewriting: a person's words are sealed with a key of this person, and erasing destroys the key.

The events stay as they are, in the log, its backups and its copies. Without the key a sealed text is read as an empty
value. It raises no exception, so a fold goes on. The same text gives the same seal (AES-SIV, RFC 5297), so a retry of
an append has the same content as the first try. The library is imported by the first seal, and by the first
unseal with a key: a page in a browser may have none, and needs it only for this.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from contextlib import suppress

from patterns.engine.table import Table
from patterns.engine.values import Value

ERASED = "(erased)"


class Keys(Value):
    """Subject -> key of 32, 48 or 64 bytes. A subject is a number of the shop's own, never a name."""

    table: Table[bytes] = Table()

    def seal(self, subject: str, text: str) -> str:
        """The text under the subject's key. Raises KeyError for a subject without a key."""
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        sealed = AESSIV(self.table[subject]).encrypt(text.encode(), [subject.encode()])
        return f"{subject}:{b64encode(sealed).decode()}"

    def unseal(self, sealed: str) -> str:
        """The text again, or `ERASED` if the key is gone or is another one."""
        subject, _, body = sealed.partition(":")
        if key := self.table.get(subject):
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESSIV

            with suppress(InvalidTag, ValueError):
                return AESSIV(key).decrypt(b64decode(body), [subject.encode()]).decode()
        return ERASED

    def without(self, subject: str) -> Keys:
        return Keys(self.table.without(subject))
