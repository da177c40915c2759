//! National numbering plans, found by the SIM's mobile country code (ITU-T E.212).
//!
//! Data only. Why a small table and not a full numbering library: `docs/adr/0004-numbers.md`.

/// How a country writes numbers: its code and the prefixes that are dialled before the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbering {
    /// Country calling code of E.164, for example `358`.
    pub country_code: &'static str,
    /// What is dialled before a foreign number, for example `00`.
    pub international_prefix: &'static str,
    /// What is dialled before a national number, for example `0`; empty where there is none.
    pub trunk_prefix: &'static str,
    /// True where national numbers are also written without the trunk prefix.
    pub trunk_optional: bool,
    /// Digits of the shortest subscriber number, without trunk prefix.
    pub shortest_national: usize,
}

/// For a SIM of a country that is not in the table, or no SIM: international numbers alone are read.
static UNKNOWN: Numbering = Numbering {
    country_code: "",
    international_prefix: "00",
    trunk_prefix: "0",
    trunk_optional: false,
    shortest_national: 99,
};

const fn plan(
    country_code: &'static str,
    international_prefix: &'static str,
    trunk_prefix: &'static str,
    trunk_optional: bool,
    shortest_national: usize,
) -> Numbering {
    Numbering { country_code, international_prefix, trunk_prefix, trunk_optional, shortest_national }
}

/// Mobile country codes and plans. Sources: ITU-T E.212 annex, ITU-T E.164 list of country codes,
/// national numbering plans as notified to the ITU.
static PLANS: &[(&[u16], Numbering)] = &[
    (&[202], plan("30", "00", "", false, 10)),
    (&[204], plan("31", "00", "0", false, 9)),
    (&[206], plan("32", "00", "0", false, 8)),
    (&[208], plan("33", "00", "0", false, 9)),
    (&[214], plan("34", "00", "", false, 9)),
    (&[216], plan("36", "00", "06", false, 8)),
    // Italy keeps the leading 0 as a part of the number.
    (&[222], plan("39", "00", "", false, 6)),
    (&[226], plan("40", "00", "0", false, 9)),
    (&[228], plan("41", "00", "0", false, 9)),
    (&[230], plan("420", "00", "", false, 9)),
    (&[231], plan("421", "00", "0", false, 9)),
    (&[232], plan("43", "00", "0", false, 7)),
    (&[234, 235], plan("44", "00", "0", false, 9)),
    (&[238], plan("45", "00", "", false, 8)),
    (&[240], plan("46", "00", "0", false, 7)),
    (&[242], plan("47", "00", "", false, 8)),
    (&[244], plan("358", "00", "0", false, 5)),
    (&[246], plan("370", "00", "0", false, 8)),
    (&[247], plan("371", "00", "", false, 8)),
    (&[248], plan("372", "00", "", false, 7)),
    (&[260], plan("48", "00", "", false, 9)),
    (&[262], plan("49", "00", "0", false, 6)),
    (&[268], plan("351", "00", "", false, 9)),
    (&[272], plan("353", "00", "0", false, 7)),
    (&[274], plan("354", "00", "", false, 7)),
    (&[302, 310, 311, 312, 313, 314, 315, 316], plan("1", "011", "1", true, 10)),
    (&[440, 441], plan("81", "010", "0", false, 9)),
    (&[450], plan("82", "00", "0", false, 8)),
    (&[454], plan("852", "001", "", false, 8)),
    (&[460], plan("86", "00", "0", true, 10)),
    (&[466], plan("886", "002", "0", false, 8)),
    (&[505], plan("61", "0011", "0", false, 9)),
    (&[525], plan("65", "00", "", false, 8)),
    (&[530], plan("64", "00", "0", false, 8)),
];

/// The plan of the SIM's home country; the first three digits of an IMSI are the mobile country code
/// (3GPP TS 23.003, clause 2.2). An unknown or malformed IMSI gets a plan that reads `+` and `00` alone.
pub fn numbering_of_imsi(imsi: &str) -> &'static Numbering {
    let code = imsi.get(..3).and_then(|mcc| mcc.parse::<u16>().ok());
    PLANS
        .iter()
        .find(|(codes, _)| code.is_some_and(|code| codes.contains(&code)))
        .map_or(&UNKNOWN, |(_, plan)| plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mobile_country_code_stands_twice() {
        let mut all: Vec<u16> = PLANS.iter().flat_map(|(codes, _)| codes.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn a_broken_imsi_gets_the_unknown_plan() {
        for imsi in ["", "24", "abc", "é44", "+44123"] {
            assert_eq!(numbering_of_imsi(imsi), &UNKNOWN, "{imsi}");
        }
    }
}
