//! What must not reach a log.

/// A number, name, place or text of a family: `Debug` writes `…` in its place.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Private<T>(pub T);

impl<T> std::fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}
