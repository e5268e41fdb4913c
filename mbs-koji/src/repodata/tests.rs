use std::io::Write as _;

use super::*;

const PRIMARY: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="2">
<package type="rpm">
  <name>perl-libs</name>
  <arch>x86_64</arch>
  <version epoch="4" ver="5.30" rel="1.el8"/>
  <format><rpm:provides><rpm:entry name="name"/></rpm:provides><file>/name</file></format>
</package>
<package type="rpm"><name>bash</name><arch>src</arch><version ver="5" rel="2"/></package>
<package type="rpm"><name>no-version</name><arch>x86_64</arch></package>
</metadata>
"#;

fn names(bytes: &[u8]) -> Result<Vec<String>, String> {
    Ok(primary::read(unpacked(bytes)?)?.iter().map(ToString::to_string).collect())
}

fn gzip(text: &str) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn rpms_are_read_plain_or_packed() {
    let wanted = Ok(vec!["perl-libs-4:5.30-1.el8.x86_64".to_owned(), "bash-0:5-2.src".to_owned()]);
    assert_eq!(names(PRIMARY.as_bytes()), wanted);
    assert_eq!(names(&gzip(PRIMARY)), wanted);
    assert_eq!(names(&zstd(PRIMARY)), wanted);
}

#[test]
fn what_is_cut_off_or_of_another_kind_is_refused() {
    let cut = &PRIMARY[..PRIMARY.len() / 2];
    assert!(names(cut.as_bytes()).is_err());
    let packed = gzip(PRIMARY);
    assert!(names(&packed[..packed.len() / 2]).is_err());
    assert_eq!(names(b"BZh9"), Err("it is packed neither with gzip nor with zstd".to_owned()));
}

#[test]
fn the_index_names_the_primary_metadata_below_the_repository() {
    let index = |place: &str| {
        format!(
            r#"<repomd><data type="filelists"><location href="repodata/f.gz"/></data>
               <data type="primary"><location href="{place}"/></data></repomd>"#
        )
    };
    let found = |place: &str| index::primary_of(index(place).as_bytes());
    assert_eq!(found("repodata/p.xml.gz"), Ok("repodata/p.xml.gz".to_owned()));
    for outside in ["/etc/passwd", "../p.xml.gz", "http://elsewhere/p.xml.gz", "p?x"] {
        assert!(found(outside).is_err(), "{outside}");
    }
    assert_eq!(index::primary_of(b"<repomd/>"), Err("its index names no primary metadata".to_owned()));
}
