//! Short messages as PDUs (3GPP TS 23.040, 9.2): DELIVER to the watch, SUBMIT from it.
//!
//! Invariant: a SUBMIT comes from outside; its length fields are believed only as far as there are octets.

use std::fmt::Write as _;

use thiserror::Error;

use super::gsm7;
use crate::clock::Now;
use crate::event::Part;

/// A text longer than this is not taken: ten parts of UCS-2.
pub(crate) const PARTS_LIMIT: usize = 10;
/// TPDU of 164 octets and a service centre of 12 (3GPP TS 27.005, 3.1).
pub(crate) const OCTETS_LIMIT: usize = 176;
/// The service centre, +358501234567, as every DELIVER starts.
const SERVICE_CENTRE: [u8; 8] = [0x07, 0x91, 0x53, 0x58, 0x10, 0x32, 0x54, 0x76];
const UCS2: u8 = 0x08;

/// Why octets are not a SUBMIT, or a text not a DELIVER.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PduError {
    /// Odd, too long, or no hexadecimal digits.
    #[error("not hexadecimal, or longer than {OCTETS_LIMIT} octets")]
    Hex,
    /// The PDU ends inside a field.
    #[error("the PDU ends inside {0}")]
    Short(&'static str),
    /// The first octet says it is another type.
    #[error("message type {0} is not SUBMIT")]
    NotSubmit(u8),
    /// The text needs too many parts.
    #[error("the text needs {0} parts, at most {PARTS_LIMIT} are sent")]
    TooLong(usize),
}

/// A text the watch sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Submit {
    pub(crate) number: String,
    pub(crate) text: String,
    pub(crate) part: Option<Part>,
    /// Octets without the service centre, as `+CMGS` counts them.
    pub(crate) length: usize,
}

/// One PDU ready for the modem's store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) hex: String,
    /// Octets without the service centre, as `+CMGR` counts them.
    pub(crate) length: usize,
}

/// The DELIVER PDUs of a text, one or several parts.
pub(crate) fn deliver(
    from: &str,
    text: &str,
    reference: u8,
    now: Now,
    zone: i8,
) -> Result<Vec<Stored>, PduError> {
    let septets: Option<Vec<Vec<u8>>> = text.chars().map(gsm7::septets).collect();
    let (dcs, whole, split, units) = match septets {
        Some(septets) => (0, 160, 153, septets),
        None => (UCS2, 140, 134, text.chars().map(ucs2).collect()),
    };
    let parts = parts(&units, whole, split);
    if parts.len() > PARTS_LIMIT {
        return Err(PduError::TooLong(parts.len()));
    }
    let total = parts.len();
    let time = timestamp(now, zone);
    let encode = |(index, body): (usize, &Vec<u8>)| {
        let header = if total > 1 { vec![5, 0, 3, reference, total as u8, index as u8 + 1] } else { vec![] };
        // TP-MTI 0; TP-MMS "no more"; TP-UDHI.
        let mut octets = vec![if total > 1 { 0x44 } else { 0x04 }];
        octets.extend(address(from));
        octets.extend([0, dcs]);
        octets.extend(time);
        octets.extend(user_data(&header, body, dcs));
        let length = octets.len();
        let hex = hex(&SERVICE_CENTRE) + &hex(&octets);
        Stored { hex, length }
    };
    Ok(parts.iter().enumerate().map(encode).collect())
}

/// Octets in hexadecimal, as PDUs and files travel over AT commands.
pub(crate) fn hex(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len() * 2);
    for octet in octets {
        let _ = write!(text, "{octet:02X}");
    }
    text
}

fn ucs2(c: char) -> Vec<u8> {
    let mut units = [0; 2];
    c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()).collect()
}

/// Whole characters in as few parts as there can be.
fn parts(units: &[Vec<u8>], whole: usize, split: usize) -> Vec<Vec<u8>> {
    if units.iter().map(Vec::len).sum::<usize>() <= whole {
        return vec![units.concat()];
    }
    let mut parts = vec![Vec::new()];
    for unit in units {
        if parts.last().is_none_or(|part| part.len() + unit.len() > split) {
            parts.push(Vec::new());
        }
        if let Some(part) = parts.last_mut() {
            part.extend(unit);
        }
    }
    parts
}

/// TP-UDL and TP-UD.
fn user_data(header: &[u8], body: &[u8], dcs: u8) -> Vec<u8> {
    if dcs == UCS2 {
        let mut octets = vec![(header.len() + body.len()) as u8];
        octets.extend(header.iter().chain(body));
        return octets;
    }
    let header_bits = header.len() * 8;
    let header_septets = header_bits.div_ceil(7);
    let fill = (header_septets * 7 - header_bits) as u32;
    let mut octets = vec![(header_septets + body.len()) as u8];
    octets.extend(header);
    octets.extend(gsm7::pack(body, fill));
    octets
}

