//! What the first bytes of a file say of its type.

/// The media type that a file's beginning gives away; None when it is none of those known.
pub(crate) fn detect(start: &[u8]) -> Option<&'static str> {
    const PREFIXES: [(&[u8], &str); 14] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"BM", "image/bmp"),
        (b"II*\0", "image/tiff"),
        (b"MM\0*", "image/tiff"),
        (b"%PDF", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x1f\x8b", "application/gzip"),
        (b"ID3", "audio/mpeg"),
        (b"\xff\xfb", "audio/mpeg"),
        (b"\xff\xf3", "audio/mpeg"),
        (b"\xff\xf2", "audio/mpeg"),
        (b"OggS", "audio/ogg"),
    ];
    if let Some((_, found)) = PREFIXES
        .iter()
        // Two letters begin many a text; a bitmap's reserved bytes tell it from one.
        .find(|(prefix, found)| {
            start.starts_with(prefix)
                && (*found != "image/bmp"
                    || start.get(6..10).is_none_or(|reserved| reserved == [0; 4]))
        })
    {
        return Some(found);
    }
    match (start.get(..4), start.get(8..12)) {
        (Some(b"RIFF"), Some(b"WEBP")) => return Some("image/webp"),
        (Some(b"RIFF"), Some(b"WAVE")) => return Some("audio/wav"),
        _ => {}
    }
    if start.get(4..8) != Some(b"ftyp") {
        return None;
    }
    Some(match start.get(8..12) {
        Some(b"avif" | b"avis") => "image/avif",
        Some(b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1") => "image/heic",
        _ => "video/mp4",
    })
}

/// Whether a file declared as one type may begin as another does.
pub(crate) fn agrees(declared: &str, detected: &str) -> bool {
    let declared = declared.to_ascii_lowercase();
    if declared == detected || declared == "application/octet-stream" {
        return true;
    }
    let (_, subtype) = declared.split_once('/').unwrap_or(("", &declared));
    match detected {
        "image/jpeg" => matches!(subtype, "jpg" | "pjpeg"),
        "image/bmp" => matches!(subtype, "x-ms-bmp" | "x-bmp"),
        "image/heic" => matches!(subtype, "heif" | "heic-sequence" | "heif-sequence"),
        "application/pdf" => subtype == "x-pdf",
        // Formats that are archives inside: documents, books, packages.
        "application/zip" => {
            subtype.contains("zip")
                || subtype.starts_with("vnd.openxmlformats-officedocument")
                || subtype.starts_with("vnd.oasis.opendocument")
                || subtype.starts_with("vnd.ms-")
                || subtype == "vnd.android.package-archive"
                || subtype == "java-archive"
        }
        "application/gzip" => matches!(subtype, "x-gzip" | "x-tar" | "x-gtar" | "x-compressed-tar"),
        "audio/mpeg" => matches!(subtype, "mp3" | "x-mp3" | "mpeg3" | "x-mpeg"),
        "audio/ogg" => matches!(subtype, "ogg" | "opus" | "vorbis"),
        "audio/wav" => matches!(subtype, "x-wav" | "wave" | "vnd.wave"),
        "video/mp4" => matches!(
            subtype,
            "mp4" | "quicktime" | "x-m4v" | "x-m4a" | "m4a" | "3gpp" | "3gpp2" | "aac"
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_known() {
        let cases: [(&[u8], Option<&str>); 16] = [
            (b"\x89PNG\r\n\x1a\n....", Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a", Some("image/gif")),
            (b"RIFF....WEBPVP8 ", Some("image/webp")),
            (b"RIFF....WAVEfmt ", Some("audio/wav")),
            (b"RIFF....AVI ", None),
            (b"BM\x10\0\0\0\0\0\0\0", Some("image/bmp")),
            (b"BMW is a car", None),
            (b"MM\0*", Some("image/tiff")),
            (b"%PDF-1.7", Some("application/pdf")),
            (b"PK\x03\x04", Some("application/zip")),
            (b"\0\0\0\x18ftypmp42", Some("video/mp4")),
            (b"\0\0\0\x18ftypavif", Some("image/avif")),
            (b"\0\0\0\x18ftypheic", Some("image/heic")),
            (b"hello", None),
            (b"", None),
        ];
        for (start, expected) in cases {
            assert_eq!(detect(start), expected, "{start:?}");
        }
    }

    #[test]
    fn one_type_has_several_names() {
        for (declared, detected) in [
            ("image/png", "image/png"),
            ("IMAGE/JPG", "image/jpeg"),
            (
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "application/zip",
            ),
            ("application/octet-stream", "image/png"),
            ("video/quicktime", "video/mp4"),
        ] {
            assert!(agrees(declared, detected), "{declared} {detected}");
        }
        for (declared, detected) in [
            ("image/png", "image/jpeg"),
            ("text/plain", "application/zip"),
            ("image/gif", "application/pdf"),
        ] {
            assert!(!agrees(declared, detected), "{declared} {detected}");
        }
    }
}
