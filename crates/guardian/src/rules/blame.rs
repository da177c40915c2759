//! Which entry of a list makes a policy invalid.

use policy::{Policy, PolicyError};

/// The list and the place in it: rules are added one by one, in the order of the file, until it is this that is wrong.
/// `None` if it is no entry of a list.
pub(super) fn entry(policy: &Policy, wrong: &PolicyError) -> Option<(&'static str, usize)> {
    let mut part = Policy::of(policy.region, Vec::new());
    let same = |part: &Policy| part.validate().as_ref() == Err(wrong);
    if same(&part) {
        return None;
    }
    macro_rules! add {
        ($list:ident) => {
            for (place, entry) in policy.$list.iter().enumerate() {
                part.$list.push(entry.clone());
                if same(&part) {
                    return Some((stringify!($list), place));
                }
            }
        };
        ($($whole:ident),*) => {
            $(part.$whole = policy.$whole.clone();
            if same(&part) {
                return Some((stringify!($whole), 0));
            })*
        };
    }
    add!(contacts);
    add!(schedules);
    add!(apps);
    add!(zones);
    add!(time_zone, child, allowances, retention, features);
    None
}

/// The key of the entry that is wrong, where the error says so.
pub(super) fn key(wrong: &PolicyError) -> &'static str {
    match wrong {
        PolicyError::Id | PolicyError::SharedId { .. } => "id",
        PolicyError::Name => "name",
        PolicyError::Numbers { .. } | PolicyError::SharedNumber { .. } => "numbers",
        PolicyError::Picture { .. } => "picture",
        PolicyError::Until { .. } => "until",
        PolicyError::Expect { .. } => "expect",
        PolicyError::Permissions { .. } => "permissions",
        PolicyError::SharedApp { .. } => "app",
        _ => "",
    }
}
