//! JSON in which no object has a key twice, so that no two readers understand two things.

use std::collections::HashSet;

use serde::de::{DeserializeOwned, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads a value that ends where the bytes end. Depth is bounded by serde_json (128).
///
/// # Errors
/// Not JSON, a key that stands twice at any depth, or not a `T`.
pub(crate) fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice::<NoKeyTwice>(bytes)?;
    serde_json::from_slice(bytes)
}

/// Any value, looked through and thrown away. Derived types refuse a field that stands twice; a map would take
/// the last of the two.
struct NoKeyTwice;

impl<'de> Deserialize<'de> for NoKeyTwice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for NoKeyTwice {
    type Value = Self;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key) {
                return Err(A::Error::custom("a key stands twice"));
            }
            map.next_value::<Self>()?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    type Map = BTreeMap<String, serde_json::Value>;

    #[test]
    fn a19_a_key_that_stands_twice_is_refused_at_any_depth_and_in_any_spelling() {
        let fine = r#"{"a":1,"b":[{"a":-1},{"a":2.5}],"c":{"a":null,"b":true,"d":"x"}}"#;
        assert!(from_slice::<Map>(fine.as_bytes()).is_ok());
        for twice in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":[{"b":{"c":1,"d":2,"c":3}}]}"#,
            r#"{"a":{"b":[],"b":{}}}"#,
        ] {
            assert!(serde_json::from_str::<Map>(twice).is_ok(), "the test would show nothing: {twice}");
            assert!(from_slice::<Map>(twice.as_bytes()).is_err(), "{twice}");
        }
    }

    #[test]
    fn a19_bytes_after_the_value_and_endless_depth_are_refused() {
        for wrong in ["{}x", "{}{}", "{} 1", "{}\0", "", "{\"a\":1"] {
            assert!(from_slice::<Map>(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        assert!(from_slice::<Map>(deep.as_bytes()).is_err());
    }
}
