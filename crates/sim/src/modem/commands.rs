//! What each command does: identity, network and calls. Texts are in `messages`.

use super::at::{Ask, Command, values};
use super::{Answer, Modem, Output, calls, fixed};
use crate::clock::Now;
use crate::event::{Event, HangUp};
use crate::modem::calls::CallState;

const CHARSETS: [&str; 3] = ["IRA", "GSM", "UTF-8"];
/// Dialled digits beyond this are refused.
const DIAL_LIMIT: usize = 80;

impl Modem {
    /// Runs commands until one fails; the last result is the line's.
    pub(super) fn run_all(&mut self, commands: &[Command<'_>], now: Now, out: &mut Vec<Output>) -> Answer {
        let mut lines = Vec::new();
        for command in commands {
            let mut answer = self.run(command, now, out);
            lines.append(&mut answer.lines);
            if !answer.is_ok() {
                return Answer { lines, ..answer };
            }
        }
        Answer::lines(lines)
    }

    fn run(&mut self, command: &Command<'_>, now: Now, out: &mut Vec<Output>) -> Answer {
        let name = command.name.as_str();
        let found = self.setting(name, command.ask);
        let found = found.or_else(|| self.identity(name, command.ask));
        let found = found.or_else(|| self.network(name, command.ask, now, out));
        let found = found.or_else(|| self.call(name, command.ask, now, out));
        let found = found.or_else(|| self.message(name, command.ask));
        let fixed = |lines: &[&str]| Answer::lines(lines.iter().map(|line| (*line).to_owned()).collect());
        found.or_else(|| fixed::answer(name, command.ask).map(fixed)).unwrap_or_else(Answer::error)
    }

    fn setting(&mut self, name: &str, ask: Ask<'_>) -> Option<Answer> {
        match (name, ask) {
            ("Z", Ask::Run | Ask::Set(_)) => self.settings = super::Settings::default(),
            ("E", ask) => self.settings.echo = ask == Ask::Set("1"),
            ("+CLIP", Ask::Set(set)) => self.settings.clip = set == "1",
            ("+CRC", Ask::Set(set)) => self.settings.cring = set == "1",
            ("+CCWA", Ask::Set(set)) => self.settings.waiting = set.starts_with('1'),
            ("+CSCS", Ask::Set(set)) => {
                let set = *values(set).first()?;
                self.settings.charset = Some(CHARSETS.into_iter().find(|known| *known == set)?);
            }
            ("+CSCS", Ask::Read) => {
                let charset = self.settings.charset.unwrap_or("IRA");
                return Some(Answer::line(format!("+CSCS: \"{charset}\"")));
            }
            // Automatic answering is not built in, so switching it on is refused.
            ("S0", Ask::Set("0" | "00" | "000")) => {}
            _ => return None,
        }
        Some(Answer::ok())
    }

    fn identity(&self, name: &str, ask: Ask<'_>) -> Option<Answer> {
        let imei = &self.config.imei;
        match (name, ask) {
            ("+CGSN" | "+GSN", Ask::Run) => return Some(Answer::line(imei)),
            ("I", Ask::Run | Ask::Set(_)) => {
                let lines = ["Manufacturer: Nestling", "Model: WATCH-SIM", "Revision: 1.0"].map(String::from);
                let more = [format!("IMEI: {imei}"), "+GCAP: +CGSM".to_owned()];
                return Some(Answer::lines(lines.into_iter().chain(more).collect()));
            }
            ("+CPIN", Ask::Read) | ("+CIMI" | "+CNUM", Ask::Run) | ("+CRSM", Ask::Set(_)) => {}
            ("+CLCK", Ask::Set(set)) if values(set).get(1) == Some(&"2") => {}
            _ => return None,
        }
        let card = match self.card() {
            Ok(card) => card,
            Err(_) if name == "+CPIN" && self.has_sim() => return Some(Answer::line("+CPIN: SIM PIN")),
            Err(code) => return Some(Answer::cme(code)),
        };
        Some(match (name, ask) {
            ("+CPIN", _) => Answer::line("+CPIN: READY"),
            ("+CIMI", _) => Answer::line(&card.imsi),
            ("+CNUM", _) => {
                let number = &card.own_number;
                Answer::line(format!("+CNUM: \"\",\"{number}\",{}", calls::number_type(number)))
            }
            ("+CRSM", Ask::Set(set)) => Answer::line(card.access(&values(set))),
            _ => Answer::line("+CLCK: 0"),
        })
    }

    /// The values of `+CREG` and its siblings after the mode: where, and over LTE (7).
    pub(super) fn registration_values(&self, mode: u8) -> String {
        let stat = self.registration() as u8;
        if mode == 2 && matches!(stat, 1 | 5) {
            format!("{stat},\"{:04X}\",\"{:08X}\",7", self.mast.area, self.mast.cell)
        } else {
            stat.to_string()
        }
    }

    fn network(&mut self, name: &str, ask: Ask<'_>, now: Now, out: &mut Vec<Output>) -> Option<Answer> {
        let registered = self.registration().serves();
        if let Some(which) = ["+CREG", "+CGREG", "+CEREG"].iter().position(|known| *known == name) {
            let mode = self.settings.registration.get_mut(which)?;
            return match ask {
                Ask::Set(set) => {
                    *mode = set.parse().ok().filter(|mode| *mode <= 2)?;
                    Some(Answer::ok())
                }
                Ask::Read => {
                    let mode = *mode;
                    Some(Answer::line(format!("{name}: {mode},{}", self.registration_values(mode))))
                }
                _ => None,
            };
        }
        Some(match (name, ask) {
            ("+CFUN", Ask::Read) => Answer::line(if self.radio { "+CFUN: 1" } else { "+CFUN: 4" }),
            ("+CFUN", Ask::Set(set)) => {
                // TS 27.007, 8.2: full, or without a radio.
                let on = match *values(set).first()? {
                    "1" => true,
                    "0" | "4" => false,
                    _ => return None,
                };
                out.extend(self.set_radio(on));
                Answer::ok()
            }
            ("+COPS", Ask::Set(set)) => {
                match values(set).as_slice() {
                    ["3", format] => self.settings.operator_numeric = *format == "2",
                    ["0", ..] => {}
                    _ => return None,
                }
                Answer::ok()
            }
            ("+COPS", Ask::Read) if !registered => Answer::line("+COPS: 0"),
            ("+COPS", Ask::Read) => {
                let plmn = self.card().ok()?.plmn();
                let (format, operator) = if self.settings.operator_numeric {
                    (2, plmn)
                } else {
                    (0, self.config.operator.as_str())
                };
                Answer::line(format!("+COPS: 0,{format},\"{operator}\",7"))
            }
            ("+CIND", Ask::Read) => {
                let calling = u8::from(!self.calls.list().is_empty());
                Answer::line(format!(
                    "+CIND: {},{},{calling},0,5",
                    u8::from(registered) * 3,
                    u8::from(registered)
                ))
            }
            ("+CCLK", Ask::Read) => {
                let (zone, at) = (self.config.zone, now.civil(self.config.zone));
                let date = format!("{:02}/{:02}/{:02}", at.year() % 100, at.month(), at.day());
                let time = format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second());
                Answer::line(format!("+CCLK: \"{date},{time}{zone:+03}\""))
            }
            ("+CUSD", Ask::Set(set)) => {
                if let Some(request) = values(set).get(1).filter(|request| !request.is_empty()) {
                    out.push(Output::Event(Event::Ussd { request: (*request).to_owned() }));
                }
                Answer::ok()
            }
            _ => return None,
        })
    }

