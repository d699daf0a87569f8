# SPDX-License-Identifier: Apache-2.0
"""Verifies BLS signatures on BLS12-381 whose signatures are in G1 and whose keys are in G2, in Python's standard library alone.

Signatures as in draft-irtf-cfrg-bls-signature-05; hashing to the curve as in RFC 9380; the curve, its pairing and the bytes of a point as
in draft-irtf-cfrg-pairing-friendly-curves-11. Written to be read beside those texts: affine points, plain exponents, and nothing in
constant time, since all that a verifier sees is public. It signs nothing.
"""
import hashlib
from typing import NamedTuple

# pairing-friendly-curves 4.2.1: the curve follows from this number. It is negative, and few of its bits are set.
X = -0xD201000000010000
R = X**4 - X**2 + 1  # the order of the subgroups
P = (X - 1) ** 2 * R // 3 + X  # the size of the field


class Invalid(ValueError):
    """Bytes that are no point of the subgroup, or a signature that is not the key's; the text says why."""


# --- the fields ---


def power(base, exponent, one):
    """By squaring, from the exponent's highest bit on."""
    result = one
    for bit in f"{exponent:b}":
        result *= result
        if bit == "1":
            result *= base
    return result


class Fp:
    """The integers modulo P."""

    __slots__ = ("n",)

    def __init__(self, n):
        self.n = n % P

    def __eq__(self, other):
        return self.n == other.n

    def __add__(self, other):
        return Fp(self.n + other.n)

    def __sub__(self, other):
        return Fp(self.n - other.n)

    def __neg__(self):
        return Fp(-self.n)

    def __mul__(self, other):
        return Fp(self.n * other.n)

    def times(self, n):
        return Fp(self.n * n)

    def is_zero(self):
        return self.n == 0

    def inverse(self):
        return Fp(pow(self.n, -1, P))

    def sqrt(self):
        """A root, or None: RFC 9380 appendix I.1, as P = 3 modulo 4."""
        root = Fp(pow(self.n, (P + 1) // 4, P))
        return root if root * root == self else None

    def is_odd(self):
        """sgn0 of RFC 9380 4.1."""
        return self.n % 2 == 1

    def is_larger(self):
        """Than its negative."""
        return self.n > P // 2


class Fp2:
    """a + b u, where u^2 = -1 and a and b are integers modulo P."""

    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a, self.b = a % P, b % P

    def __eq__(self, other):
        return self.a == other.a and self.b == other.b

    def __add__(self, other):
        return Fp2(self.a + other.a, self.b + other.b)

    def __sub__(self, other):
        return Fp2(self.a - other.a, self.b - other.b)

    def __neg__(self):
        return Fp2(-self.a, -self.b)

    def __mul__(self, other):
        return Fp2(self.a * other.a - self.b * other.b, self.a * other.b + self.b * other.a)

    def __pow__(self, exponent):
        return power(self, exponent, Fp2(1, 0))

    def times(self, n):
        return Fp2(self.a * n, self.b * n)

    def is_zero(self):
        return self.a == 0 and self.b == 0

    def conjugate(self):
        """Also the P-th power, as u^P = -u."""
        return Fp2(self.a, -self.b)

    def inverse(self):
        return self.conjugate().times(pow(self.a * self.a + self.b * self.b, -1, P))

    def sqrt(self):
        """A root, or None: Adj and Rodríguez-Henríquez, eprint 2012/685, algorithm 9, as P = 3 modulo 4."""
        start = self ** ((P - 3) // 4)
        root, alpha = start * self, start * start * self
        if alpha == Fp2(-1, 0):
            root *= Fp2(0, 1)
        else:
            root *= (alpha + Fp2(1, 0)) ** ((P - 1) // 2)
        return root if root * root == self else None

    def is_larger(self):
        """Than its negative: b decides before a."""
        return (self.b or self.a) > P // 2


XI = Fp2(1, 1)
XI_ROOT = XI ** ((P - 1) // 6)  # w^(P - 1), for the w of Fp12


class Fp12:
    """The sum of c[i] w^i, where w^6 = XI and the six c[i] are of Fp2."""

    __slots__ = ("c",)

    def __init__(self, c):
        self.c = c

    def __eq__(self, other):
        return self.c == other.c

    def __mul__(self, other):
        sums = [Fp2(0, 0)] * 12
        for i, left in enumerate(self.c):
            for j, right in enumerate(other.c):
                sums[i + j] += left * right
        return Fp12([low + high * XI for low, high in zip(sums[:6], sums[6:])])

    def __pow__(self, exponent):
        return power(self, exponent, ONE)

    def frobenius(self):
        """The P-th power: (c w^i)^P is the conjugate of c, times w^(i (P - 1)), times w^i."""
        return Fp12([c.conjugate() * XI_ROOT**i for i, c in enumerate(self.c)])

    def conjugate(self):
        """The P^6-th power, as w^(P^6) = -w. For a value of the pairing this is the inverse."""
        return Fp12([-c if i % 2 else c for i, c in enumerate(self.c)])

    def inverse(self):
        """By the norm to Fp2: the product of this and of its P^2-th, P^4-th … P^10-th powers."""
        others, image = ONE, self
        for _ in range(5):
            image = image.frobenius().frobenius()
            others *= image
        norm = (self * others).c[0].inverse()
        return Fp12([c * norm for c in others.c])


ONE = Fp12([Fp2(1, 0)] + [Fp2(0, 0)] * 5)

# --- the curves: y^2 = x^3 + 4 over Fp, and y^2 = x^3 + 4 XI over Fp2 ---


class Point(NamedTuple):
    """A point of either curve; both coordinates are of the curve's field. The point at infinity is None."""

    x: object
    y: object


# pairing-friendly-curves 4.2.1.
G1 = Point(
    Fp(0x17F1D3A73197D7942695638C4FA9AC0FC3688C4F9774B905A14E3A3F171BAC586C55E83FF97A1AEFFB3AF00ADB22C6BB),
    Fp(0x08B3F481E3AAA0F1A09E30ED741D8AE4FCF5E095D5D00AF600DB18CB2C04B3EDD03CC744A2888AE40CAA232946C5E7E1),
)
G2 = Point(
    Fp2(
        0x024AA2B2F08F0A91260805272DC51051C6E47AD4FA403B02B4510B647AE3D1770BAC0326A805BBEFD48056C8C121BDB8,
        0x13E02B6052719F607DACD3A088274F65596BD0D09920B61AB5DA61BBDC7F5049334CF11213945D57E5AC7D055D042B7E,
    ),
    Fp2(
        0x0CE5D527727D6E118CC9CDC6DA2E351AADFD9BAA8CBDD3A76D429A695160D12C923AC9CC3BACA289E193548608B82801,
        0x0606C4A02EA734CC32ACD2B02BC28B99CB3E287E85A763AF267492AB572E99AB3F370D275CEC1DA1AAA9075FF05F79BE,
    ),
)


def negate(p):
    return p and Point(p.x, -p.y)


def slope(p, q):
    """Of the line through two points, or of the tangent if they are one; None if it is vertical."""
    if p.x != q.x:
        return (q.y - p.y) * (q.x - p.x).inverse()
    if p.y != q.y or p.y.is_zero():
        return None
    return (p.x * p.x).times(3) * p.y.times(2).inverse()


def add(p, q):
    if p is None or q is None:
        return p or q
    m = slope(p, q)
    if m is None:
        return None
    x = m * m - p.x - q.x
    return Point(x, m * (p.x - x) - p.y)


def multiply(n, p):
    """By doubling, from the highest bit of n >= 0 on."""
    result = None
    for bit in f"{n:b}":
        result = add(result, result)
        if bit == "1":
            result = add(result, p)
    return result


def in_subgroup(p):
    """subgroup_check of bls-signature: of a point of the curve, whether R times it is the point at infinity."""
    return multiply(R, p) is None


# --- points as bytes: pairing-friendly-curves appendix C, the compressed form ---

COMPRESSED, INFINITY, LARGER = 0x80, 0x40, 0x20  # flags in the first byte
FIELD_SIZE = 48


def numbers(data, count):
    """The flags, and so many numbers below P."""
    if len(data) != count * FIELD_SIZE:
        raise Invalid(f"a compressed point has {count * FIELD_SIZE} bytes, not {len(data)}")
    flags = data[0] & (COMPRESSED | INFINITY | LARGER)
    if not flags & COMPRESSED:
        raise Invalid("the point is not marked as compressed")
    data = bytes([data[0] ^ flags]) + data[1:]
    found = [int.from_bytes(data[i : i + FIELD_SIZE], "big") for i in range(0, len(data), FIELD_SIZE)]
    if any(n >= P for n in found):
        raise Invalid("a coordinate is not below the field's size")
    return flags, found


def point(flags, x, b):
    """The point of y^2 = x^3 + b that the flags choose, if it is in the subgroup."""
    if flags & INFINITY:
        if flags & LARGER or not x.is_zero():
            raise Invalid("the point at infinity is marked so, but has other bits")
        return None
    y = (x * x * x + b).sqrt()
    if y is None:
        raise Invalid("no point of the curve has this x")
    p = Point(x, y if y.is_larger() == bool(flags & LARGER) else -y)
    if not in_subgroup(p):
        raise Invalid("the point is not in the subgroup")
    return p


def decode_g1(data):
    """A point of G1, None if it is the one at infinity; raises Invalid for all other bytes."""
    flags, (x,) = numbers(data, 1)
    return point(flags, Fp(x), Fp(4))


def decode_g2(data):
    """The same for G2, where the number with u stands first."""
    flags, (b, a) = numbers(data, 2)
    return point(flags, Fp2(a, b), XI.times(4))


def encode_g1(p):
    if p is None:
        return bytes([COMPRESSED | INFINITY]) + bytes(FIELD_SIZE - 1)
    data = p.x.n.to_bytes(FIELD_SIZE, "big")
    return bytes([data[0] | COMPRESSED | (LARGER if p.y.is_larger() else 0)]) + data[1:]


# --- hashing to G1: RFC 9380, suite BLS12381G1_XMD:SHA-256_SSWU_RO_ of section 8.8.1 ---

# 8.8.1: the curve y^2 = x^3 + A x + B that is mapped to, which is isogenous to that of G1.
A = Fp(0x00144698A3B8E9433D693A02C96D4982B0EA985383EE66A8D8E8981AEFD881AC98936F8DA0E0F97F5CF428082D584C1D)
B = Fp(0x12E2908D11688030018B12E8753EEE3B2016C1F0F24F4070A0B9C14FCEF35EF55A23215A316CEAA5D1CC48E98E172BE0)
Z = Fp(11)
H_EFF = 1 - X  # the effective cofactor

# Appendix E.2: the isogeny's polynomials; the lowest coefficient stands first.
X_NUMERATOR = (
    0x11A05F2B1E833340B809101DD99815856B303E88A2D7005FF2627B56CDB4E2C85610C2D5F2E62D6EAEAC1662734649B7,
    0x17294ED3E943AB2F0588BAB22147A81C7C17E75B2F6A8417F565E33C70D1E86B4838F2A6F318C356E834EEF1B3CB83BB,
    0x0D54005DB97678EC1D1048C5D10A9A1BCE032473295983E56878E501EC68E25C958C3E3D2A09729FE0179F9DAC9EDCB0,
    0x1778E7166FCC6DB74E0609D307E55412D7F5E4656A8DBF25F1B33289F1B330835336E25CE3107193C5B388641D9B6861,
    0x0E99726A3199F4436642B4B3E4118E5499DB995A1257FB3F086EEB65982FAC18985A286F301E77C451154CE9AC8895D9,
    0x1630C3250D7313FF01D1201BF7A74AB5DB3CB17DD952799B9ED3AB9097E68F90A0870D2DCAE73D19CD13C1C66F652983,
    0x0D6ED6553FE44D296A3726C38AE652BFB11586264F0F8CE19008E218F9C86B2A8DA25128C1052ECADDD7F225A139ED84,
    0x17B81E7701ABDBE2E8743884D1117E53356DE5AB275B4DB1A682C62EF0F2753339B7C8F8C8F475AF9CCB5618E3F0C88E,
    0x080D3CF1F9A78FC47B90B33563BE990DC43B756CE79F5574A2C596C928C5D1DE4FA295F296B74E956D71986A8497E317,
    0x169B1F8E1BCFA7C42E0C37515D138F22DD2ECB803A0C5C99676314BAF4BB1B7FA3190B2EDC0327797F241067BE390C9E,
    0x10321DA079CE07E272D8EC09D2565B0DFA7DCCDDE6787F96D50AF36003B14866F69B771F8C285DECCA67DF3F1605FB7B,
    0x06E08C248E260E70BD1E962381EDEE3D31D79D7E22C837BC23C0BF1BC24C6B68C24B1B80B64D391FA9C8BA2E8BA2D229,
)
X_DENOMINATOR = (
    0x08CA8D548CFF19AE18B2E62F4BD3FA6F01D5EF4BA35B48BA9C9588617FC8AC62B558D681BE343DF8993CF9FA40D21B1C,
    0x12561A5DEB559C4348B4711298E536367041E8CA0CF0800C0126C2588C48BF5713DAA8846CB026E9E5C8276EC82B3BFF,
    0x0B2962FE57A3225E8137E629BFF2991F6F89416F5A718CD1FCA64E00B11ACEACD6A3D0967C94FEDCFCC239BA5CB83E19,
    0x03425581A58AE2FEC83AAFEF7C40EB545B08243F16B1655154CCA8ABC28D6FD04976D5243EECF5C4130DE8938DC62CD8,
    0x13A8E162022914A80A6F1D5F43E7A07DFFDFC759A12062BB8D6B44E833B306DA9BD29BA81F35781D539D395B3532A21E,
    0x0E7355F8E4E667B955390F7F0506C6E9395735E9CE9CAD4D0A43BCEF24B8982F7400D24BC4228F11C02DF9A29F6304A5,
    0x0772CAACF16936190F3E0C63E0596721570F5799AF53A1894E2E073062AEDE9CEA73B3538F0DE06CEC2574496EE84A3A,
    0x14A7AC2A9D64A8B230B3F5B074CF01996E7F63C21BCA68A81996E1CDF9822C580FA5B9489D11E2D311F7D99BBDCC5A5E,
    0x0A10ECF6ADA54F825E920B3DAFC7A3CCE07F8D1D7161366B74100DA67F39883503826692ABBA43704776EC3A79A1D641,
    0x095FC13AB9E92AD4476D6E3EB3A56680F682B4EE96F7D03776DF533978F31C1593174E4B4B7865002D6384D168ECDD0A,
    1,
)
Y_NUMERATOR = (
    0x090D97C81BA24EE0259D1F094980DCFA11AD138E48A869522B52AF6C956543D3CD0C7AEE9B3BA3C2BE9845719707BB33,
    0x134996A104EE5811D51036D776FB46831223E96C254F383D0F906343EB67AD34D6C56711962FA8BFE097E75A2E41C696,
    0x00CC786BAA966E66F4A384C86A3B49942552E2D658A31CE2C344BE4B91400DA7D26D521628B00523B8DFE240C72DE1F6,
    0x01F86376E8981C217898751AD8746757D42AA7B90EEB791C09E4A3EC03251CF9DE405ABA9EC61DECA6355C77B0E5F4CB,
    0x08CC03FDEFE0FF135CAF4FE2A21529C4195536FBE3CE50B879833FD221351ADC2EE7F8DC099040A841B6DAECF2E8FEDB,
    0x16603FCA40634B6A2211E11DB8F0A6A074A7D0D4AFADB7BD76505C3D3AD5544E203F6326C95A807299B23AB13633A5F0,
    0x04AB0B9BCFAC1BBCB2C977D027796B3CE75BB8CA2BE184CB5231413C4D634F3747A87AC2460F415EC961F8855FE9D6F2,
    0x0987C8D5333AB86FDE9926BD2CA6C674170A05BFE3BDD81FFD038DA6C26C842642F64550FEDFE935A15E4CA31870FB29,
    0x09FC4018BD96684BE88C9E221E4DA1BB8F3ABD16679DC26C1E8B6E6A1F20CABE69D65201C78607A360370E577BDBA587,
    0x0E1BBA7A1186BDB5223ABDE7ADA14A23C42A0CA7915AF6FE06985E7ED1E4D43B9B3F7055DD4EBA6F2BAFAAEBCA731C30,
    0x19713E47937CD1BE0DFD0B8F1D43FB93CD2FCBCB6CAF493FD1183E416389E61031BF3A5CCE3FBAFCE813711AD011C132,
    0x18B46A908F36F6DEB918C143FED2EDCC523559B8AAF0C2462E6BFE7F911F643249D9CDF41B44D606CE07C8A4D0074D8E,
    0x0B182CAC101B9399D155096004F53F447AA7B12A3426B08EC02710E807B4633F06C851C1919211F20D4C04F00B971EF8,
    0x0245A394AD1ECA9B72FC00AE7BE315DC757B3B080D4C158013E6632D3C40659CC6CF90AD1C232A6442D9D3F5DB980133,
    0x05C129645E44CF1102A159F748C4A3FC5E673D81D7E86568D9AB0F5D396A7CE46BA1049B6579AFB7866B1E715475224B,
    0x15E6BE4E990F03CE4EA50B3B42DF2EB5CB181D8F84965A3957ADD4FA95AF01B2B665027EFEC01C7704B456BE69C8B604,
)
Y_DENOMINATOR = (
    0x16112C4C3A9C98B252181140FAD0EAE9601A6DE578980BE6EEC3232B5BE72E7A07F3688EF60C206D01479253B03663C1,
    0x1962D75C2381201E1A0CBD6C43C348B885C84FF731C4D59CA4A10356F453E01F78A4260763529E3532F6102C2E49A03D,
    0x058DF3306640DA276FAAAE7D6E8EB15778C4855551AE7F310C35A5DD279CD2ECA6757CD636F96F891E2538B53DBF67F2,
    0x16B7D288798E5395F20D23BF89EDB4D1D115C5DBDDBCD30E123DA489E726AF41727364F2C28297ADA8D26D98445F5416,
    0x0BE0E079545F43E4B00CC912F8228DDCC6D19C9F0F69BBB0542EDA0FC9DEC916A20B15DC0FD2EDEDDA39142311A5001D,
    0x08D9E5297186DB2D9FB266EAAC783182B70152C65550D881C5ECD87B6F0F5A6449F38DB9DFA9CCE202C6477FAAF9B7AC,
    0x166007C08A99DB2FC3BA8734ACE9824B5EECFDFA8D0CF8EF5DD365BC400A0051D5FA9C01A58B1FB93D1A1399126A775C,
    0x16A3EF08BE3EA7EA03BCDDFABBA6FF6EE5A4375EFA1F4FD7FEB34FD206357132B920F5B00801DEE460EE415A15812ED9,
    0x1866C8ED336C61231A1BE54FD1D74CC4F9FB0CE4C6AF5920ABC5750C4BF39B4852CFE2F7BB9248836B233D9D55535D4A,
    0x167A55CDA70A6E1CEA820597D94A84903216F763E13D87BB5308592E7EA7D4FBC7385EA3D529B35E346EF48BB8913F55,
    0x04D2F259EEA405BD48F010A01AD2911D9C6DD039BB61A6290E591B36E636A5C871A5C29F4F83060400F8B49CBA8F6AA8,
    0x0ACCBB67481D033FF5852C1E48C50C477F94FF8AEFCE42D28C0F9A88CEA7913516F968986F7EBBEA9684B529E2561092,
    0x0AD6B9514C767FE3C3613144B45F1496543346D98ADF02267D5CEEF9A00D9B8693000763E3B90AC11E99B138573345CC,
    0x02660400EB2E4F3B628BDD0D53CD76F2BF565B94E72927C1CB748DF27942480E420517BD8714CC80D1FADC1326ED06F7,
    0x0E0FA1D816DDC03E6B24255E0D7819C171C40F65E273B853324EFCD6356CAA205CA2F570F13497804415473A1D634B8F,
    1,
)


def expand_message(message, dst, size):
    """expand_message_xmd of RFC 9380 5.3.1 with SHA-256."""
    if len(dst) > 255:
        raise ValueError("a domain separation tag has at most 255 bytes")
    dst += bytes([len(dst)])
    first = hashlib.sha256(bytes(64) + message + size.to_bytes(2, "big") + b"\0" + dst).digest()
    block, blocks = bytes(32), b""
    for i in range(1, (size + 31) // 32 + 1):
        mixed = bytes(x ^ y for x, y in zip(first, block))
        block = hashlib.sha256(mixed + bytes([i]) + dst).digest()
        blocks += block
    return blocks[:size]


def hash_to_field(message, dst):
    """RFC 9380 5.2: two elements, from 64 bytes each."""
    data = expand_message(message, dst, 128)
    return [Fp(int.from_bytes(data[i : i + 64], "big")) for i in (0, 64)]


def map_to_isogenous(u):
    """The simplified SWU map of RFC 9380 6.6.2."""
    zu2 = Z * u * u
    divisor = zu2 * zu2 + zu2
    if divisor.is_zero():
        x = B * (Z * A).inverse()
    else:
        x = -B * A.inverse() * (Fp(1) + divisor.inverse())
    y = (x * x * x + A * x + B).sqrt()
    if y is None:
        x = zu2 * x
        y = (x * x * x + A * x + B).sqrt()
    return Point(x, y if y.is_odd() == u.is_odd() else -y)


def evaluate(coefficients, x):
    result = Fp(0)
    for k in reversed(coefficients):
        result = result * x + Fp(k)
    return result


def isogeny(p):
    """To the curve of G1: RFC 9380 6.6.3 and appendix E.2. Where a denominator is 0, to the point at infinity."""
    x_below, y_below = evaluate(X_DENOMINATOR, p.x), evaluate(Y_DENOMINATOR, p.x)
    if x_below.is_zero() or y_below.is_zero():
        return None
    x = evaluate(X_NUMERATOR, p.x) * x_below.inverse()
    return Point(x, p.y * evaluate(Y_NUMERATOR, p.x) * y_below.inverse())


def hash_to_g1(message, dst):
    """hash_to_curve of RFC 9380 3."""
    u0, u1 = hash_to_field(message, dst)
    return multiply(H_EFF, add(isogeny(map_to_isogenous(u0)), isogeny(map_to_isogenous(u1))))


# --- the pairing: optimal ate, pairing-friendly-curves appendix A ---


def line(m, t, p):
    """At p, of G1, the line with slope m through t on the curve over Fp2.

    (x, y) there is (x / w^2, y / w^3) on the curve of p. The line's value is taken times w^3, which final_power makes 1.
    """
    zero = Fp2(0, 0)
    return Fp12([m * t.x - t.y, zero, m.times(-p.x.n), Fp2(p.y.n, 0), zero, zero])


def miller(p, q):
    """The pairing before its last power. As the points have the order R, which is above |X|, no line here is vertical."""
    if p is None or q is None:
        return ONE
    f, t = ONE, q
    for bit in f"{-X:b}"[1:]:
        f = f * f * line(slope(t, t), t, p)
        t = add(t, t)
        if bit == "1":
            f *= line(slope(t, q), t, p)
            t = add(t, q)
    return f.conjugate()  # an inverse, as X is negative


def final_power(f):
    """To (P^12 - 1) / R = (P^6 - 1) (P^2 + 1) ((P^4 - P^2 + 1) / R)."""
    f = f.conjugate() * f.inverse()
    f *= f.frobenius().frobenius()
    return f ** ((P**4 - P**2 + 1) // R)


def pairing(p, q):
    """e(p, q); p must be of G1 and q of G2."""
    return final_power(miller(p, q))


# --- signatures ---


def verify(public_key, message, signature, dst):
    """Raises Invalid unless the signature is the key's over the message: bls-signature 2.7, the key checked as in 2.5."""
    key, s = decode_g2(public_key), decode_g1(signature)
    if key is None:
        raise Invalid("the public key is the point at infinity")
    if s is None:
        raise Invalid("the signature is the point at infinity")
    h = hash_to_g1(message, dst)
    # e(s, G2) = e(h, key), with one last power for both sides.
    if final_power(miller(s, negate(G2)) * miller(h, key)) != ONE:
        raise Invalid("the signature is not the key's over this message")