/// TP-OA: a number, or letters when it is a name (9.1.2.5).
fn address(from: &str) -> Vec<u8> {
    let digits: Vec<u8> = from.strip_prefix('+').unwrap_or(from).bytes().collect();
    if digits.iter().all(|digit| bcd(*digit).is_some()) {
        let mut octets = vec![digits.len() as u8, if from.starts_with('+') { 0x91 } else { 0x81 }];
        octets.extend(digits.chunks(2).map(|pair| {
            let nibble = |at: usize| pair.get(at).copied().and_then(bcd).unwrap_or(0x0f);
            (nibble(1) << 4) | nibble(0)
        }));
        return octets;
    }
    let name: Vec<u8> = from.chars().filter_map(gsm7::septets).flatten().take(11).collect();
    let packed = gsm7::pack(&name, 0);
    let mut octets = vec![(name.len() * 7).div_ceil(4) as u8, 0xd0];
    octets.extend(packed);
    octets
}

/// The half octet of a dialling character (9.1.2.3).
pub(crate) fn bcd(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'*' => Some(10),
        b'#' => Some(11),
        _ => None,
    }
}

/// TP-SCTS: local time in swapped half octets, and the zone in quarter hours.
fn timestamp(now: Now, zone: i8) -> [u8; 7] {
    let swapped = |value: i16| {
        let value = value.unsigned_abs().rem_euclid(100) as u8;
        ((value % 10) << 4) | (value / 10)
    };
    let at = now.civil(zone);
    let east = swapped(i16::from(zone)) | if zone < 0 { 0x08 } else { 0 };
    let date = [at.year() % 100, i16::from(at.month()), i16::from(at.day())].map(swapped);
    let time = [at.hour(), at.minute(), at.second()].map(|value| swapped(i16::from(value)));
    [date[0], date[1], date[2], time[0], time[1], time[2], east]
}

/// Takes octets from the front, by name.
struct Octets<'a>(&'a [u8]);

impl<'a> Octets<'a> {
    fn take(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], PduError> {
        let (taken, left) = self.0.split_at_checked(count).ok_or(PduError::Short(field))?;
        self.0 = left;
        Ok(taken)
    }

    fn one(&mut self, field: &'static str) -> Result<u8, PduError> {
        self.take(1, field)?.first().copied().ok_or(PduError::Short(field))
    }
}

fn octets(hex: &[u8]) -> Result<Vec<u8>, PduError> {
    if hex.len() > OCTETS_LIMIT * 2 || !hex.len().is_multiple_of(2) {
        return Err(PduError::Hex);
    }
    let pair = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok().filter(|text| !text.starts_with('+'))?;
        u8::from_str_radix(text, 16).ok()
    };
    hex.chunks(2).map(pair).collect::<Option<_>>().ok_or(PduError::Hex)
}

/// Reads a SUBMIT as `+CMGS` takes it: service centre and TPDU in hexadecimal.
pub(crate) fn submit(hex: &[u8]) -> Result<Submit, PduError> {
    let octets = octets(hex)?;
    let mut rest = Octets(&octets);
    let centre = rest.one("TP-SCA")?;
    rest.take(usize::from(centre), "TP-SCA")?;
    let length = rest.0.len();
    let first = rest.one("the first octet")?;
    if first & 0x03 != 1 {
        return Err(PduError::NotSubmit(first & 0x03));
    }
    rest.one("TP-MR")?;
    let number = destination(&mut rest)?;
    rest.one("TP-PID")?;
    let dcs = rest.one("TP-DCS")?;
    let validity = match (first >> 3) & 0x03 {
        0 => 0,
        2 => 1,
        _ => 7,
    };
    rest.take(validity, "TP-VP")?;
    let udl = usize::from(rest.one("TP-UDL")?);
    let (text, part) = user_text(rest.0, udl, dcs, first & 0x40 != 0)?;
    Ok(Submit { number, text, part, length })
}

fn destination(rest: &mut Octets<'_>) -> Result<String, PduError> {
    let digits = usize::from(rest.one("TP-DA")?);
    let kind = rest.one("TP-DA")?;
    let value = rest.take(digits.div_ceil(2), "TP-DA")?;
    let mut number = String::from(if kind & 0x70 == 0x10 { "+" } else { "" });
    for half in value.iter().flat_map(|octet| [octet & 0x0f, octet >> 4]).take(digits) {
        number.push(match half {
            0..=9 => char::from(b'0' + half),
            10 => '*',
            11 => '#',
            12..=14 => char::from(b'a' + (half - 12)),
            _ => '?',
        });
    }
    Ok(number)
}

