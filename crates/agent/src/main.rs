//! agent: the developer's door into the development image, never in a product.

fn main() {}
