//! The cell of the network, as ModemManager writes it.

use std::collections::HashMap;

use ipc::Cell;
use zbus::OwnedVariant;

/// `MM_MODEM_LOCATION_SOURCE_3GPP_LAC_CI`
const LAC_CI: u32 = 1;

/// No cell.
pub(super) fn none() -> Cell {
    Cell { known: false, network: String::new(), area: 0, cell: 0 }
}

/// Reads the answer to `GetLocation`.
pub(super) fn read(told: &HashMap<u32, OwnedVariant>) -> Cell {
    let text = told.get(&LAC_CI).and_then(|told| <&str>::try_from(told).ok());
    text.and_then(parse).unwrap_or_else(none)
}

/// `MCC,MNC,LAC,CI,TAC`, the last three in hexadecimal digits; what a network does not have is 0. FFFE is no area either
/// (3GPP TS 23.003, clauses 4.1 and 19.4.2.3).
fn parse(text: &str) -> Option<Cell> {
    let parts: Vec<&str> = text.splitn(6, ',').collect();
    let [country, network, location, cell, tracking] = parts.as_slice() else { return None };
    let code = |text: &str, digits: &[usize]| {
        digits.contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit())
    };
    if !code(country, &[3]) || !code(network, &[2, 3]) {
        return None;
    }
    let area = |text: &str| {
        u32::from_str_radix(text, 16).ok().filter(|area| *area != 0xfffe && (1..1 << 24).contains(area))
    };
    // 36 bits in 5G.
    let cell = u64::from_str_radix(cell, 16).ok().filter(|cell| (1..1 << 36).contains(cell))?;
    let area = area(tracking).or_else(|| area(location))?;
    Some(Cell { known: true, network: format!("{country}{network}"), area, cell })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cell_is_read_with_the_area_it_has() {
        let cell = |area| Cell { known: true, network: "24499".into(), area, cell: 0x1_e240 };
        assert_eq!(parse("244,99,0,1E240,C8"), Some(cell(0xc8)));
        assert_eq!(parse("244,99,C8,1E240,0"), Some(cell(0xc8)));
        assert_eq!(parse("244,99,C9,1E240,FFFE"), Some(cell(0xc9)));
        for text in [
            "",
            "244,99,0,1E240,0",
            "244,99,0,0,C8",
            "24,99,0,1E240,C8",
            "244,9,0,1E240,C8",
            "244,99,0,1E240,C8,7",
            "244,99,0,-1,C8",
            "244,99,0,1000000000,C8",
            "244,99,0,1E240,1000000",
            "abc,99,0,1E240,C8",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a26_no_words_of_a_modem_are_more_than_a_cell_or_none(text in "\\PC{0,100}|[0-9A-F,]{0,40}") {
            let cell = parse(&text);
            prop_assert!(cell.is_none_or(|cell| cell.known && cell.area < 1 << 24 && cell.cell < 1 << 36));
        }
    }
}