fn user_text(data: &[u8], udl: usize, dcs: u8, has_header: bool) -> Result<(String, Option<Part>), PduError> {
    let header_length =
        if has_header { usize::from(*data.first().ok_or(PduError::Short("TP-UD"))?) + 1 } else { 0 };
    let (header, body) = data.split_at_checked(header_length).ok_or(PduError::Short("TP-UDH"))?;
    let text = match dcs & 0x0c {
        0x08 => {
            let units: Vec<u16> = body
                .chunks_exact(2)
                .map(|pair| pair.iter().fold(0, |unit, octet| (unit << 8) | u16::from(*octet)))
                .collect();
            String::from_utf16_lossy(&units)
        }
        0x04 => String::from_utf8_lossy(body).into_owned(),
        _ => {
            let header_septets = (header_length * 8).div_ceil(7);
            let fill = (header_septets * 7 - header_length * 8) as u32;
            gsm7::text(&gsm7::unpack(body, fill, udl.saturating_sub(header_septets)))
        }
    };
    Ok((text, concatenation(header.get(1..).unwrap_or_default())))
}

/// Information elements 0 and 8 (9.2.3.24.1, 9.2.3.24.8).
fn concatenation(mut elements: &[u8]) -> Option<Part> {
    while let [id, length, rest @ ..] = elements {
        let (value, left) = rest.split_at_checked(usize::from(*length))?;
        match (id, value) {
            (0, [reference, total, number]) => {
                return Some(Part { reference: u16::from(*reference), total: *total, number: *number });
            }
            (8, [high, low, total, number]) => {
                return Some(Part {
                    reference: u16::from_be_bytes([*high, *low]),
                    total: *total,
                    number: *number,
                });
            }
            _ => elements = left,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    const NOON: Now = Now { mono: Duration::ZERO, unix_ms: 1_795_434_000_000 };

    /// The two PDUs below were sent by ModemManager 1.24.
    #[test]
    fn a_submit_in_ucs2_is_read() {
        let hex = b"0001000C9153485055001000081E006F006E0020006D007900200077006100790020D83DDE000020006F006B";
        let read = submit(hex).unwrap();
        assert_eq!((read.number.as_str(), read.text.as_str()), ("+358405550001", "on my way 😀 ok"));
        assert_eq!((read.part, read.length), (None, 43));
    }

    #[test]
    fn the_second_part_of_a_long_submit_is_read() {
        let hex = b"0061000C91534850550010000086050003DE020240ECB7FB0CA297F174102C2603B1DFEE33885EC6D341B0D80CC47EB\
BCF207A194F07C1623410FBED3E83E8653C1D048BD540ECB7FB0CA297F174102C6603B1DFEE33885EC6D341B0D80DC47EBBCF207A194F0\
7C1623810FBED3E83E8653C1D048BE540ECB7FB0CA297F174104C060301";
        let read = submit(hex).unwrap();
        assert!(read.text.starts_with(" long text 012 long text 013"), "{}", read.text);
        assert_eq!(read.part, Some(Part { reference: 222, total: 2, number: 2 }));
        assert_eq!(read.length, 131);
    }

    #[test]
    fn a_deliver_carries_sender_time_and_text() {
        let pdus = deliver("+358405550001", "Hi kid, dinner at six!", 1, NOON, 8).unwrap();
        assert_eq!(pdus.len(), 1);
        assert!(pdus[0].hex.starts_with("0791535810325476040C91534850550010"), "{}", pdus[0].hex);
        assert_eq!(pdus[0].length, pdus[0].hex.len() / 2 - 8);
    }

    #[test]
    fn a_long_text_is_split_between_whole_characters() {
        let emoji = "🎉".repeat(40);
        let pdus = deliver("+358405550001", &emoji, 7, NOON, 8).unwrap();
        assert_eq!(pdus.len(), 2);
        assert!(pdus.iter().all(|pdu| pdu.length <= 164));
        assert_eq!(deliver("1", &"a".repeat(161), 7, NOON, 8).unwrap().len(), 2);
        assert_eq!(deliver("1", &"a".repeat(160), 7, NOON, 8).unwrap().len(), 1);
    }

    #[test]
    fn a_text_without_end_is_refused() {
        assert!(matches!(deliver("1", &"a".repeat(5000), 7, NOON, 8), Err(PduError::TooLong(_))));
    }

    proptest! {
        #[test]
        fn no_submit_panics(octets in prop::collection::vec(any::<u8>(), 0..180)) {
            let _ = submit(hex(&octets).as_bytes());
            let _ = submit(&octets);
        }

        #[test]
        fn no_text_panics(from in "\\PC{0,20}", text in "\\PC{0,400}", unix_ms: i64, zone: i8) {
            let _ = deliver(&from, &text, 0, Now { mono: Duration::ZERO, unix_ms }, zone);
        }
    }
}
