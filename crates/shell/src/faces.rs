//! People are pictures: turns a contact's picture key into a drawn face.
//!
//! A key the shell does not know, and no key at all, give a face derived from the contact's id: the same
//! person always looks the same.

// A colour is read as its six digits.
#![allow(clippy::unreadable_literal)]

use slint::Color;

use crate::ui::Look;

const SKINS: [u32; 6] = [0xF6D7BD, 0xF3C9A5, 0xD9A273, 0xC68A5B, 0xA9714B, 0x7B4E35];
const HAIRS: [u32; 6] = [0x5B3A29, 0x2B2B33, 0xA8642C, 0xE0B25A, 0xC9C9D6, 0x3E2318];
const SHIRTS: [u32; 6] = [0x2F6FB0, 0x1F8A63, 0xD4574C, 0x7D5CC9, 0xD99A1E, 0x3C4666];
const GROUNDS: [u32; 6] = [0xCFE6FF, 0xC4F2DE, 0xFFE7AE, 0xE1D7FF, 0xFFD8D2, 0xD8E8C0];

const SHORT: i32 = 0;
const LONG: i32 = 1;
const BUN: i32 = 2;
const CURLY: i32 = 3;
const PIGTAILS: i32 = 4;
const BALD: i32 = 5;

fn colour(rgb: u32) -> Color {
    Color::from_argb_encoded(0xFF00_0000 | rgb)
}

fn look(ground: u32, skin: u32, hair: u32, shirt: u32, style: i32) -> Look {
    Look {
        ground: colour(ground),
        skin: colour(skin),
        hair: colour(hair),
        shirt: colour(shirt),
        style,
        ..Look::default()
    }
}

/// The face for a picture key such as `face:mum`.
pub(crate) fn face(picture: &str, contact: &str) -> Look {
    match picture {
        "face:mum" => look(0xFFE7AE, 0xF3C9A5, 0x6B4029, 0xD4574C, LONG),
        "face:dad" => Look { beard: true, ..look(0xCFE6FF, 0xD9A273, 0x2B2B33, 0x2F6FB0, SHORT) },
        "face:gran" => Look { glasses: true, ..look(0xE1D7FF, 0xF6D7BD, 0xD5D5E0, 0x7D5CC9, BUN) },
        "face:grandpa" => Look { glasses: true, ..look(0xC4F2DE, 0xF3C9A5, 0xD5D5E0, 0x1F8A63, BALD) },
        "face:aunt" => look(0xC4F2DE, 0xA9714B, 0x3E2318, 0xD99A1E, CURLY),
        "face:uncle" => look(0xFFD8D2, 0xC68A5B, 0x2B2B33, 0x3C4666, SHORT),
        "face:girl" => look(0xFFD8D2, 0xF6D7BD, 0xE0B25A, 0x2F6FB0, PIGTAILS),
        "face:boy" => look(0xD8E8C0, 0xA9714B, 0x2B1A14, 0xD4574C, SHORT),
        _ => derived(contact),
    }
}

/// The sign of an emergency service.
pub(crate) fn service() -> Look {
    Look { service: true, ..Look::default() }
}

fn derived(contact: &str) -> Look {
    // FNV-1a: small, and the same on every watch and in every version.
    let hash = contact
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3));
    let pick = |shift: u32, from: &[u32; 6]| {
        from.get((hash >> shift) as usize % from.len()).copied().unwrap_or_default()
    };
    let skin = pick(8, &SKINS);
    Look {
        glasses: (hash >> 48) % 5 == 0,
        ..look(pick(16, &GROUNDS), skin, pick(24, &HAIRS), pick(32, &SHIRTS), ((hash >> 40) % 6) as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_gives_each_contact_a_face_of_its_own_that_stays() {
        assert_eq!(face("face:dragon", "lena"), face("", "lena"));
        let faces = ["a", "b", "c", "d", "e", "f"].map(|id| face("", id));
        let different = faces.iter().enumerate().all(|(n, f)| faces.iter().skip(n + 1).all(|g| f != g));
        assert!(different);
    }
}
