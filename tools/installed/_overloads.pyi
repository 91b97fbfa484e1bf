"""What `encode`, `ask` and `Message.fields` take and return, by MID; made by `python -m tools.codec.types`."""

from typing import Any, Literal, Protocol, TypeVar, Unpack, overload

from . import Message
from .messages import *

Answer = TypeVar("Answer", covariant=True)
class Reads:
    @overload
    def fields(self, mid: Literal[1]) -> Fields0001: ...
    @overload
    def fields(self, mid: Literal[2]) -> Fields0002: ...
    @overload
    def fields(self, mid: Literal[3]) -> Fields0003: ...
    @overload
    def fields(self, mid: Literal[4]) -> Fields0004: ...
    @overload
    def fields(self, mid: Literal[5]) -> Fields0005: ...
    @overload
    def fields(self, mid: Literal[6]) -> Fields0006: ...
    @overload
    def fields(self, mid: Literal[7]) -> Fields0007: ...
    @overload
    def fields(self, mid: Literal[8]) -> Fields0008: ...
    @overload
    def fields(self, mid: Literal[9]) -> Fields0009: ...
    @overload
    def fields(self, mid: Literal[10]) -> Fields0010: ...
    @overload
    def fields(self, mid: Literal[11]) -> Fields0011: ...
    @overload
    def fields(self, mid: Literal[12]) -> Fields0012: ...
    @overload
    def fields(self, mid: Literal[13]) -> Fields0013: ...
    @overload
    def fields(self, mid: Literal[14]) -> Fields0014: ...
    @overload
    def fields(self, mid: Literal[15]) -> Fields0015: ...
    @overload
    def fields(self, mid: Literal[16]) -> Fields0016: ...
    @overload
    def fields(self, mid: Literal[17]) -> Fields0017: ...
    @overload
    def fields(self, mid: Literal[18]) -> Fields0018: ...
    @overload
    def fields(self, mid: Literal[19]) -> Fields0019: ...
    @overload
    def fields(self, mid: Literal[20]) -> Fields0020: ...
    @overload
    def fields(self, mid: Literal[21]) -> Fields0021: ...
    @overload
    def fields(self, mid: Literal[22]) -> Fields0022: ...
    @overload
    def fields(self, mid: Literal[23]) -> Fields0023: ...
    @overload
    def fields(self, mid: Literal[24]) -> Fields0024: ...
    @overload
    def fields(self, mid: Literal[25]) -> Fields0025: ...
    @overload
    def fields(self, mid: Literal[30]) -> Fields0030: ...
    @overload
    def fields(self, mid: Literal[31]) -> Fields0031: ...
    @overload
    def fields(self, mid: Literal[32]) -> Fields0032: ...
    @overload
    def fields(self, mid: Literal[33]) -> Fields0033: ...
    @overload
    def fields(self, mid: Literal[34]) -> Fields0034: ...
    @overload
    def fields(self, mid: Literal[35]) -> Fields0035: ...
    @overload
    def fields(self, mid: Literal[36]) -> Fields0036: ...
    @overload
    def fields(self, mid: Literal[37]) -> Fields0037: ...
    @overload
    def fields(self, mid: Literal[38]) -> Fields0038: ...
    @overload
    def fields(self, mid: Literal[39]) -> Fields0039: ...
    @overload
    def fields(self, mid: Literal[40]) -> Fields0040: ...
    @overload
    def fields(self, mid: Literal[41]) -> Fields0041: ...
    @overload
    def fields(self, mid: Literal[42]) -> Fields0042: ...
    @overload
    def fields(self, mid: Literal[43]) -> Fields0043: ...
    @overload
    def fields(self, mid: Literal[44]) -> Fields0044: ...
    @overload
    def fields(self, mid: Literal[45]) -> Fields0045: ...
    @overload
    def fields(self, mid: Literal[46]) -> Fields0046: ...
    @overload
    def fields(self, mid: Literal[47]) -> Fields0047: ...
    @overload
    def fields(self, mid: Literal[48]) -> Fields0048: ...
    @overload
    def fields(self, mid: Literal[49]) -> Fields0049: ...
    @overload
    def fields(self, mid: Literal[50]) -> Fields0050: ...
    @overload
    def fields(self, mid: Literal[51]) -> Fields0051: ...
    @overload
    def fields(self, mid: Literal[52]) -> Fields0052: ...
    @overload
    def fields(self, mid: Literal[53]) -> Fields0053: ...
    @overload
    def fields(self, mid: Literal[54]) -> Fields0054: ...
    @overload
    def fields(self, mid: Literal[60]) -> Fields0060: ...
    @overload
    def fields(self, mid: Literal[61]) -> Fields0061: ...
    @overload
    def fields(self, mid: Literal[62]) -> Fields0062: ...
    @overload
    def fields(self, mid: Literal[63]) -> Fields0063: ...
    @overload
    def fields(self, mid: Literal[64]) -> Fields0064: ...
    @overload
    def fields(self, mid: Literal[65]) -> Fields0065: ...
    @overload
    def fields(self, mid: Literal[66]) -> Fields0066: ...
    @overload
    def fields(self, mid: Literal[67]) -> Fields0067: ...
    @overload
    def fields(self, mid: Literal[70]) -> Fields0070: ...
    @overload
    def fields(self, mid: Literal[71]) -> Fields0071: ...
    @overload
    def fields(self, mid: Literal[72]) -> Fields0072: ...
    @overload
    def fields(self, mid: Literal[73]) -> Fields0073: ...
    @overload
    def fields(self, mid: Literal[74]) -> Fields0074: ...
    @overload
    def fields(self, mid: Literal[75]) -> Fields0075: ...
    @overload
    def fields(self, mid: Literal[76]) -> Fields0076: ...
    @overload
    def fields(self, mid: Literal[77]) -> Fields0077: ...
    @overload
    def fields(self, mid: Literal[78]) -> Fields0078: ...
    @overload
    def fields(self, mid: Literal[80]) -> Fields0080: ...
    @overload
    def fields(self, mid: Literal[81]) -> Fields0081: ...
    @overload
    def fields(self, mid: Literal[82]) -> Fields0082: ...
    @overload
    def fields(self, mid: Literal[90]) -> Fields0090: ...
    @overload
    def fields(self, mid: Literal[91]) -> Fields0091: ...
    @overload
    def fields(self, mid: Literal[92]) -> Fields0092: ...
    @overload
    def fields(self, mid: Literal[93]) -> Fields0093: ...
    @overload
    def fields(self, mid: Literal[100]) -> Fields0100: ...
    @overload
    def fields(self, mid: Literal[101]) -> Fields0101: ...
    @overload
    def fields(self, mid: Literal[102]) -> Fields0102: ...
    @overload
    def fields(self, mid: Literal[103]) -> Fields0103: ...
    @overload
    def fields(self, mid: Literal[104]) -> Fields0104: ...
    @overload
    def fields(self, mid: Literal[105]) -> Fields0105: ...
    @overload
    def fields(self, mid: Literal[106]) -> Fields0106: ...
    @overload
    def fields(self, mid: Literal[107]) -> Fields0107: ...
    @overload
    def fields(self, mid: Literal[108]) -> Fields0108: ...
    @overload
    def fields(self, mid: Literal[109]) -> Fields0109: ...
    @overload
    def fields(self, mid: Literal[110]) -> Fields0110: ...
    @overload
    def fields(self, mid: Literal[111]) -> Fields0111: ...
    @overload
    def fields(self, mid: Literal[113]) -> Fields0113: ...
    @overload
    def fields(self, mid: Literal[120]) -> Fields0120: ...
    @overload
    def fields(self, mid: Literal[121]) -> Fields0121: ...
    @overload
    def fields(self, mid: Literal[122]) -> Fields0122: ...
    @overload
    def fields(self, mid: Literal[123]) -> Fields0123: ...
    @overload
    def fields(self, mid: Literal[124]) -> Fields0124: ...
    @overload
    def fields(self, mid: Literal[125]) -> Fields0125: ...
    @overload
    def fields(self, mid: Literal[126]) -> Fields0126: ...
    @overload
    def fields(self, mid: Literal[127]) -> Fields0127: ...
    @overload
    def fields(self, mid: Literal[128]) -> Fields0128: ...
    @overload
    def fields(self, mid: Literal[129]) -> Fields0129: ...
    @overload
    def fields(self, mid: Literal[130]) -> Fields0130: ...
    @overload
    def fields(self, mid: Literal[131]) -> Fields0131: ...
    @overload
    def fields(self, mid: Literal[132]) -> Fields0132: ...
    @overload
    def fields(self, mid: Literal[133]) -> Fields0133: ...
    @overload
    def fields(self, mid: Literal[140]) -> Fields0140: ...
    @overload
    def fields(self, mid: Literal[150]) -> Fields0150: ...
    @overload
    def fields(self, mid: Literal[151]) -> Fields0151: ...
    @overload
    def fields(self, mid: Literal[152]) -> Fields0152: ...
    @overload
    def fields(self, mid: Literal[153]) -> Fields0153: ...
    @overload
    def fields(self, mid: Literal[154]) -> Fields0154: ...
    @overload
    def fields(self, mid: Literal[155]) -> Fields0155: ...
    @overload
    def fields(self, mid: Literal[156]) -> Fields0156: ...
    @overload
    def fields(self, mid: Literal[157]) -> Fields0157: ...
    @overload
    def fields(self, mid: Literal[200]) -> Fields0200: ...
    @overload
    def fields(self, mid: Literal[210]) -> Fields0210: ...
    @overload
    def fields(self, mid: Literal[211]) -> Fields0211: ...
    @overload
    def fields(self, mid: Literal[212]) -> Fields0212: ...
    @overload
    def fields(self, mid: Literal[213]) -> Fields0213: ...
    @overload
    def fields(self, mid: Literal[214]) -> Fields0214: ...
    @overload
    def fields(self, mid: Literal[215]) -> Fields0215: ...
    @overload
    def fields(self, mid: Literal[216]) -> Fields0216: ...
    @overload
    def fields(self, mid: Literal[217]) -> Fields0217: ...
    @overload
    def fields(self, mid: Literal[218]) -> Fields0218: ...
    @overload
    def fields(self, mid: Literal[219]) -> Fields0219: ...
    @overload
    def fields(self, mid: Literal[220]) -> Fields0220: ...
    @overload
    def fields(self, mid: Literal[221]) -> Fields0221: ...
    @overload
    def fields(self, mid: Literal[222]) -> Fields0222: ...
    @overload
    def fields(self, mid: Literal[223]) -> Fields0223: ...
    @overload
    def fields(self, mid: Literal[224]) -> Fields0224: ...
    @overload
    def fields(self, mid: Literal[225]) -> Fields0225: ...
    @overload
    def fields(self, mid: Literal[240]) -> Fields0240: ...
    @overload
    def fields(self, mid: Literal[241]) -> Fields0241: ...
    @overload
    def fields(self, mid: Literal[242]) -> Fields0242: ...
    @overload
    def fields(self, mid: Literal[243]) -> Fields0243: ...
    @overload
    def fields(self, mid: Literal[244]) -> Fields0244: ...
    @overload
    def fields(self, mid: Literal[245]) -> Fields0245: ...
    @overload
    def fields(self, mid: Literal[250]) -> Fields0250: ...
    @overload
    def fields(self, mid: Literal[251]) -> Fields0251: ...
    @overload
    def fields(self, mid: Literal[252]) -> Fields0252: ...
    @overload
    def fields(self, mid: Literal[253]) -> Fields0253: ...
    @overload
    def fields(self, mid: Literal[254]) -> Fields0254: ...
    @overload
    def fields(self, mid: Literal[255]) -> Fields0255: ...
    @overload
    def fields(self, mid: Literal[260]) -> Fields0260: ...
    @overload
    def fields(self, mid: Literal[261]) -> Fields0261: ...
    @overload
    def fields(self, mid: Literal[262]) -> Fields0262: ...
    @overload
    def fields(self, mid: Literal[263]) -> Fields0263: ...
    @overload
    def fields(self, mid: Literal[264]) -> Fields0264: ...
    @overload
    def fields(self, mid: Literal[265]) -> Fields0265: ...
    @overload
    def fields(self, mid: Literal[270]) -> Fields0270: ...
    @overload
    def fields(self, mid: Literal[300]) -> Fields0300: ...
    @overload
    def fields(self, mid: Literal[301]) -> Fields0301: ...
    @overload
    def fields(self, mid: Literal[400]) -> Fields0400: ...
    @overload
    def fields(self, mid: Literal[401]) -> Fields0401: ...
    @overload
    def fields(self, mid: Literal[402]) -> Fields0402: ...
    @overload
    def fields(self, mid: Literal[403]) -> Fields0403: ...
    @overload
    def fields(self, mid: Literal[410]) -> Fields0410: ...
    @overload
    def fields(self, mid: Literal[411]) -> Fields0411: ...
    @overload
    def fields(self, mid: Literal[420]) -> Fields0420: ...
    @overload
    def fields(self, mid: Literal[421]) -> Fields0421: ...
    @overload
    def fields(self, mid: Literal[422]) -> Fields0422: ...
    @overload
    def fields(self, mid: Literal[423]) -> Fields0423: ...
    @overload
    def fields(self, mid: Literal[500]) -> Fields0500: ...
    @overload
    def fields(self, mid: Literal[501]) -> Fields0501: ...
    @overload
    def fields(self, mid: Literal[502]) -> Fields0502: ...
    @overload
    def fields(self, mid: Literal[503]) -> Fields0503: ...
    @overload
    def fields(self, mid: Literal[504]) -> Fields0504: ...
    @overload
    def fields(self, mid: Literal[700]) -> Fields0700: ...
    @overload
    def fields(self, mid: Literal[701]) -> Fields0701: ...
    @overload
    def fields(self, mid: Literal[702]) -> Fields0702: ...
    @overload
    def fields(self, mid: Literal[703]) -> Fields0703: ...
    @overload
    def fields(self, mid: Literal[704]) -> Fields0704: ...
    @overload
    def fields(self, mid: Literal[900]) -> Fields0900: ...
    @overload
    def fields(self, mid: Literal[901]) -> Fields0901: ...
    @overload
    def fields(self, mid: Literal[902]) -> Fields0902: ...
    @overload
    def fields(self, mid: Literal[1000]) -> Fields1000: ...
    @overload
    def fields(self, mid: Literal[1001]) -> Fields1001: ...
    @overload
    def fields(self, mid: Literal[1201]) -> Fields1201: ...
    @overload
    def fields(self, mid: Literal[1202]) -> Fields1202: ...
    @overload
    def fields(self, mid: Literal[1203]) -> Fields1203: ...
    @overload
    def fields(self, mid: Literal[1601]) -> Fields1601: ...
    @overload
    def fields(self, mid: Literal[1602]) -> Fields1602: ...
    @overload
    def fields(self, mid: Literal[1900]) -> Fields1900: ...
    @overload
    def fields(self, mid: Literal[1901]) -> Fields1901: ...
    @overload
    def fields(self, mid: Literal[2100]) -> Fields2100: ...
    @overload
    def fields(self, mid: Literal[2500]) -> Fields2500: ...
    @overload
    def fields(self, mid: Literal[2501]) -> Fields2501: ...
    @overload
    def fields(self, mid: Literal[2502]) -> Fields2502: ...
    @overload
    def fields(self, mid: Literal[2503]) -> Fields2503: ...
    @overload
    def fields(self, mid: Literal[2504]) -> Fields2504: ...
    @overload
    def fields(self, mid: Literal[2505]) -> Fields2505: ...
    @overload
    def fields(self, mid: Literal[2506]) -> Fields2506: ...
    @overload
    def fields(self, mid: Literal[2600]) -> Fields2600: ...
    @overload
    def fields(self, mid: Literal[2601]) -> Fields2601: ...
    @overload
    def fields(self, mid: Literal[2602]) -> Fields2602: ...
    @overload
    def fields(self, mid: Literal[2603]) -> Fields2603: ...
    @overload
    def fields(self, mid: Literal[2604]) -> Fields2604: ...
    @overload
    def fields(self, mid: Literal[2605]) -> Fields2605: ...
    @overload
    def fields(self, mid: Literal[2606]) -> Fields2606: ...
    @overload
    def fields(self, mid: Literal[8000]) -> Fields8000: ...
    @overload
    def fields(self, mid: Literal[8001]) -> Fields8001: ...
    @overload
    def fields(self, mid: Literal[8002]) -> Fields8002: ...
    @overload
    def fields(self, mid: Literal[8003]) -> Fields8003: ...
    @overload
    def fields(self, mid: Literal[9997]) -> Fields9997: ...
    @overload
    def fields(self, mid: Literal[9998]) -> Fields9998: ...
    @overload
    def fields(self, mid: Literal[9999]) -> Fields9999: ...
    @overload
    def fields(self) -> dict[str, Any]: ...

