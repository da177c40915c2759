//! The rules of the look that can be counted: contrast, sizes, words, labels.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use app::Screen;
use draw::canvas::PAPER;
use draw::layout::TARGET;

fn source(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ui").join(name)).unwrap()
}

fn rgb(hex: &str) -> [f64; 3] {
    let rgb = u32::from_str_radix(hex, 16).unwrap();
    [16, 8, 0].map(|shift| f64::from(rgb >> shift & 0xff) / 255.0)
}

/// `name: #RRGGBB` of the theme.
fn colours() -> BTreeMap<String, [f64; 3]> {
    let theme = source("theme.slint");
    let lines = theme.lines().filter_map(|line| {
        let (name, value) = line.trim().strip_prefix("out property <color> ")?.split_once(": #")?;
        Some((name.to_owned(), rgb(value.trim_end_matches(';'))))
    });
    lines.collect()
}

fn paints() -> Vec<[f64; 3]> {
    let theme = source("theme.slint");
    theme.lines().filter_map(|line| line.split_once("colour: #").map(|(_, hex)| rgb(&hex[..6]))).collect()
}

/// WCAG 2.2, relative luminance and contrast ratio.
fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let luminance = |rgb: [f64; 3]| {
        let [r, g, b] = rgb.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn what_can_be_pressed_stands_out_from_the_paper_and_signs_from_their_buttons() {
    let colours = colours();
    // WCAG 2.2, 1.4.11: outlines of controls and signs 3.0.
    for (line, under) in [("line", "paper"), ("line", "button"), ("line", "pressed")] {
        let ratio = contrast(colours[line], colours[under]);
        assert!(ratio >= 3.0, "{line} on {under}: {ratio:.2}");
    }
}

#[test]
fn the_page_is_the_paper_of_the_theme() {
    let paper = format!("out property <color> paper: #{:02X}{:02X}{:02X};", PAPER.r, PAPER.g, PAPER.b);
    assert!(source("theme.slint").contains(&paper));
}

/// A child who sees no colours still tells most paints apart; one who does tells all from the paper.
#[test]
fn paints_differ_from_the_paper_and_from_one_another() {
    let paints = paints();
    assert_eq!(paints.len(), 6);
    let far = |a: [f64; 3], b: [f64; 3]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    for (n, paint) in paints.iter().enumerate() {
        assert!(far(*paint, colours()["paper"]) > 0.4, "{n} on paper");
        assert!(contrast(*paint, colours()["paper"]) > 1.35, "{n} on paper");
        for (m, other) in paints.iter().enumerate().skip(n + 1) {
            assert!(far(*paint, *other) > 0.35, "{n} and {m}");
        }
    }
}

#[test]
fn targets_are_large_and_what_is_drawn_is_what_is_laid_out() {
    let theme = source("theme.slint");
    assert!(theme.contains(&format!("target: {}px;", TARGET * 2.0)));
    const { assert!(TARGET * 2.0 >= Screen::TOUCH) };
    // The page and the targets, and nothing else that could be pressed.
    let touches = ["draw.slint", "widgets.slint"].map(|name| source(name).matches("TouchArea {").count());
    assert_eq!(touches, [1, 1]);
    let widgets = source("widgets.slint");
    assert!(widgets.contains("width: Theme.target;") && widgets.contains("height: Theme.target;"));
}

#[test]
fn there_are_no_words_and_everything_has_a_label() {
    let screen = source("draw.slint");
    assert!(!screen.contains("Text {") && !source("widgets.slint").contains("Text {"));
    let of = |name: &str| screen.matches(name).count();
    let placed = of(": Pot {") + of(": BrushSign {") + of("    UndoSign {") + of("    NewPageSign {");
    let labels =
        of("label: paint.name;") + of("label: brush.name;") + of("label: @tr(") - of("accessible-label:");
    assert_eq!((placed, labels), (4, 4));
    assert!(screen.contains("accessible-label: @tr("));
    let theme = source("theme.slint");
    assert_eq!(theme.matches("{ name: @tr(").count(), 9);
    assert!(source("widgets.slint").contains("accessible-label: root.label;"));
}
