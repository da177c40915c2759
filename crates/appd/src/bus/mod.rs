//! What appd offers on the bus: one file for each interface.

mod apps1;

pub use apps1::Apps1;
