//! Media types of files, by the ends of their names.

use std::path::Path;

/// What is sent for a name that says nothing.
pub const UNKNOWN: &str = "application/octet-stream";

/// Where we know better than the general table: names in use that it lacks, or has under an old type.
const OWN: [(&str, &str); 5] = [
    ("mjs", "text/javascript"),
    ("cjs", "text/javascript"),
    ("map", "application/json"),
    ("webmanifest", "application/manifest+json"),
    ("md", "text/markdown"),
];

/// The media type of a file, without a charset.
pub fn of(path: &Path) -> &'static str {
    let Some(extension) = path.extension().and_then(|extension| extension.to_str()) else {
        return UNKNOWN;
    };
    OWN.iter()
        .find(|(own, _)| extension.eq_ignore_ascii_case(own))
        .map(|(_, media_type)| *media_type)
        .or_else(|| mime_guess::from_ext(extension).first_raw())
        .unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_name_says_the_type() {
        for (name, expected) in [
            ("hello.txt", "text/plain"),
            ("index.html", "text/html"),
            ("INDEX.HTM", "text/html"),
            ("app.js", "text/javascript"),
            ("app.mjs", "text/javascript"),
            ("app.js.map", "application/json"),
            ("style.css", "text/css"),
            ("data.json", "application/json"),
            ("logo.svg", "image/svg+xml"),
            ("photo.jpg", "image/jpeg"),
            ("photo.PNG", "image/png"),
            ("photo.webp", "image/webp"),
            ("font.woff2", "font/woff2"),
            ("module.wasm", "application/wasm"),
            ("paper.pdf", "application/pdf"),
            ("all.tar.gz", "application/gzip"),
            ("site.webmanifest", "application/manifest+json"),
            ("readme.md", "text/markdown"),
            ("favicon.ico", "image/x-icon"),
            ("table.csv", "text/csv"),
            ("feed.xml", "text/xml"),
            ("film.mp4", "video/mp4"),
        ] {
            assert_eq!(of(Path::new(name)), expected, "{name}");
        }
        for name in ["LICENSE", "no.such-extension", ".gitignore", "dot."] {
            assert_eq!(of(Path::new(name)), UNKNOWN, "{name}");
        }
    }
}
