//! Commands whose answer never changes: who the modem is and what it can do.
//!
//! The list is what ModemManager's generic plugin asks. `+GCAP` must name `+CGSM`, and `ATH` must be there,
//! or ModemManager exports no Voice.

use super::at::Ask;

/// The lines of the answer; an empty one is a bare OK. `None`: not one of these commands.
pub(super) fn answer(name: &str, ask: Ask<'_>) -> Option<&'static [&'static str]> {
    match ask {
        Ask::Run => run(name),
        Ask::Test => test(name),
        Ask::Read => read(name),
        Ask::Set(_) => set(name),
    }
}

fn run(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "+GCAP" => &["+GCAP: +CGSM,+CLTE"],
        "+CGMI" | "+GMI" => &["Nestling"],
        "+CGMM" | "+GMM" => &["WATCH-SIM"],
        "+CGMR" | "+GMR" => &["1.0"],
        "+CSQ" => &["+CSQ: 20,99"],
        "+CESQ" => &["+CESQ: 99,99,255,255,20,60"],
        "&F" | "X" | "L" | "M" => &[],
        _ => return None,
    })
}

fn test(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "+CSCS" => &["+CSCS: (\"IRA\",\"GSM\",\"UTF-8\")"],
        "+WS46" => &["+WS46: (28)"],
        "+CREG" => &["+CREG: (0-2)"],
        "+CGREG" => &["+CGREG: (0-2)"],
        "+CEREG" => &["+CEREG: (0-2)"],
        "+CGDCONT" => &[
            "+CGDCONT: (1-4),\"IP\",,,(0-2),(0-4)",
            "+CGDCONT: (1-4),\"IPV6\",,,(0-2),(0-4)",
            "+CGDCONT: (1-4),\"IPV4V6\",,,(0-2),(0-4)",
        ],
        "+CLCK" => &["+CLCK: (\"SC\",\"PN\")"],
        "+CUSD" => &["+CUSD: (0-2)"],
        "+CNMI" => &["+CNMI: (0-2),(0-3),(0-3),(0-2),(0,1)"],
        "+CPMS" => &["+CPMS: (\"ME\",\"SM\"),(\"ME\",\"SM\"),(\"ME\",\"SM\")"],
        "+CMGF" => &["+CMGF: (0)"],
        "+CESQ" => &["+CESQ: (0-63,99),(0-7,99),(0-96,255),(0-34,255),(0-34,255),(0-97,255)"],
        "+CSCB" => &["+CSCB: (0,1)"],
        "+IFC" => &["+IFC: (0-2),(0-2)"],
        "+CIND" => &[
            "+CIND: (\"signal\",(0-5)),(\"service\",(0-1)),(\"call\",(0-1)),(\"smsfull\",(0-1)),(\"battchg\",(0-5))",
        ],
        "+CMER" => &["+CMER: (0-3),(0),(0),(0-1),(0)"],
        "+CGEREP" => &["+CGEREP: (0-2),(0,1)"],
        "+CLCC" | "+CHLD" => &[],
        _ => return None,
    })
}

fn read(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "+CGDCONT" => &["+CGDCONT: 1,\"IPV4V6\",\"internet\",\"\",0,0"],
        "+CSCB" => &["+CSCB: 0,\"\",\"\""],
        "+CMGF" => &["+CMGF: 0"],
        "S0" => &["000"],
        _ => return None,
    })
}

fn set(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        // The result format is always verbose and numeric in `+CME ERROR`.
        "V" | "X" | "&C" | "&D" | "&F" | "L" | "M" | "+CMEE" | "+CTZU" | "+CTZR" | "+CNMI" | "+CSCB"
        | "+IFC" | "+CMER" | "+CGEREP" | "+CGDCONT" => &[],
        _ => return None,
    })
}
