//! Arithmetic in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (0x11b), the field of AES and of Vault's shares.
//!
//! No tables and no branches on values: tables leak through the cache which secret bytes were looked up.

/// The sum, which is also the difference.
pub(super) const fn add(a: u8, b: u8) -> u8 {
    a ^ b
}

/// The product: eight rounds of shift and masked add, the same for all operands.
pub(super) const fn multiply(a: u8, b: u8) -> u8 {
    let mut product = 0;
    let mut shifted = a;
    let mut bit = 0;
    while bit < 8 {
        product ^= shifted & mask((b >> bit) & 1);
        let carry = mask(shifted >> 7);
        shifted = (shifted << 1) ^ (0x1b & carry);
        bit += 1;
    }
    product
}

/// The inverse of `a`, which is a^254; 0 for 0.
pub(super) const fn invert(a: u8) -> u8 {
    // 254 = 0b1111_1110: square seven times and collect every power but the first.
    let mut power = a;
    let mut inverse = 1;
    let mut round = 0;
    while round < 7 {
        power = multiply(power, power);
        inverse = multiply(inverse, power);
        round += 1;
    }
    inverse
}

/// All ones for 1, all zeros for 0. `black_box` keeps the compiler from making a branch of it.
const fn mask(bit: u8) -> u8 {
    std::hint::black_box(0_u8.wrapping_sub(bit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_products_and_inverses() {
        // FIPS 197, sections 4.2 and 4.2.1.
        assert_eq!(multiply(0x57, 0x83), 0xc1);
        assert_eq!(multiply(0x57, 0x13), 0xfe);
        assert_eq!(multiply(0x57, 0x02), 0xae);
        assert_eq!(invert(0x53), 0xca);
        assert_eq!(invert(0), 0);
    }

    #[test]
    fn it_is_a_field() {
        for a in 0..=255_u8 {
            assert_eq!(multiply(a, 1), a);
            assert_eq!(multiply(a, 0), 0);
            if a != 0 {
                assert_eq!(multiply(a, invert(a)), 1, "{a}");
            }
            for b in 0..=255_u8 {
                assert_eq!(multiply(a, b), multiply(b, a));
                let c = a.wrapping_mul(31) ^ b;
                assert_eq!(multiply(a, add(b, c)), add(multiply(a, b), multiply(a, c)));
            }
        }
    }
}
