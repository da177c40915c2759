//! The rules: numbers, contacts, zones, regions and the decision. No I/O.