class Ask(Protocol[Answer]):
    @overload
    def __call__(
        self, mid: Literal[1], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0001]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[2], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0002]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[3], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0003]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[4], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0004]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[5], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0005]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[6], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0006]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[7], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0007]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[8], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0008]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[9], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0009]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[10], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0010]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[11], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0011]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[12], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0012]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[13], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0013]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[14], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0014]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[15], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0015]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[16], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0016]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[17], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0017]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[18], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0018]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[19], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0019]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[20], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0020]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[21], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0021]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[22], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0022]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[23], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0023]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[24], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0024]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[25], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0025]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[30], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0030]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[31], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0031]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[32], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0032]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[33], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0033]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[34], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0034]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[35], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0035]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[36], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0036]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[37], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0037]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[38], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0038]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[39], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0039]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[40], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0040]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[41], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0041]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[42], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0042]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[43], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0043]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[44], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0044]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[45], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0045]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[46], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0046]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[47], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0047]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[48], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0048]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[49], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0049]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[50], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0050]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[51], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0051]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[52], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0052]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[53], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0053]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[54], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0054]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[60], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0060]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[61], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0061]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[62], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0062]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[63], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0063]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[64], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0064]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[65], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0065]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[66], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0066]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[67], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0067]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[70], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0070]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[71], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0071]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[72], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0072]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[73], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0073]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[74], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0074]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[75], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0075]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[76], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0076]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[77], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0077]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[78], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0078]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[80], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0080]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[81], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0081]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[82], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0082]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[90], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0090]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[91], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0091]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[92], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0092]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[93], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0093]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[100], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0100]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[101], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0101]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[102], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0102]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[103], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0103]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[104], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0104]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[105], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0105]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[106], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0106]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[107], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0107]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[108], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0108]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[109], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0109]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[110], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0110]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[111], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0111]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[113], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0113]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[120], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0120]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[121], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0121]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[122], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0122]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[123], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0123]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[124], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0124]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[125], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0125]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[126], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0126]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[127], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0127]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[128], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0128]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[129], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0129]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[130], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0130]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[131], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0131]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[132], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0132]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[133], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0133]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[140], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0140]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[150], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0150]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[151], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0151]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[152], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0152]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[153], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0153]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[154], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0154]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[155], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0155]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[156], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0156]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[157], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0157]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[200], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0200]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[210], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0210]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[211], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0211]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[212], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0212]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[213], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0213]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[214], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0214]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[215], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0215]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[216], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0216]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[217], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0217]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[218], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0218]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[219], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0219]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[220], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0220]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[221], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0221]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[222], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0222]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[223], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0223]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[224], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0224]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[225], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0225]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[240], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0240]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[241], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0241]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[242], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0242]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[243], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0243]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[244], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0244]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[245], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0245]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[250], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0250]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[251], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0251]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[252], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0252]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[253], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0253]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[254], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0254]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[255], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0255]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[260], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0260]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[261], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0261]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[262], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0262]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[263], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0263]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[264], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0264]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[265], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0265]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[270], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0270]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[300], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0300]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[301], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0301]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[400], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0400]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[401], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0401]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[402], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0402]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[403], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0403]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[410], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0410]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[411], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0411]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[420], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0420]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[421], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0421]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[422], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0422]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[423], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0423]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[500], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0500]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[501], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0501]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[502], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0502]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[503], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0503]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[504], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0504]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[700], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0700]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[701], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0701]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[702], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0702]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[703], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0703]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[704], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0704]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[900], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0900]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[901], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0901]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[902], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given0902]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[1000], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given1000]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[1001], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given1001]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[1201], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given1201]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[1202], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given1202]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[1203], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given1203]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[1601], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given1601]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[1602], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given1602]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[1900], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given1900]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[1901], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given1901]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[2100], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given2100]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[2500], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given2500]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[2501], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given2501]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[2502], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given2502]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[2503], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given2503]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[2504], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given2504]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[2505], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given2505]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[2506], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given2506]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[2600], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given2600]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[2601], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given2601]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[2602], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given2602]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[2603], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given2603]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[2604], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given2604]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[2605], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given2605]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[2606], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given2606]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[8000], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given8000]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[8001], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given8001]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[8002], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given8002]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[8003], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given8003]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[9997], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given9997]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[9998], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given9998]
    ) -> Answer: ...
    @overload
    def __call__(
        self, mid: Literal[9999], revision: int = 1, *, deadline_s: float | None = None, **fields: Unpack[Given9999]
    ) -> Answer: ...

