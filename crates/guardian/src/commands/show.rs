//! `show`: what is in force as far as is known here, and what is in an envelope.

use std::path::Path;

use crate::error::{Error, Result, shown};
use crate::family::{Family, order_of, read_envelope};
use crate::words;

pub(crate) fn run(family: &Family, envelope: Option<&Path>) -> Result<()> {
    let text = match envelope {
        None => words::family(family)?,
        Some(file) => {
            let envelope = read_envelope(file)?;
            let order =
                order_of(&envelope).ok_or_else(|| Error::not(file, &"the envelope holds no order"))?;
            let signatures = words::signatures(family, &envelope)?;
            format!("{}{signatures}", words::order(family, &order))
        }
    };
    print!("{}", shown(&text));
    Ok(())
}
