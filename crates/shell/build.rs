//! Compiles the screens and embeds the typeface, so that the watch needs no fontconfig and no font files.

use std::path::PathBuf;

const FONT: &str = "Quicksand-Bold.ttf";
const FOLDER: &str = "/usr/share/fonts/truetype/quicksand";

fn main() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed=NESTLING_FONT_DIR");
    let folder = std::env::var_os("NESTLING_FONT_DIR").map_or_else(|| PathBuf::from(FOLDER), PathBuf::from);
    if !folder.join(FONT).is_file() {
        return Err(format!(
            "{} is missing. Install the package fonts-quicksand, or set NESTLING_FONT_DIR to a folder with {FONT}",
            folder.join(FONT).display()
        ));
    }
    let config = slint_build::CompilerConfiguration::new()
        .with_include_paths(vec![folder])
        .with_style("fluent-dark".into())
        .embed_resources(slint_build::EmbedResourcesKind::EmbedFiles);
    slint_build::compile_with_config("ui/shell.slint", config).map_err(|e| e.to_string())
}
