//! Which SIM the watch had, over restarts and with the battery out: a change is a line in the diary. The rules are of the
//! policy and do not ask for the SIM.
//!
//! **Invariants:** a line for each change, none for a card that is as it was, however often it is seen; the first card a watch
//! ever has is no change. A file that cannot be read is no card before.

use std::path::PathBuf;

use daemon::Private;
use daemon::diary::Diary;

use super::table::Card;

const FILE: &str = "sim";
const MAX_BYTES: u64 = 256;
/// What stands in the file behind the number of a card that was taken out.
const OUT: &str = "out";

/// The last card, and whether it was in the tray when it was last looked.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Last {
    card: Private<String>,
    there: bool,
}

/// Remembers the card.
#[derive(Debug)]
pub(super) struct Sims {
    file: PathBuf,
    last: Option<Last>,
    diary: Diary,
}

impl Sims {
    /// Reads what was remembered in `folder`.
    pub(super) fn load(folder: &std::path::Path, diary: Diary) -> Self {
        let file = folder.join(FILE);
        let read = daemon::files::read_small(&file, MAX_BYTES).unwrap_or_else(|error| {
            tracing::warn!(%error, "the last SIM is not known");
            None
        });
        Self { last: read.and_then(|text| parse(&text)), file, diary }
    }

    /// The tray was looked into.
    pub(super) fn seen(&mut self, card: &Card) {
        let (now, line) = judge(self.last.as_ref(), card);
        if let Some((kind, card)) = line {
            self.diary.record(kind, [("sim", tail(&card.0))]);
        }
        if now != self.last {
            self.keep(now);
        }
    }

    fn keep(&mut self, last: Option<Last>) {
        self.last = last;
        let Some(Last { card, there }) = self.last.clone() else { return };
        let (file, text) = (self.file.clone(), format!("{}\n{}\n", card.0, if there { "" } else { OUT }));
        // The disk may be lost: a call does not wait for it.
        tokio::task::spawn_blocking(move || {
            if let Err(error) = daemon::files::write_whole(&file, text.as_bytes()) {
                tracing::warn!(%error, "a change of the SIM may be told twice");
            }
        });
    }
}

fn parse(text: &[u8]) -> Option<Last> {
    let mut lines = std::str::from_utf8(text).ok()?.lines();
    let card = lines.next().filter(|card| !card.is_empty())?;
    Some(Last { card: Private(card.to_owned()), there: lines.next() != Some(OUT) })
}

/// What is remembered from now on, and the line for the diary with the card it is about.
fn judge(last: Option<&Last>, card: &Card) -> (Option<Last>, Option<(&'static str, Private<String>)>) {
    match (last, card) {
        (None, Card::None) => (None, None),
        (Some(last), Card::None) => {
            let line = last.there.then(|| ("sim-removed", last.card.clone()));
            (Some(Last { there: false, ..last.clone() }), line)
        }
        (last, Card::Sim(card)) => {
            let line = match last {
                None => None,
                Some(last) if last.card != *card => Some(("sim-changed", card.clone())),
                Some(last) => (!last.there).then(|| ("sim-back", card.clone())),
            };
            (Some(Last { card: card.clone(), there: true }), line)
        }
    }
}

/// Enough to tell two cards apart, as printed on them.
fn tail(card: &str) -> String {
    let skip = card.chars().count().saturating_sub(4);
    format!("…{}", card.chars().skip(skip).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sim(id: &str) -> Card {
        Card::Sim(Private(id.into()))
    }

    #[test]
    fn a34_each_change_of_the_sim_is_one_line() {
        let (ours, other) = (sim("8984352089000000420"), sim("8986000000000001234"));
        let mut last = None;
        let mut lines = Vec::new();
        for card in [&Card::None, &ours, &ours, &Card::None, &Card::None, &ours, &other, &Card::None, &ours] {
            let (now, line) = judge(last.as_ref(), card);
            last = now;
            lines.push(line.map(|(kind, card)| format!("{kind} {}", tail(&card.0))).unwrap_or_default());
        }
        let expected = [
            "",
            "",
            "",
            "sim-removed …0420",
            "",
            "sim-back …0420",
            "sim-changed …1234",
            "sim-removed …1234",
            "sim-changed …0420",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a26_a_file_that_is_nonsense_is_no_card() {
        assert_eq!(parse(b"89843520\n\n"), Some(Last { card: Private("89843520".into()), there: true }));
        assert_eq!(parse(b"89843520\nout\n"), Some(Last { card: Private("89843520".into()), there: false }));
        for text in [&b""[..], b"\n", b"\n\nout", b"\xff\xfe"] {
            assert_eq!(parse(text), None);
        }
        assert_eq!((tail(""), tail("\u{e4}")), ("…".into(), "…\u{e4}".into()));
    }
}
