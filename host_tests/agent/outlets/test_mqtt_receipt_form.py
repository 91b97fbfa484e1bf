"""What is a consumer's receipt, and what only looks like one."""

from toolcart.agent.mqtt.receipt import Receipt

PORTABLE = True

GOOD = (
    b'{"identity":"3fa9c1d2","number":1208}',
    b' { "number" : 1208 , "identity" : "3fa9c1d2" } ',
    b'{"identity":"3fa9c1d2","number":1208,"more":{"number":5,"identity":[1,{"a":"}"}]},"t":"a\\"b","ok":true}',
    b'{"identity":"3fa9c1d2","number":1208.0}',
    b'{"number":1208.000,"identity":"3fa9c1d2"}',
    b'\xef\xbb\xbf{"x":-1.5e3,"identity":"3fa9c1d2","number":1208}\n',
)

NONE = (
    b"",
    b"{}",
    b'{"error":"database down","refused":{"identity":"3fa9c1d2","number":1208}}',
    b'{"ok":false,"batch":[{"identity":"3fa9c1d2","number":1208}]}',
    b'{"identity":"3fa9c1d2","wanted":{"number":1208}}',
    b'{"wanted":{"number":1208},"identity":"3fa9c1d2"}',
    b'[{"identity":"3fa9c1d2","number":1208}]',
    b'ERROR {"identity":"3fa9c1d2","number":1208}',
    b'{"identity":"3fa9c1d2","number":1208} error',
    b'{"identity":"3fa9c1d2","number":1208}{"identity":"3fa9c1d2","number":0}',
    b'{"identity":"3fa9c1d2","number":1208',
    b'"identity":"3fa9c1d2","number":1208',
    b'{"identity":"3fa9c1d2","number":1208 5}',
    b'{"identity":"3fa9c1d2","number":1208,"number":5}',
    b'{"identity":"3fa9c1d2","identity":"3fa9c1d2","number":5}',
    b'{"identity":"3fa9c1d2","number":"1208"}',
    b'{"identity":"3fa9c1d2","number":12.5}',
    b'{"identity":"3fa9c1d2","number":-12}',
    b'{"identity":"3fa9c1d2","number":12.}',
    b'{"identity":"3fa9c1d2","number":12.05}',
    b'{"identity":"3fa9c1d2","number":12.0.0}',
    b'{"identity":"3fa9c1d2","number":.0,"number":5}',
    b'{"identity":"3fa9c1d2","number":12e0}',
    b'{"identity":"3fa9c1d2","number":true}',
    b'{"identity":"3fa9c1d23","number":1208}',
    b'{"identity":"3fa9c1d2" "number":1208}',
    b'{"identity":"3fa9c1d2","number":1208,}',
    b'{"text":"\\"identity\\":\\"3fa9c1d2\\",\\"number\\":1208"}',
    b'{"identity":"3fa9c1d2","number":1208]',
)


def read(octets):
    receipt = Receipt()
    buf = b"##" + octets + b'"number":9999}'  # what lies behind the message is none of it
    if not receipt.read(buf, 2, 2 + len(octets)):
        return None
    number = buf[receipt.number : receipt.number + receipt.digits]
    return buf[receipt.identity : receipt.identity + 8], int(number)


def test_a_receipt_is_one_object_with_both_members_of_its_own():
    for octets in GOOD:
        assert read(octets) == (b"3fa9c1d2", 1208), octets
    for octets in NONE:
        assert read(octets) is None, octets


def test_no_part_of_a_receipt_is_one():
    for octets in GOOD:
        whole = octets.rstrip()
        for end in range(len(whole)):
            assert read(whole[:end]) is None, whole[:end]


def test_any_octets_end():
    dice = 7
    for _ in range(300):
        octets = bytearray()
        for _ in range(40):
            dice = (dice * 1103515245 + 12345) % (1 << 31)
            octets.append(b'{}[]":,\\ 1a'[(dice >> 8) % 11])
        read(bytes(octets))
