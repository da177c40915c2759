//! The rules of the look that can be counted: contrast, sizes, words, labels.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn ui() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ui")
}

fn sources() -> Vec<(PathBuf, String)> {
    let folders = ["theme", "widgets", "pages"].map(|folder| ui().join(folder));
    let files = folders.iter().flat_map(|f| fs::read_dir(f).unwrap()).map(|e| e.unwrap().path());
    let all = files.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect::<Vec<_>>();
    assert!(all.len() > 12);
    all
}

/// `name: #RRGGBB` of the theme.
fn colours() -> BTreeMap<String, [f64; 3]> {
    let theme = fs::read_to_string(ui().join("theme/theme.slint")).unwrap();
    let lines = theme.lines().filter_map(|line| {
        let (name, value) = line.trim().strip_prefix("out property <color> ")?.split_once(": #")?;
        let rgb = u32::from_str_radix(value.trim_end_matches(';'), 16).unwrap();
        Some((name.to_owned(), [16, 8, 0].map(|shift| f64::from(rgb >> shift & 0xff) / 255.0)))
    });
    lines.collect()
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
fn words_have_aa_contrast_on_what_they_stand_on() {
    let colours = colours();
    // Everything is at least 22 px bold, which WCAG calls large: 3.0. Small text would need 4.5.
    for (word, under, least) in [
        ("ink", "ground", 4.5),
        ("mute", "ground", 4.5),
        ("mute", "panel", 3.0),
        ("sun", "ground", 4.5),
        ("mint", "ground", 4.5),
        ("lilac", "ground", 4.5),
        ("ink", "lilac-deep", 4.5),
        ("lilac", "lilac-deep", 4.5),
        ("coral", "ground", 4.5),
        ("on-sun", "sun", 4.5),
        ("on-sun", "sun-pressed", 4.5),
        ("ink", "red", 3.0),
        ("ink", "red-pressed", 4.5),
        ("ink", "quiet", 4.5),
        ("ink", "panel", 4.5),
        ("leaf", "panel", 3.0),
        ("on-leaf", "leaf", 3.0),
        ("on-leaf", "leaf-pressed", 3.0),
        ("ink", "leaf-waiting", 3.0),
    ] {
        let ratio = contrast(colours[word], colours[under]);
        assert!(ratio >= least, "{word} on {under}: {ratio:.2}, wanted {least}");
    }
}

#[test]
fn no_text_is_smaller_than_22_px() {
    let mut found = 0;
    for (path, source) in sources() {
        for line in source.lines().map(str::trim) {
            if let Some(size) = line.strip_prefix("out property <length> text-") {
                let px = size.split(": ").nth(1).unwrap().trim_end_matches("px;").parse::<u32>().unwrap();
                assert!(px >= 22, "{line}");
                found += 1;
            } else if let Some(size) = line.strip_prefix("font-size:") {
                assert!(size.contains("Theme.text-") && !size.contains("px"), "{}: {line}", path.display());
                found += 1;
            }
        }
        assert!(path.ends_with("widgets/label.slint") || !source.contains("Text {"), "{}", path.display());
    }
    assert!(found > 10);
}

/// All words of a page, also those of states that never show together; labels for listening apart.
#[test]
fn no_page_has_more_than_seven_words() {
    // Names, numbers and the date come from outside: two words at most where one is shown.
    for (page, from_outside) in [
        ("face", 2),
        ("call", 2),
        ("lock", 1),
        ("lost", 2),
        ("search", 1),
        ("contacts", 0),
        ("enrol", 0),
        ("emergency", 1),
        ("apps", 0),
        ("app", 1),
        ("sorry", 0),
        ("looks", 1),
        ("looked", 1),
        ("calls", 1),
    ] {
        let source = fs::read_to_string(ui().join(format!("pages/{page}.slint"))).unwrap();
        let shown = source.lines().filter(|line| {
            !line.contains("label:") && !line.contains("@tr(\"Sun\"") && line.contains("@tr(\"")
        });
        // A line with two texts shows one of them.
        let words = shown.map(|line| {
            let texts = line.split("@tr(\"").skip(1).map(|text| text.split('"').next().unwrap());
            texts.map(|text| text.split(' ').filter(|word| *word != "{}").count()).max().unwrap()
        });
        let words = words.sum::<usize>() + from_outside;
        assert!(words > 0 && words <= 7, "{page}: {words} words");
    }
}

#[test]
fn everything_to_touch_has_a_label_and_50_px() {
    for (path, source) in sources() {
        for (n, _) in source.match_indices("RoundButton {") {
            let body = &source[n..n + source[n..].find("tapped =>").unwrap_or(0)];
            if body.is_empty() {
                continue;
            }
            assert!(body.contains("label: @tr("), "{}: {body}", path.display());
            if let Some(size) = body.split("size: ").nth(1) {
                let px = size.split("px").next().unwrap().parse::<u32>().unwrap();
                assert!(px >= 50, "{}: {px}", path.display());
            }
        }
        let touches = source.matches("TouchArea {").count();
        let labelled = source.matches("accessible-action-default").count();
        assert_eq!(touches, labelled, "{}", path.display());
    }
}
