//! The SIM card: the few files ModemManager reads with `+CRSM` (3GPP TS 31.102; TS 27.007, 8.18).

use serde::{Deserialize, Serialize};

use super::pdu::{bcd, hex};

/// What is written on a SIM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimCard {
    /// 15 digits; the first five are country and network.
    pub imsi: String,
    /// 20 digits at most.
    pub iccid: String,
    /// EF_MSISDN, as `+CNUM` tells it.
    pub own_number: String,
    /// EF_SPN
    pub provider: String,
    /// EF_ECC: at most five numbers of at most six digits.
    pub emergency_numbers: Vec<String>,
}

impl Default for SimCard {
    fn default() -> Self {
        Self {
            imsi: "244990000000042".into(),
            iccid: "8984352089000000420".into(),
            own_number: "+358401111111".into(),
            provider: "WatchSIM".into(),
            emergency_numbers: vec!["112".into(), "911".into()],
        }
    }
}

impl SimCard {
    /// The card of subscriber `number`, for several watches at once.
    pub fn numbered(number: u8) -> Self {
        Self {
            imsi: format!("2449900000001{number:02}", number = number % 100),
            iccid: format!("89843520890000010{number:02}", number = number % 100),
            own_number: format!("+3584011111{number:02}", number = number % 100),
            ..Self::default()
        }
    }
}

const READ_BINARY: &str = "176";
const EF_ICCID: &str = "12258";
const EF_AD: &str = "28589";
const EF_SPN: &str = "28486";
const EF_ECC: &str = "28599";

impl SimCard {
    /// Country and network, the first five digits of the IMSI.
    pub(crate) fn plmn(&self) -> &str {
        self.imsi.get(..5).unwrap_or(&self.imsi)
    }

    /// The answer to `+CRSM`; SW 6A82 (106,130) says there is no such file.
    pub(crate) fn access(&self, values: &[&str]) -> String {
        let file = match values {
            [READ_BINARY, file, ..] => *file,
            _ => "",
        };
        let octets = match file {
            EF_ICCID => digits(&self.iccid, 10),
            // Normal operation, and a network code of two digits.
            EF_AD => vec![0, 0, 0, 2],
            EF_SPN => padded(std::iter::once(0).chain(self.provider.bytes().take(16)), 17),
            EF_ECC => padded(self.emergency_numbers.iter().flat_map(|number| digits(number, 3)), 15),
            _ => return "+CRSM: 106,130".into(),
        };
        format!("+CRSM: 144,0,\"{}\"", hex(&octets))
    }
}

fn digits(number: &str, octets: usize) -> Vec<u8> {
    let halves: Vec<u8> = number.bytes().filter_map(bcd).collect();
    let half = |at: usize| halves.get(at).copied().unwrap_or(0x0f);
    (0..octets).map(|at| (half(at * 2 + 1) << 4) | half(at * 2)).collect()
}

fn padded(octets: impl Iterator<Item = u8>, length: usize) -> Vec<u8> {
    octets.chain(std::iter::repeat(0xff)).take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_read_as_the_card_stores_them() {
        let card = SimCard::default();
        assert_eq!(card.access(&["176", "12258", "0", "0", "10"]), "+CRSM: 144,0,\"984853029800000024F0\"");
        assert_eq!(
            card.access(&["176", "28599", "0", "0", "15"]),
            "+CRSM: 144,0,\"11F2FF19F1FFFFFFFFFFFFFFFFFFFF\""
        );
        assert_eq!(card.access(&["176", "28478", "0", "0", "0"]), "+CRSM: 106,130");
        assert_eq!(card.access(&[]), "+CRSM: 106,130");
    }
}
