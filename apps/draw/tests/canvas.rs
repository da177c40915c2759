//! What holds for any finger on any page.

#![allow(clippy::unwrap_used)]

use draw::brush::{Brush, Curve};
use draw::canvas::{Canvas, PAPER, TILE};
use proptest::prelude::*;
use slint::Rgb8Pixel;

const INK: Rgb8Pixel = Rgb8Pixel { r: 0x20, g: 0x30, b: 0x40 };

fn brush(radius: f32) -> Brush {
    Brush { colour: INK, radius }
}

fn pixel(canvas: &Canvas, x: usize, y: usize) -> Rgb8Pixel {
    canvas.tiles()[y / TILE * canvas.columns() + x / TILE].as_slice()[y % TILE * TILE + x % TILE]
}

fn page() -> impl Strategy<Value = (usize, usize)> {
    (1_usize..300, 1_usize..300)
}

/// Fingers that also leave the glass, and numbers that are none.
fn places() -> impl Strategy<Value = Vec<(f32, f32)>> {
    let one =
        prop_oneof![8 => -80.0_f32..400.0, 1 => Just(f32::NAN), 1 => Just(f32::INFINITY), 1 => Just(-1e9)];
    proptest::collection::vec((one.clone(), one), 1..12)
}

fn draw(canvas: &mut Canvas, brush: Brush, places: &[(f32, f32)]) -> Vec<usize> {
    let mut changed = canvas.press(brush, places[0].0, places[0].1);
    for place in &places[1..] {
        changed.extend(canvas.drag(place.0, place.1));
    }
    canvas.lift();
    changed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn nothing_is_written_outside_the_page_and_all_that_changed_is_told(
        size in page(), radius in 1.0_f32..30.0, places in places(),
    ) {
        let mut canvas = Canvas::new(size.0, size.1);
        let blank = canvas.tiles().to_vec();
        let told = draw(&mut canvas, brush(radius), &places);
        for (n, (tile, before)) in canvas.tiles().iter().zip(&blank).enumerate() {
            prop_assert_eq!((tile.width() as usize, tile.height() as usize), (TILE, TILE));
            prop_assert_eq!(tile.as_slice() != before.as_slice(), told.contains(&n), "tile {}", n);
            // The part of a tile that is beyond the page.
            let origin = (n % canvas.columns() * TILE, n / canvas.columns() * TILE);
            for (i, p) in tile.as_slice().iter().enumerate() {
                let (x, y) = (origin.0 + i % TILE, origin.1 + i / TILE);
                prop_assert!(*p == PAPER || (x < size.0 && y < size.1));
            }
        }
        prop_assert_eq!(canvas.picture().len(), size.0 * size.1 * 3);
    }

    #[test]
    fn undo_brings_back_exactly_what_was_there(
        size in page(), strokes in proptest::collection::vec((1.0_f32..20.0, places(), 0_u8..8), 1..8),
    ) {
        let mut canvas = Canvas::new(size.0, size.1);
        let mut past = Vec::new();
        for (radius, places, kind) in &strokes {
            let before = canvas.picture();
            let could = canvas.can_undo();
            match kind {
                0 => drop(canvas.new_page()),
                1 => {
                    // One that is taken away by the watch leaves nothing behind, not even a step.
                    canvas.press(brush(*radius), places[0].0, places[0].1);
                    for place in places {
                        canvas.drag(place.0, place.1);
                    }
                    canvas.cancel();
                    prop_assert_eq!(&canvas.picture(), &before);
                    prop_assert_eq!(canvas.can_undo(), could);
                }
                _ => drop(draw(&mut canvas, brush(*radius), places)),
            }
            if canvas.picture() != before {
                past.push(before);
            }
        }
        while let Some(before) = past.pop() {
            prop_assert!(canvas.can_undo());
            let mut last = canvas.picture();
            while last != before && canvas.can_undo() {
                canvas.undo();
                last = canvas.picture();
            }
            prop_assert!(last == before);
        }
    }

    #[test]
    fn a_stroke_has_no_gap_and_passes_through_every_place(
        radius in 2.0_f32..20.0,
        places in proptest::collection::vec((10.0_f32..290.0, 10.0_f32..290.0), 2..10),
    ) {
        let mut canvas = Canvas::new(300, 300);
        draw(&mut canvas, brush(radius), &places);
        for (x, y) in &places {
            prop_assert_eq!(pixel(&canvas, *x as usize, *y as usize), INK);
        }
        let mut curve = Curve::new(places[0]);
        let mut end = places[0];
        for place in &places[1..] {
            for (from, to) in curve.to(*place) {
                prop_assert_eq!(from, end);
                prop_assert!((to.0 - from.0).hypot(to.1 - from.1) < 24.0);
                // All the way along, as far as it lies on the page.
                for part in 0..8 {
                    let part = part as f32 / 8.0;
                    let at = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
                    if at.0 >= 0.0 && at.1 >= 0.0 && at.0 < 300.0 && at.1 < 300.0 {
                        prop_assert_eq!(pixel(&canvas, at.0 as usize, at.1 as usize), INK);
                    }
                }
                end = to;
            }
        }
    }

    #[test]
    fn a_page_comes_back_from_its_picture(size in page(), places in places()) {
        let mut canvas = Canvas::new(size.0, size.1);
        draw(&mut canvas, brush(8.0), &places);
        let mut other = Canvas::new(size.0, size.1);
        prop_assert!(other.restore(&canvas.picture()));
        prop_assert!(other.picture() == canvas.picture());
        prop_assert!(!other.can_undo());
        prop_assert!(!other.restore(&canvas.picture()[1..]));
    }
}

