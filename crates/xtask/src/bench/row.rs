//! A row of a table: two numbers, their ratio, and whether that is what was promised.

use std::fmt::Write as _;

use serde::Serialize;

/// What a row must be. Less is better everywhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Target {
    /// Our number, by itself.
    Most(f64),
    /// Our number, in peer's numbers.
    Ratio(f64),
}

/// One line of a table; `what` names the unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Row {
    what: String,
    ours: f64,
    peer: Option<f64>,
    ratio: Option<f64>,
    target: Option<String>,
    /// `None`: shown, and nothing was promised.
    holds: Option<bool>,
}

impl Row {
    pub(super) fn new(what: impl Into<String>, ours: f64, peer: Option<f64>, target: Option<Target>) -> Self {
        let ratio = peer.filter(|peer| *peer > 0.0).map(|peer| ours / peer);
        let holds = target.map(|target| match target {
            Target::Most(limit) => ours <= limit,
            // Without a peer nothing is proven.
            Target::Ratio(limit) => ratio.is_some_and(|ratio| shown(ratio) <= limit),
        });
        let target = target.map(|target| match target {
            Target::Most(limit) => format!("≤ {limit}"),
            Target::Ratio(limit) => format!("≤ {limit}x"),
        });
        Self { what: what.into(), ours, peer, ratio, target, holds }
    }

    fn cells(&self) -> [String; 6] {
        let verdict = match self.holds {
            Some(true) => "holds",
            Some(false) => "MISSED",
            None => "—",
        };
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "—".to_owned());
        [
            self.what.clone(),
            number(self.ours),
            or_dash(self.peer.map(number)),
            or_dash(self.ratio.map(|ratio| format!("{ratio:.2}x"))),
            or_dash(self.target.clone()),
            verdict.to_owned(),
        ]
    }
}

/// Of a ratio, what is shown of it is what is judged: two who wait for the same third are a hair apart by chance.
fn shown(ratio: f64) -> f64 {
    (ratio * 100.0).round() / 100.0
}

/// Three digits say enough.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

/// The value below which this part of the samples lies; 0 of none.
pub(super) fn quantile(samples: &[f64], part: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len() as f64 * part) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// The rows as a table of Markdown, readable on a terminal as well.
pub(super) fn table(rows: &[Row]) -> String {
    let head = ["what", "ours", "peer", "ratio", "target", ""].map(str::to_owned);
    let lines: Vec<_> = std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let mut text = String::new();
    for (place, line) in lines.iter().enumerate() {
        for (column, cell) in line.iter().enumerate() {
            let width = lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
            let _ = write!(text, "| {cell:<width$} ");
        }
        text.push_str("|\n");
        if place == 0 {
            text.push_str("|---|---|---|---|---|---|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_holds_up_to_its_target_and_not_without_a_peer() {
        let holds = |ours, peer| Row::new("x", ours, peer, Some(Target::Ratio(1.2))).holds;
        assert_eq!(holds(1.2, Some(1.0)), Some(true));
        assert_eq!(holds(1.204, Some(1.0)), Some(true), "it reads 1.20x");
        assert_eq!(holds(1.206, Some(1.0)), Some(false));
        assert_eq!(holds(0.1, None), Some(false));
        assert_eq!(holds(0.1, Some(0.0)), Some(false), "a peer that took no time was not measured");
    }

    #[test]
    fn a_number_of_its_own_is_not_judged_by_the_peer() {
        let row = Row::new("x", 1.6, Some(6.3), Some(Target::Most(1.5)));
        assert_eq!((row.holds, row.target.as_deref()), (Some(false), Some("≤ 1.5")));
        assert_eq!(Row::new("x", 1.5, Some(0.1), Some(Target::Most(1.5))).holds, Some(true));
        assert_eq!(Row::new("x", 1.5, Some(0.1), None).holds, None);
    }

    #[test]
    fn quantiles_ignore_the_order_and_stay_inside() {
        let samples: Vec<f64> = (0..100).rev().map(f64::from).collect();
        let found: Vec<_> = [0.0, 0.5, 0.95, 1.0].iter().map(|part| quantile(&samples, *part)).collect();
        assert_eq!(found, [0.0, 50.0, 95.0, 99.0]);
        assert!(quantile(&[], 0.5).abs() < f64::EPSILON);
    }

    #[test]
    fn a_missed_target_stands_out_and_json_has_the_promised_keys() {
        let row = Row::new("a", 3.0, Some(1.0), Some(Target::Ratio(2.0)));
        assert!(table(std::slice::from_ref(&row)).contains("| 3.00x | ≤ 2x   | MISSED |"));
        let json = serde_json::to_value(&row).unwrap();
        let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["holds", "ours", "peer", "ratio", "target", "what"]);
    }
}