    fn call(&mut self, name: &str, ask: Ask<'_>, now: Now, out: &mut Vec<Output>) -> Option<Answer> {
        Some(match (name, ask) {
            ("D", Ask::Set(dialled)) => self.dial(dialled, now, out),
            ("A", Ask::Run) => {
                let Some(call) = self.calls.answer() else { return Some(no_carrier()) };
                out.push(Output::Event(Event::Answered { number: call.number }));
                Answer::ok()
            }
            ("H", Ask::Run | Ask::Set("0")) => {
                self.hang_up(HangUp::Ath, now, |call| call.state != CallState::Waiting, out);
                Answer::ok()
            }
            ("+CHUP", Ask::Run) => {
                self.hang_up(HangUp::Chup, now, |call| call.state != CallState::Waiting, out);
                Answer::ok()
            }
            ("+CHLD", Ask::Set(set)) => {
                // TS 22.030, 6.5.5.1: 0 turns a waiting call away, 1n ends call n.
                let ended = match set.strip_prefix('1').map(str::parse::<u8>) {
                    Some(Ok(index)) => self.hang_up(HangUp::Chld, now, |call| call.index == index, out),
                    _ if set == "0" => {
                        self.hang_up(HangUp::Chld, now, |call| call.state == CallState::Waiting, out)
                    }
                    _ => 0,
                };
                if ended > 0 { Answer::ok() } else { Answer::error() }
            }
            ("+CLCC", Ask::Run) => Answer::lines(self.calls.list().iter().map(listed).collect()),
            ("+VTS", Ask::Set(set)) => {
                let tone = values(set).first()?.chars().next()?.to_ascii_uppercase();
                let in_call = self.calls.list().iter().any(|call| call.state == CallState::Active);
                if !in_call || !matches!(tone, '0'..='9' | '*' | '#' | 'A'..='D') {
                    return None;
                }
                out.push(Output::Event(Event::Tone { tone }));
                Answer::ok()
            }
            _ => return None,
        })
    }

    fn dial(&mut self, dialled: &str, now: Now, out: &mut Vec<Output>) -> Answer {
        // Without the `;` it is a data call, which this network does not carry.
        let Some(number) = dialled.trim().strip_suffix(';') else { return no_carrier() };
        let fits = |c: char| c.is_ascii_digit() || matches!(c, '+' | '*' | '#');
        if number.is_empty() || number.len() > DIAL_LIMIT || !number.chars().all(fits) {
            return Answer::error();
        }
        out.push(Output::Event(Event::Dialled { number: number.to_owned() }));
        // The network takes emergency calls from everyone (TS 22.101, 10).
        let carried = self.registration().serves() || (self.radio && matches!(number, "112" | "911"));
        match carried.then(|| self.calls.dial(number, now.mono)).flatten() {
            Some(()) => Answer::ok(),
            None => no_carrier(),
        }
    }
}

fn no_carrier() -> Answer {
    Answer { lines: vec![], last: "\r\nNO CARRIER\r\n".into() }
}

/// `+CLCC: index,direction,state,mode voice,no conference,number,type`
fn listed(call: &calls::Call) -> String {
    let (number, kind) = super::presented(call);
    format!("+CLCC: {},{},{},0,0,\"{number}\",{kind}", call.index, u8::from(call.incoming), call.state as u8)
}
