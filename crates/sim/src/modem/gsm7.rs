//! The GSM 7 bit default alphabet and its packing (3GPP TS 23.038, 6.1.2.1 and 6.2.1).

const ALPHABET: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const ESCAPE: u8 = 0x1b;
const EXTENSION: [(char, u8); 10] = [
    ('\u{c}', 0x0a),
    ('^', 0x14),
    ('{', 0x28),
    ('}', 0x29),
    ('\\', 0x2f),
    ('[', 0x3c),
    ('~', 0x3d),
    (']', 0x3e),
    ('|', 0x40),
    ('€', 0x65),
];

/// The one or two septets of a character; none when the alphabet does not have it.
pub(crate) fn septets(c: char) -> Option<Vec<u8>> {
    if let Some((_, code)) = EXTENSION.iter().find(|(extended, _)| *extended == c) {
        return Some(vec![ESCAPE, *code]);
    }
    let code = ALPHABET.chars().position(|known| known == c && c != '\u{1b}')?;
    u8::try_from(code).ok().map(|code| vec![code])
}

/// The text of septets; what the alphabet does not have becomes a space.
pub(crate) fn text(septets: &[u8]) -> String {
    let mut text = String::new();
    let mut escaped = false;
    for code in septets {
        if *code == ESCAPE && !escaped {
            escaped = true;
            continue;
        }
        let extended = EXTENSION.iter().find(|(_, known)| escaped && known == code).map(|(c, _)| *c);
        let plain = ALPHABET.chars().nth(usize::from(*code)).filter(|c| *c != '\u{1b}');
        text.push(extended.or(plain).unwrap_or(' '));
        escaped = false;
    }
    text
}

/// Septets into octets, least significant bit first, after `fill` bits of zero.
pub(crate) fn pack(septets: &[u8], fill: u32) -> Vec<u8> {
    let mut octets = Vec::with_capacity(septets.len());
    let (mut held, mut bits) = (0_u32, fill);
    for septet in septets {
        held |= u32::from(septet & 0x7f) << bits;
        bits += 7;
        while bits >= 8 {
            octets.push((held & 0xff) as u8);
            held >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        octets.push((held & 0xff) as u8);
    }
    octets
}

/// Up to `count` septets out of octets, after `fill` bits.
pub(crate) fn unpack(octets: &[u8], fill: u32, count: usize) -> Vec<u8> {
    let mut septets = Vec::with_capacity(count.min(octets.len() * 8 / 7));
    let (mut held, mut bits, mut skip) = (0_u32, 0_u32, fill);
    for octet in octets {
        held |= u32::from(*octet) << bits;
        bits += 8;
        let skipped = skip.min(bits);
        held >>= skipped;
        bits -= skipped;
        skip -= skipped;
        while bits >= 7 && septets.len() < count {
            septets.push((held & 0x7f) as u8);
            held >>= 7;
            bits -= 7;
        }
        if septets.len() == count {
            break;
        }
    }
    septets
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_alphabet_has_128_places() {
        assert_eq!(ALPHABET.chars().count(), 128);
        assert_eq!(septets('@'), Some(vec![0]));
        assert_eq!(septets('à'), Some(vec![127]));
        assert_eq!(septets('€'), Some(vec![0x1b, 0x65]));
        assert_eq!(septets('ж'), None);
    }

    #[test]
    fn hellohello_packs_as_in_every_textbook() {
        let septets: Vec<u8> = "hellohello".chars().filter_map(septets).flatten().collect();
        assert_eq!(pack(&septets, 0), [0xe8, 0x32, 0x9b, 0xfd, 0x46, 0x97, 0xd9, 0xec, 0x37]);
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(septets in prop::collection::vec(0_u8..128, 0..160), fill in 0_u32..7) {
            prop_assert_eq!(unpack(&pack(&septets, fill), fill, septets.len()), septets);
        }

        #[test]
        fn no_septets_panic(octets: Vec<u8>, fill in 0_u32..8, count in 0_usize..300) {
            let _ = text(&unpack(&octets, fill, count));
            let _ = text(&octets);
        }
    }
}
