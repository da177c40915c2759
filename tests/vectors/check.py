#!/usr/bin/env python3
"""Looks through orders.json with nothing but Python's own library, as a guardian's tool in another language would.

    python3 check.py [orders.json]

Every key, name, hash, encoding and signature is made again and compared; the checks that docs/orders.md puts before
the body's own are carried out, and their verdicts must be those of the file. Ends with 1 at the first difference.
The Ed25519 here (RFC 8032, section 5.1) is for checking vectors: it is slow, and its time tells secrets.
"""

import base64
import hashlib
import json
import os
import sys

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def recover_x(y, sign):
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


def add(one, two):
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c = 2 * one[3] * two[3] * D % P
    d = 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(n, point):
    result = (0, 1, 1, 0)
    while n > 0:
        if n & 1:
            result = add(result, point)
        point = add(point, point)
        n >>= 1
    return result


def packed(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def unpacked(data):
    number = int.from_bytes(data, "little")
    y, sign = number & (1 << 255) - 1, number >> 255
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = unpacked(BASE_Y.to_bytes(32, "little"))


def number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def expanded(secret):
    digest = hashlib.sha512(secret).digest()
    scalar = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    return scalar, digest[32:]


def public_of(secret):
    return packed(times(expanded(secret)[0], BASE))


def sign(secret, message):
    scalar, prefix = expanded(secret)
    nonce = number(prefix, message) % L
    point = packed(times(nonce, BASE))
    challenge = number(point, public_of(secret), message) % L
    return point + ((nonce + challenge * scalar) % L).to_bytes(32, "little")


def small(point):
    return packed(times(8, point)) == packed((0, 1, 1, 0))


def verifies(public, message, signature):
    """Strictly: a scalar below L, no points of low order, no cofactor."""
    key, point = unpacked(public), unpacked(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or key is None or point is None or scalar >= L or small(key) or small(point):
        return False
    challenge = number(signature[:32], public, message) % L
    return packed(times(scalar, BASE)) == packed(add(point, times(challenge, key)))


class Wrong(Exception):
    pass


CHECKS = 0


def same(what, got, expected):
    global CHECKS
    CHECKS += 1
    if got != expected:
        raise Wrong(f"{what}: {got!r} here, {expected!r} in the file")


def from_base64(text):
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("another spelling of base64")
    return data


def no_key_twice(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def from_json(text):
    return json.loads(text, object_pairs_hook=no_key_twice)


def key_id(public):
    return hashlib.sha256(public).hexdigest()[:32]


def encoding(payload_type, payload):
    return b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type.encode(), len(payload), payload)


SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def doubled(value):
    return value << 1 if value < 16 else value << 1 ^ 0b100101


def paper_of(secret):
    tail = hashlib.sha256(b"nestling recovery 1\n" + secret).digest()[0] >> 4
    bits = int.from_bytes(secret, "big") << 4 | tail
    values = [bits >> 5 * place & 31 for place in reversed(range(52))]
    groups = []
    for n in range(13):
        group, check = values[4 * n : 4 * n + 4], 0
        for value in group + [n]:
            check = doubled(check) ^ doubled(value)
        groups.append("".join(SYMBOLS[value] for value in group + [check]))
    return "-".join(groups)


FIELDS = {
    "set-policy": {"base", "policy"},
    "answer": {"request", "yes", "until"},
    "grant": {"what", "until"},
    "revoke": {"app"},
    "enrol": {"code", "guardian", "role", "key", "keys", "recovery"},
    "retire": {"guardian", "key", "heir"},
    "lost": {"on"},
    "pause": {"until"},
    "unlock": {"boot_key"},
}


class Watch:
    """What a watch knows, as far as the checks before the body's own need it."""

    def __init__(self, file, sequence):
        self.type, self.roles = file["payload_type"], file["roles"]
        self.id, self.device = sequence["watch"], from_base64(sequence["device"])
        self.keys, self.counters, self.base, self.wiped = {}, {}, None, False

    def key(self, name):
        if name == key_id(self.device):
            return ("watch", "watch", self.device)
        return self.keys.get(name)

    def parsed(self, text):
        envelope = from_json(text)
        if sorted(envelope) != ["payload", "payloadType", "signatures"] or envelope["payloadType"] != self.type:
            raise ValueError("not an envelope of ours")
        signatures = {s["keyid"]: from_base64(s["sig"]) for s in envelope["signatures"]}
        if not 1 <= len(envelope["signatures"]) == len(signatures) <= 6:
            raise ValueError("1 to 6 signatures, each of another key")
        return from_base64(envelope["payload"]), signatures

    def verdict(self, step):
        """The first check that fails, or None and the order."""
        if self.wiped:
            return "wiped", None
        try:
            payload, signatures = self.parsed(step["envelope"])
        except (ValueError, KeyError):
            return "not-an-envelope", None
        message = encoding(self.type, payload)
        same("payload", payload.decode(), step["payload"])
        same("encoding", message.hex(), step["encoding"])
        door, unbound = step["door"], not self.keys
        signed = {n for n, s in signatures.items() if self.key(n) and verifies(self.key(n)[2], message, s)}
        if unbound and door and not door["code"]:
            return "no-window", None
        if not unbound and not signed:
            return "bad-signature", None
        try:
            order = from_json(payload)
            if sorted(order) != ["body", "counter", "issued_at", "signer", "watch"] or len(order["body"]) != 1:
                return "not-an-order", None
        except ValueError:
            return "not-an-order", None
        kind, body = next(iter(order["body"].items()))
        if kind not in self.roles or not set(body) <= FIELDS.get(kind, set()):
            return "not-an-order", None
        if unbound and kind != "enrol":
            return "bad-signature", None
        new = {}
        if kind == "enrol":
            texts = body.get("keys") or [body["key"]]
            new = {key_id(key): key for key in map(from_base64, texts)}
        if order["signer"] not in (new if unbound else signed):
            return "other-signer", None
        if order["watch"] != self.id:
            return "wrong-watch", None
        if order["counter"] <= self.counters.get(order["signer"], 0):
            return "replayed", None
        by = (body["guardian"], "main") if unbound else self.key(order["signer"])[:2]
        if by[1] not in self.roles[kind]:
            return "role-forbids", None
        if kind == "set-policy" and body["base"] != self.base:
            return "stale-base", None
        if kind == "enrol" and door and not door["code"]:
            return "no-window", None
        if kind == "enrol" and door and door["code"] != body["code"]:
            return "wrong-code", None
        if kind == "enrol" and body.get("recovery"):
            paper = from_base64(body["recovery"])
            new[key_id(paper)] = paper
        proven = all(n in signatures and verifies(k, message, signatures[n]) for n, k in new.items())
        return None, (order, kind, body, by, new, proven, payload)

    def take(self, order, kind, body, by, new, _, payload):
        self.counters[order["signer"]] = order["counter"]
        if kind == "set-policy":
            self.base = hashlib.sha256(payload).hexdigest()
        elif kind == "enrol":
            own, paper = body["guardian"], body.get("recovery")
            if by[1] == "recovery":
                self.drop(lambda name, key: key[0] == own and key[1] != "recovery")
            if paper:
                self.drop(lambda name, key: key[0] == own and key[1] == "recovery")
            for name, key in new.items():
                on_paper = paper and key == from_base64(paper)
                self.keys[name] = (own, "recovery" if on_paper else body["role"], key)
        elif kind == "retire":
            self.drop(lambda name, key: key[0] == body["guardian"] and body.get("key") in (None, name))
            for name, key in self.keys.items():
                if key[0] == body.get("heir") and key[1] == "guardian":
                    self.keys[name] = (key[0], "main", key[2])
        elif kind in ("wipe", "unlock"):
            self.wiped = True

    def drop(self, gone):
        self.keys = {name: key for name, key in self.keys.items() if not gone(name, key)}


# What a file may answer although every check of `verdict` passed: these come from the body's own rules.
OF_THE_BODY = {
    "out-of-bounds", "past", "watch-limit", "policy-invalid", "guardians-changed", "main-missing", "guardian-id",
    "region-changed", "enrol-role", "too-many", "key-taken", "not-enrolled", "not-his", "main-stays", "heir", "last-key", "full",
}


def check_sequence(file, sequence):
    watch = Watch(file, sequence)
    for step in sequence["steps"]:
        what = f"{sequence['name']}, {step['what']}"
        refused, order = watch.verdict(step)
        if refused is None and not order[5]:
            refused = "no-possession"
        expected = step["refused"]
        if refused is None and expected is not None:
            same(what, expected in OF_THE_BODY, True)
            continue
        # A body's own rule may fail before possession is looked at.
        if not (refused == "no-possession" and expected in OF_THE_BODY):
            same(what, refused, expected)
        if refused is None:
            watch.take(*order)
            same(f"{what}: signer", order[3][0], step["guardian"])
            same(f"{what}: body", order[1], step["kind"])
            same(f"{what}: policy", watch.base, step["policy"])


def check(file):
    secrets = {}
    for key in file["keys"]:
        secret, public = bytes.fromhex(key["secret"]), from_base64(key["public"])
        same(f"public key of {key['name']}", public_of(secret), public)
        same(f"id of {key['name']}", key_id(public), key["id"])
        secrets[key["id"]] = secret
    for watch in file["watches"]:
        name = hashlib.sha256(b"nestling watch 1\n" + from_base64(watch["device"])).hexdigest()[:32]
        same("watch", name, watch["id"])
    code = file["code"]
    same("code", "%020d" % int.from_bytes(bytes.fromhex(code["random"]), "little"), code["digits"])
    same("groups of the code", code["groups"].replace(" ", ""), code["digits"])
    for paper in file["papers"]:
        same("paper", paper_of(bytes.fromhex(paper["secret"])), paper["text"])
    for example in file["signatures"]:
        message = encoding(file["payload_type"], example["payload"].encode())
        same("signature", sign(secrets[example["key"]], message).hex(), example["signature"])
    for sequence in file["sequences"]:
        check_sequence(file, sequence)


def main():
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "orders.json")
    path = sys.argv[1] if len(sys.argv) > 1 else beside
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    try:
        check(vectors)
    except Wrong as wrong:
        sys.exit(str(wrong))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        sys.exit(f"the file cannot be read: {error!r}")
    steps = sum(len(sequence["steps"]) for sequence in vectors["sequences"])
    print(f"{steps} envelopes, {CHECKS} checks: as they should be")


main()