#[test]
fn a_fast_round_stroke_is_round() {
    // Twelve places of a circle of radius 100: straight lines would cut 3.4 pixels off between two of them.
    let mut curve = Curve::new((250.0, 150.0));
    let mut worst = 0.0_f32;
    for n in 1..=24 {
        let (sin, cos) = (n as f32 / 12.0 * std::f32::consts::TAU).sin_cos();
        for (_, to) in curve.to((150.0 + 100.0 * cos, 150.0 + 100.0 * sin)) {
            if n > 2 {
                worst = worst.max(((to.0 - 150.0).hypot(to.1 - 150.0) - 100.0).abs());
            }
        }
    }
    assert!(worst < 1.3, "{worst}");
}

#[test]
fn a_corner_stays_where_the_child_put_it() {
    let mut canvas = Canvas::new(300, 300);
    draw(&mut canvas, brush(4.0), &[(50.0, 50.0), (200.0, 50.0), (200.0, 250.0)]);
    assert_eq!(pixel(&canvas, 200, 50), INK);
    for beyond in [(206, 100), (206, 60), (210, 50), (200, 44)] {
        assert_eq!(pixel(&canvas, beyond.0, beyond.1), PAPER, "{beyond:?}");
    }
}

#[test]
fn the_edge_of_a_stroke_that_crosses_itself_stays_soft() {
    let mut once = Canvas::new(200, 200);
    draw(&mut once, brush(10.0), &[(50.0, 100.3), (150.0, 100.3)]);
    let mut often = Canvas::new(200, 200);
    let there_and_back = [(50.0, 100.3), (150.0, 100.3)].repeat(10);
    draw(&mut often, brush(10.0), &there_and_back);
    let soft = pixel(&once, 100, 110);
    assert!(soft != PAPER && soft != INK, "{soft:?}");
    assert_eq!(pixel(&often, 100, 110), soft);
}

#[test]
fn undo_keeps_a_bounded_past_and_always_the_last_step() {
    let mut canvas = Canvas::new(466, 466);
    for _ in 0..200 {
        draw(&mut canvas, brush(20.0), &[(20.0, 20.0), (440.0, 440.0), (20.0, 440.0), (440.0, 20.0)]);
        assert!(canvas.can_undo());
    }
    let mut steps = 0;
    while canvas.can_undo() {
        canvas.undo();
        steps += 1;
    }
    assert!((4..=64).contains(&steps), "{steps}");
}

#[test]
fn an_empty_page_needs_no_new_one() {
    let mut canvas = Canvas::new(100, 100);
    assert!(canvas.new_page().is_empty());
    assert!(!canvas.can_undo());
    assert!(canvas.undo().is_empty());
}