@overload
def encode(
    mid: Literal[1], revision: int = 1, check: bool = True, **given: Unpack[Given0001]
) -> bytes: ...
@overload
def encode(
    mid: Literal[2], revision: int = 1, check: bool = True, **given: Unpack[Given0002]
) -> bytes: ...
@overload
def encode(
    mid: Literal[3], revision: int = 1, check: bool = True, **given: Unpack[Given0003]
) -> bytes: ...
@overload
def encode(
    mid: Literal[4], revision: int = 1, check: bool = True, **given: Unpack[Given0004]
) -> bytes: ...
@overload
def encode(
    mid: Literal[5], revision: int = 1, check: bool = True, **given: Unpack[Given0005]
) -> bytes: ...
@overload
def encode(
    mid: Literal[6], revision: int = 1, check: bool = True, **given: Unpack[Given0006]
) -> bytes: ...
@overload
def encode(
    mid: Literal[7], revision: int = 1, check: bool = True, **given: Unpack[Given0007]
) -> bytes: ...
@overload
def encode(
    mid: Literal[8], revision: int = 1, check: bool = True, **given: Unpack[Given0008]
) -> bytes: ...
@overload
def encode(
    mid: Literal[9], revision: int = 1, check: bool = True, **given: Unpack[Given0009]
) -> bytes: ...
@overload
def encode(
    mid: Literal[10], revision: int = 1, check: bool = True, **given: Unpack[Given0010]
) -> bytes: ...
@overload
def encode(
    mid: Literal[11], revision: int = 1, check: bool = True, **given: Unpack[Given0011]
) -> bytes: ...
@overload
def encode(
    mid: Literal[12], revision: int = 1, check: bool = True, **given: Unpack[Given0012]
) -> bytes: ...
@overload
def encode(
    mid: Literal[13], revision: int = 1, check: bool = True, **given: Unpack[Given0013]
) -> bytes: ...
@overload
def encode(
    mid: Literal[14], revision: int = 1, check: bool = True, **given: Unpack[Given0014]
) -> bytes: ...
@overload
def encode(
    mid: Literal[15], revision: int = 1, check: bool = True, **given: Unpack[Given0015]
) -> bytes: ...
@overload
def encode(
    mid: Literal[16], revision: int = 1, check: bool = True, **given: Unpack[Given0016]
) -> bytes: ...
@overload
def encode(
    mid: Literal[17], revision: int = 1, check: bool = True, **given: Unpack[Given0017]
) -> bytes: ...
@overload
def encode(
    mid: Literal[18], revision: int = 1, check: bool = True, **given: Unpack[Given0018]
) -> bytes: ...
@overload
def encode(
    mid: Literal[19], revision: int = 1, check: bool = True, **given: Unpack[Given0019]
) -> bytes: ...
@overload
def encode(
    mid: Literal[20], revision: int = 1, check: bool = True, **given: Unpack[Given0020]
) -> bytes: ...
@overload
def encode(
    mid: Literal[21], revision: int = 1, check: bool = True, **given: Unpack[Given0021]
) -> bytes: ...
@overload
def encode(
    mid: Literal[22], revision: int = 1, check: bool = True, **given: Unpack[Given0022]
) -> bytes: ...
@overload
def encode(
    mid: Literal[23], revision: int = 1, check: bool = True, **given: Unpack[Given0023]
) -> bytes: ...
@overload
def encode(
    mid: Literal[24], revision: int = 1, check: bool = True, **given: Unpack[Given0024]
) -> bytes: ...
@overload
def encode(
    mid: Literal[25], revision: int = 1, check: bool = True, **given: Unpack[Given0025]
) -> bytes: ...
@overload
def encode(
    mid: Literal[30], revision: int = 1, check: bool = True, **given: Unpack[Given0030]
) -> bytes: ...
@overload
def encode(
    mid: Literal[31], revision: int = 1, check: bool = True, **given: Unpack[Given0031]
) -> bytes: ...
@overload
def encode(
    mid: Literal[32], revision: int = 1, check: bool = True, **given: Unpack[Given0032]
) -> bytes: ...
@overload
def encode(
    mid: Literal[33], revision: int = 1, check: bool = True, **given: Unpack[Given0033]
) -> bytes: ...
@overload
def encode(
    mid: Literal[34], revision: int = 1, check: bool = True, **given: Unpack[Given0034]
) -> bytes: ...
@overload
def encode(
    mid: Literal[35], revision: int = 1, check: bool = True, **given: Unpack[Given0035]
) -> bytes: ...
@overload
def encode(
    mid: Literal[36], revision: int = 1, check: bool = True, **given: Unpack[Given0036]
) -> bytes: ...
@overload
def encode(
    mid: Literal[37], revision: int = 1, check: bool = True, **given: Unpack[Given0037]
) -> bytes: ...
@overload
def encode(
    mid: Literal[38], revision: int = 1, check: bool = True, **given: Unpack[Given0038]
) -> bytes: ...
@overload
def encode(
    mid: Literal[39], revision: int = 1, check: bool = True, **given: Unpack[Given0039]
) -> bytes: ...
@overload
def encode(
    mid: Literal[40], revision: int = 1, check: bool = True, **given: Unpack[Given0040]
) -> bytes: ...
@overload
def encode(
    mid: Literal[41], revision: int = 1, check: bool = True, **given: Unpack[Given0041]
) -> bytes: ...
@overload
def encode(
    mid: Literal[42], revision: int = 1, check: bool = True, **given: Unpack[Given0042]
) -> bytes: ...
@overload
def encode(
    mid: Literal[43], revision: int = 1, check: bool = True, **given: Unpack[Given0043]
) -> bytes: ...
@overload
def encode(
    mid: Literal[44], revision: int = 1, check: bool = True, **given: Unpack[Given0044]
) -> bytes: ...
@overload
def encode(
    mid: Literal[45], revision: int = 1, check: bool = True, **given: Unpack[Given0045]
) -> bytes: ...
@overload
def encode(
    mid: Literal[46], revision: int = 1, check: bool = True, **given: Unpack[Given0046]
) -> bytes: ...
@overload
def encode(
    mid: Literal[47], revision: int = 1, check: bool = True, **given: Unpack[Given0047]
) -> bytes: ...
@overload
def encode(
    mid: Literal[48], revision: int = 1, check: bool = True, **given: Unpack[Given0048]
) -> bytes: ...
@overload
def encode(
    mid: Literal[49], revision: int = 1, check: bool = True, **given: Unpack[Given0049]
) -> bytes: ...
@overload
def encode(
    mid: Literal[50], revision: int = 1, check: bool = True, **given: Unpack[Given0050]
) -> bytes: ...
@overload
def encode(
    mid: Literal[51], revision: int = 1, check: bool = True, **given: Unpack[Given0051]
) -> bytes: ...
@overload
def encode(
    mid: Literal[52], revision: int = 1, check: bool = True, **given: Unpack[Given0052]
) -> bytes: ...
@overload
def encode(
    mid: Literal[53], revision: int = 1, check: bool = True, **given: Unpack[Given0053]
) -> bytes: ...
@overload
def encode(
    mid: Literal[54], revision: int = 1, check: bool = True, **given: Unpack[Given0054]
) -> bytes: ...
@overload
def encode(
    mid: Literal[60], revision: int = 1, check: bool = True, **given: Unpack[Given0060]
) -> bytes: ...
@overload
def encode(
    mid: Literal[61], revision: int = 1, check: bool = True, **given: Unpack[Given0061]
) -> bytes: ...
@overload
def encode(
    mid: Literal[62], revision: int = 1, check: bool = True, **given: Unpack[Given0062]
) -> bytes: ...
@overload
def encode(
    mid: Literal[63], revision: int = 1, check: bool = True, **given: Unpack[Given0063]
) -> bytes: ...
@overload
def encode(
    mid: Literal[64], revision: int = 1, check: bool = True, **given: Unpack[Given0064]
) -> bytes: ...
@overload
def encode(
    mid: Literal[65], revision: int = 1, check: bool = True, **given: Unpack[Given0065]
) -> bytes: ...
@overload
def encode(
    mid: Literal[66], revision: int = 1, check: bool = True, **given: Unpack[Given0066]
) -> bytes: ...
@overload
def encode(
    mid: Literal[67], revision: int = 1, check: bool = True, **given: Unpack[Given0067]
) -> bytes: ...
@overload
def encode(
    mid: Literal[70], revision: int = 1, check: bool = True, **given: Unpack[Given0070]
) -> bytes: ...
@overload
def encode(
    mid: Literal[71], revision: int = 1, check: bool = True, **given: Unpack[Given0071]
) -> bytes: ...
@overload
def encode(
    mid: Literal[72], revision: int = 1, check: bool = True, **given: Unpack[Given0072]
) -> bytes: ...
@overload
def encode(
    mid: Literal[73], revision: int = 1, check: bool = True, **given: Unpack[Given0073]
) -> bytes: ...
@overload
def encode(
    mid: Literal[74], revision: int = 1, check: bool = True, **given: Unpack[Given0074]
) -> bytes: ...
@overload
def encode(
    mid: Literal[75], revision: int = 1, check: bool = True, **given: Unpack[Given0075]
) -> bytes: ...
@overload
def encode(
    mid: Literal[76], revision: int = 1, check: bool = True, **given: Unpack[Given0076]
) -> bytes: ...
@overload
def encode(
    mid: Literal[77], revision: int = 1, check: bool = True, **given: Unpack[Given0077]
) -> bytes: ...
@overload
def encode(
    mid: Literal[78], revision: int = 1, check: bool = True, **given: Unpack[Given0078]
) -> bytes: ...
@overload
def encode(
    mid: Literal[80], revision: int = 1, check: bool = True, **given: Unpack[Given0080]
) -> bytes: ...
@overload
def encode(
    mid: Literal[81], revision: int = 1, check: bool = True, **given: Unpack[Given0081]
) -> bytes: ...
@overload
def encode(
    mid: Literal[82], revision: int = 1, check: bool = True, **given: Unpack[Given0082]
) -> bytes: ...
@overload
def encode(
    mid: Literal[90], revision: int = 1, check: bool = True, **given: Unpack[Given0090]
) -> bytes: ...
@overload
def encode(
    mid: Literal[91], revision: int = 1, check: bool = True, **given: Unpack[Given0091]
) -> bytes: ...
@overload
def encode(
    mid: Literal[92], revision: int = 1, check: bool = True, **given: Unpack[Given0092]
) -> bytes: ...
@overload
def encode(
    mid: Literal[93], revision: int = 1, check: bool = True, **given: Unpack[Given0093]
) -> bytes: ...
@overload
def encode(
    mid: Literal[100], revision: int = 1, check: bool = True, **given: Unpack[Given0100]
) -> bytes: ...
@overload
def encode(
    mid: Literal[101], revision: int = 1, check: bool = True, **given: Unpack[Given0101]
) -> bytes: ...
@overload
def encode(
    mid: Literal[102], revision: int = 1, check: bool = True, **given: Unpack[Given0102]
) -> bytes: ...
@overload
def encode(
    mid: Literal[103], revision: int = 1, check: bool = True, **given: Unpack[Given0103]
) -> bytes: ...
@overload
def encode(
    mid: Literal[104], revision: int = 1, check: bool = True, **given: Unpack[Given0104]
) -> bytes: ...
@overload
def encode(
    mid: Literal[105], revision: int = 1, check: bool = True, **given: Unpack[Given0105]
) -> bytes: ...
@overload
def encode(
    mid: Literal[106], revision: int = 1, check: bool = True, **given: Unpack[Given0106]
) -> bytes: ...
@overload
def encode(
    mid: Literal[107], revision: int = 1, check: bool = True, **given: Unpack[Given0107]
) -> bytes: ...
@overload
def encode(
    mid: Literal[108], revision: int = 1, check: bool = True, **given: Unpack[Given0108]
) -> bytes: ...
@overload
def encode(
    mid: Literal[109], revision: int = 1, check: bool = True, **given: Unpack[Given0109]
) -> bytes: ...
@overload
def encode(
    mid: Literal[110], revision: int = 1, check: bool = True, **given: Unpack[Given0110]
) -> bytes: ...
@overload
def encode(
    mid: Literal[111], revision: int = 1, check: bool = True, **given: Unpack[Given0111]
) -> bytes: ...
@overload
def encode(
    mid: Literal[113], revision: int = 1, check: bool = True, **given: Unpack[Given0113]
) -> bytes: ...
@overload
def encode(
    mid: Literal[120], revision: int = 1, check: bool = True, **given: Unpack[Given0120]
) -> bytes: ...
@overload
def encode(
    mid: Literal[121], revision: int = 1, check: bool = True, **given: Unpack[Given0121]
) -> bytes: ...
@overload
def encode(
    mid: Literal[122], revision: int = 1, check: bool = True, **given: Unpack[Given0122]
) -> bytes: ...
@overload
def encode(
    mid: Literal[123], revision: int = 1, check: bool = True, **given: Unpack[Given0123]
) -> bytes: ...
@overload
def encode(
    mid: Literal[124], revision: int = 1, check: bool = True, **given: Unpack[Given0124]
) -> bytes: ...
@overload
def encode(
    mid: Literal[125], revision: int = 1, check: bool = True, **given: Unpack[Given0125]
) -> bytes: ...
@overload
def encode(
    mid: Literal[126], revision: int = 1, check: bool = True, **given: Unpack[Given0126]
) -> bytes: ...
@overload
def encode(
    mid: Literal[127], revision: int = 1, check: bool = True, **given: Unpack[Given0127]
) -> bytes: ...
@overload
def encode(
    mid: Literal[128], revision: int = 1, check: bool = True, **given: Unpack[Given0128]
) -> bytes: ...
@overload
def encode(
    mid: Literal[129], revision: int = 1, check: bool = True, **given: Unpack[Given0129]
) -> bytes: ...
@overload
def encode(
    mid: Literal[130], revision: int = 1, check: bool = True, **given: Unpack[Given0130]
) -> bytes: ...
@overload
def encode(
    mid: Literal[131], revision: int = 1, check: bool = True, **given: Unpack[Given0131]
) -> bytes: ...
@overload
def encode(
    mid: Literal[132], revision: int = 1, check: bool = True, **given: Unpack[Given0132]
) -> bytes: ...
@overload
def encode(
    mid: Literal[133], revision: int = 1, check: bool = True, **given: Unpack[Given0133]
) -> bytes: ...
@overload
def encode(
    mid: Literal[140], revision: int = 1, check: bool = True, **given: Unpack[Given0140]
) -> bytes: ...
@overload
def encode(
    mid: Literal[150], revision: int = 1, check: bool = True, **given: Unpack[Given0150]
) -> bytes: ...
@overload
def encode(
    mid: Literal[151], revision: int = 1, check: bool = True, **given: Unpack[Given0151]
) -> bytes: ...
@overload
def encode(
    mid: Literal[152], revision: int = 1, check: bool = True, **given: Unpack[Given0152]
) -> bytes: ...
@overload
def encode(
    mid: Literal[153], revision: int = 1, check: bool = True, **given: Unpack[Given0153]
) -> bytes: ...
@overload
def encode(
    mid: Literal[154], revision: int = 1, check: bool = True, **given: Unpack[Given0154]
) -> bytes: ...
@overload
def encode(
    mid: Literal[155], revision: int = 1, check: bool = True, **given: Unpack[Given0155]
) -> bytes: ...
@overload
def encode(
    mid: Literal[156], revision: int = 1, check: bool = True, **given: Unpack[Given0156]
) -> bytes: ...
@overload
def encode(
    mid: Literal[157], revision: int = 1, check: bool = True, **given: Unpack[Given0157]
) -> bytes: ...
@overload
def encode(
    mid: Literal[200], revision: int = 1, check: bool = True, **given: Unpack[Given0200]
) -> bytes: ...
@overload
def encode(
    mid: Literal[210], revision: int = 1, check: bool = True, **given: Unpack[Given0210]
) -> bytes: ...
@overload
def encode(
    mid: Literal[211], revision: int = 1, check: bool = True, **given: Unpack[Given0211]
) -> bytes: ...
@overload
def encode(
    mid: Literal[212], revision: int = 1, check: bool = True, **given: Unpack[Given0212]
) -> bytes: ...
@overload
def encode(
    mid: Literal[213], revision: int = 1, check: bool = True, **given: Unpack[Given0213]
) -> bytes: ...
@overload
def encode(
    mid: Literal[214], revision: int = 1, check: bool = True, **given: Unpack[Given0214]
) -> bytes: ...
@overload
def encode(
    mid: Literal[215], revision: int = 1, check: bool = True, **given: Unpack[Given0215]
) -> bytes: ...
@overload
def encode(
    mid: Literal[216], revision: int = 1, check: bool = True, **given: Unpack[Given0216]
) -> bytes: ...
@overload
def encode(
    mid: Literal[217], revision: int = 1, check: bool = True, **given: Unpack[Given0217]
) -> bytes: ...
@overload
def encode(
    mid: Literal[218], revision: int = 1, check: bool = True, **given: Unpack[Given0218]
) -> bytes: ...
@overload
def encode(
    mid: Literal[219], revision: int = 1, check: bool = True, **given: Unpack[Given0219]
) -> bytes: ...
@overload
def encode(
    mid: Literal[220], revision: int = 1, check: bool = True, **given: Unpack[Given0220]
) -> bytes: ...
@overload
def encode(
    mid: Literal[221], revision: int = 1, check: bool = True, **given: Unpack[Given0221]
) -> bytes: ...
@overload
def encode(
    mid: Literal[222], revision: int = 1, check: bool = True, **given: Unpack[Given0222]
) -> bytes: ...
@overload
def encode(
    mid: Literal[223], revision: int = 1, check: bool = True, **given: Unpack[Given0223]
) -> bytes: ...
@overload
def encode(
    mid: Literal[224], revision: int = 1, check: bool = True, **given: Unpack[Given0224]
) -> bytes: ...
@overload
def encode(
    mid: Literal[225], revision: int = 1, check: bool = True, **given: Unpack[Given0225]
) -> bytes: ...
@overload
def encode(
    mid: Literal[240], revision: int = 1, check: bool = True, **given: Unpack[Given0240]
) -> bytes: ...
@overload
def encode(
    mid: Literal[241], revision: int = 1, check: bool = True, **given: Unpack[Given0241]
) -> bytes: ...
@overload
def encode(
    mid: Literal[242], revision: int = 1, check: bool = True, **given: Unpack[Given0242]
) -> bytes: ...
@overload
def encode(
    mid: Literal[243], revision: int = 1, check: bool = True, **given: Unpack[Given0243]
) -> bytes: ...
@overload
def encode(
    mid: Literal[244], revision: int = 1, check: bool = True, **given: Unpack[Given0244]
) -> bytes: ...
@overload
def encode(
    mid: Literal[245], revision: int = 1, check: bool = True, **given: Unpack[Given0245]
) -> bytes: ...
@overload
def encode(
    mid: Literal[250], revision: int = 1, check: bool = True, **given: Unpack[Given0250]
) -> bytes: ...
@overload
def encode(
    mid: Literal[251], revision: int = 1, check: bool = True, **given: Unpack[Given0251]
) -> bytes: ...
@overload
def encode(
    mid: Literal[252], revision: int = 1, check: bool = True, **given: Unpack[Given0252]
) -> bytes: ...
@overload
def encode(
    mid: Literal[253], revision: int = 1, check: bool = True, **given: Unpack[Given0253]
) -> bytes: ...
@overload
def encode(
    mid: Literal[254], revision: int = 1, check: bool = True, **given: Unpack[Given0254]
) -> bytes: ...
@overload
def encode(
    mid: Literal[255], revision: int = 1, check: bool = True, **given: Unpack[Given0255]
) -> bytes: ...
@overload
def encode(
    mid: Literal[260], revision: int = 1, check: bool = True, **given: Unpack[Given0260]
) -> bytes: ...
@overload
def encode(
    mid: Literal[261], revision: int = 1, check: bool = True, **given: Unpack[Given0261]
) -> bytes: ...
@overload
def encode(
    mid: Literal[262], revision: int = 1, check: bool = True, **given: Unpack[Given0262]
) -> bytes: ...
@overload
def encode(
    mid: Literal[263], revision: int = 1, check: bool = True, **given: Unpack[Given0263]
) -> bytes: ...
@overload
def encode(
    mid: Literal[264], revision: int = 1, check: bool = True, **given: Unpack[Given0264]
) -> bytes: ...
@overload
def encode(
    mid: Literal[265], revision: int = 1, check: bool = True, **given: Unpack[Given0265]
) -> bytes: ...
@overload
def encode(
    mid: Literal[270], revision: int = 1, check: bool = True, **given: Unpack[Given0270]
) -> bytes: ...
@overload
def encode(
    mid: Literal[300], revision: int = 1, check: bool = True, **given: Unpack[Given0300]
) -> bytes: ...
@overload
def encode(
    mid: Literal[301], revision: int = 1, check: bool = True, **given: Unpack[Given0301]
) -> bytes: ...
@overload
def encode(
    mid: Literal[400], revision: int = 1, check: bool = True, **given: Unpack[Given0400]
) -> bytes: ...
@overload
def encode(
    mid: Literal[401], revision: int = 1, check: bool = True, **given: Unpack[Given0401]
) -> bytes: ...
@overload
def encode(
    mid: Literal[402], revision: int = 1, check: bool = True, **given: Unpack[Given0402]
) -> bytes: ...
@overload
def encode(
    mid: Literal[403], revision: int = 1, check: bool = True, **given: Unpack[Given0403]
) -> bytes: ...
@overload
def encode(
    mid: Literal[410], revision: int = 1, check: bool = True, **given: Unpack[Given0410]
) -> bytes: ...
@overload
def encode(
    mid: Literal[411], revision: int = 1, check: bool = True, **given: Unpack[Given0411]
) -> bytes: ...
@overload
def encode(
    mid: Literal[420], revision: int = 1, check: bool = True, **given: Unpack[Given0420]
) -> bytes: ...
@overload
def encode(
    mid: Literal[421], revision: int = 1, check: bool = True, **given: Unpack[Given0421]
) -> bytes: ...
@overload
def encode(
    mid: Literal[422], revision: int = 1, check: bool = True, **given: Unpack[Given0422]
) -> bytes: ...
@overload
def encode(
    mid: Literal[423], revision: int = 1, check: bool = True, **given: Unpack[Given0423]
) -> bytes: ...
@overload
def encode(
    mid: Literal[500], revision: int = 1, check: bool = True, **given: Unpack[Given0500]
) -> bytes: ...
@overload
def encode(
    mid: Literal[501], revision: int = 1, check: bool = True, **given: Unpack[Given0501]
) -> bytes: ...
@overload
def encode(
    mid: Literal[502], revision: int = 1, check: bool = True, **given: Unpack[Given0502]
) -> bytes: ...
@overload
def encode(
    mid: Literal[503], revision: int = 1, check: bool = True, **given: Unpack[Given0503]
) -> bytes: ...
@overload
def encode(
    mid: Literal[504], revision: int = 1, check: bool = True, **given: Unpack[Given0504]
) -> bytes: ...
@overload
def encode(
    mid: Literal[700], revision: int = 1, check: bool = True, **given: Unpack[Given0700]
) -> bytes: ...
@overload
def encode(
    mid: Literal[701], revision: int = 1, check: bool = True, **given: Unpack[Given0701]
) -> bytes: ...
@overload
def encode(
    mid: Literal[702], revision: int = 1, check: bool = True, **given: Unpack[Given0702]
) -> bytes: ...
@overload
def encode(
    mid: Literal[703], revision: int = 1, check: bool = True, **given: Unpack[Given0703]
) -> bytes: ...
@overload
def encode(
    mid: Literal[704], revision: int = 1, check: bool = True, **given: Unpack[Given0704]
) -> bytes: ...
@overload
def encode(
    mid: Literal[900], revision: int = 1, check: bool = True, **given: Unpack[Given0900]
) -> bytes: ...
@overload
def encode(
    mid: Literal[901], revision: int = 1, check: bool = True, **given: Unpack[Given0901]
) -> bytes: ...
@overload
def encode(
    mid: Literal[902], revision: int = 1, check: bool = True, **given: Unpack[Given0902]
) -> bytes: ...
@overload
def encode(
    mid: Literal[1000], revision: int = 1, check: bool = True, **given: Unpack[Given1000]
) -> bytes: ...
@overload
def encode(
    mid: Literal[1001], revision: int = 1, check: bool = True, **given: Unpack[Given1001]
) -> bytes: ...
@overload
def encode(
    mid: Literal[1201], revision: int = 1, check: bool = True, **given: Unpack[Given1201]
) -> bytes: ...
@overload
def encode(
    mid: Literal[1202], revision: int = 1, check: bool = True, **given: Unpack[Given1202]
) -> bytes: ...
@overload
def encode(
    mid: Literal[1203], revision: int = 1, check: bool = True, **given: Unpack[Given1203]
) -> bytes: ...
@overload
def encode(
    mid: Literal[1601], revision: int = 1, check: bool = True, **given: Unpack[Given1601]
) -> bytes: ...
@overload
def encode(
    mid: Literal[1602], revision: int = 1, check: bool = True, **given: Unpack[Given1602]
) -> bytes: ...
@overload
def encode(
    mid: Literal[1900], revision: int = 1, check: bool = True, **given: Unpack[Given1900]
) -> bytes: ...
@overload
def encode(
    mid: Literal[1901], revision: int = 1, check: bool = True, **given: Unpack[Given1901]
) -> bytes: ...
@overload
def encode(
    mid: Literal[2100], revision: int = 1, check: bool = True, **given: Unpack[Given2100]
) -> bytes: ...
@overload
def encode(
    mid: Literal[2500], revision: int = 1, check: bool = True, **given: Unpack[Given2500]
) -> bytes: ...
@overload
def encode(
    mid: Literal[2501], revision: int = 1, check: bool = True, **given: Unpack[Given2501]
) -> bytes: ...
@overload
def encode(
    mid: Literal[2502], revision: int = 1, check: bool = True, **given: Unpack[Given2502]
) -> bytes: ...
@overload
def encode(
    mid: Literal[2503], revision: int = 1, check: bool = True, **given: Unpack[Given2503]
) -> bytes: ...
@overload
def encode(
    mid: Literal[2504], revision: int = 1, check: bool = True, **given: Unpack[Given2504]
) -> bytes: ...
@overload
def encode(
    mid: Literal[2505], revision: int = 1, check: bool = True, **given: Unpack[Given2505]
) -> bytes: ...
@overload
def encode(
    mid: Literal[2506], revision: int = 1, check: bool = True, **given: Unpack[Given2506]
) -> bytes: ...
@overload
def encode(
    mid: Literal[2600], revision: int = 1, check: bool = True, **given: Unpack[Given2600]
) -> bytes: ...
@overload
def encode(
    mid: Literal[2601], revision: int = 1, check: bool = True, **given: Unpack[Given2601]
) -> bytes: ...
@overload
def encode(
    mid: Literal[2602], revision: int = 1, check: bool = True, **given: Unpack[Given2602]
) -> bytes: ...
@overload
def encode(
    mid: Literal[2603], revision: int = 1, check: bool = True, **given: Unpack[Given2603]
) -> bytes: ...
@overload
def encode(
    mid: Literal[2604], revision: int = 1, check: bool = True, **given: Unpack[Given2604]
) -> bytes: ...
@overload
def encode(
    mid: Literal[2605], revision: int = 1, check: bool = True, **given: Unpack[Given2605]
) -> bytes: ...
@overload
def encode(
    mid: Literal[2606], revision: int = 1, check: bool = True, **given: Unpack[Given2606]
) -> bytes: ...
@overload
def encode(
    mid: Literal[8000], revision: int = 1, check: bool = True, **given: Unpack[Given8000]
) -> bytes: ...
@overload
def encode(
    mid: Literal[8001], revision: int = 1, check: bool = True, **given: Unpack[Given8001]
) -> bytes: ...
@overload
def encode(
    mid: Literal[8002], revision: int = 1, check: bool = True, **given: Unpack[Given8002]
) -> bytes: ...
@overload
def encode(
    mid: Literal[8003], revision: int = 1, check: bool = True, **given: Unpack[Given8003]
) -> bytes: ...
@overload
def encode(
    mid: Literal[9997], revision: int = 1, check: bool = True, **given: Unpack[Given9997]
) -> bytes: ...
@overload
def encode(
    mid: Literal[9998], revision: int = 1, check: bool = True, **given: Unpack[Given9998]
) -> bytes: ...
@overload
def encode(
    mid: Literal[9999], revision: int = 1, check: bool = True, **given: Unpack[Given9999]
) -> bytes: ...
@overload
def encode(mid: Message, *, check: bool = True, **given: Any) -> bytes: ...
