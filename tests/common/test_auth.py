"""Authentication tags against the test vectors of RFC 4231 and the standard library."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiltwise.common.auth import Tagger, equal, hmac_sha256


@pytest.mark.parametrize(
    ("key", "message", "tag"),
    [
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ],
)
def test_hmac_gives_the_rfc_4231_values(key, message, tag):
    assert hmac_sha256(key, message).hex() == tag


@given(st.binary(max_size=140), st.binary(max_size=300))
def test_hmac_is_the_standard_one(key, message):
    assert hmac_sha256(key, message) == hmac.new(key, message, hashlib.sha256).digest()


@given(st.binary(min_size=16, max_size=80), st.binary(max_size=300))
def test_tag_is_the_start_of_the_hmac_and_checks(key, message):
    tagger = Tagger(key)
    tag = tagger.tag(memoryview(message))
    assert tag == hmac_sha256(key, message)[:8]
    assert tagger.check(message, tag)
    assert not tagger.check(message + b"\0", tag)
    assert not tagger.check(message, bytes([tag[0] ^ 1]) + tag[1:])


def test_short_key_is_refused():
    with pytest.raises(ValueError, match="key of 15 bytes, expected at least 16"):
        Tagger(bytes(15))


def test_equal_needs_the_same_length_and_bytes():
    assert equal(b"abc", b"abc")
    assert not equal(b"abc", b"abd")
    assert not equal(b"abc", b"ab")
