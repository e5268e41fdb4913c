use proptest::prelude::*;

use super::*;

const SPEC: &str = "%define dist .x\nName: module-build-macros\nVersion: 0.1\nSummary: Macros\nLicense: MIT\n\
                    %changelog\n* Fri Feb 09 2024 Somebody - 0.1\n- Macros\n";

fn made(spec: &str, macros: &str, dist: &str) -> Result<SourceRpm, SourceRpmError> {
    source_rpm(&MacrosPackage { spec: spec.into(), macros: macros.into() }, dist)
}

#[test]
fn the_same_package_gives_the_same_bytes_and_another_one_others() {
    let rpm = made(SPEC, "%dist .x\n", ".x").unwrap();
    assert_eq!(made(SPEC, "%dist .x\n", ".x").unwrap(), rpm);
    for other in [made(SPEC, "%dist .y\n", ".x"), made(SPEC, "%dist .x\n", ".y")] {
        assert_ne!(other.unwrap().bytes, rpm.bytes);
    }
}

#[test]
fn what_can_be_no_release_is_refused() {
    for dist in ["/../x", ".a-b", ".a b", ".a\n", ".ä", &".x".repeat(101)] {
        let refused = made(SPEC, "", dist);
        assert!(matches!(refused, Err(SourceRpmError::InvalidDist { .. })), "{dist:?} {refused:?}");
    }
    assert_eq!(made(SPEC, "", "").unwrap().file_name, "module-build-macros-0.1-1.src.rpm");
}

#[test]
fn the_header_says_what_the_spec_says_and_that_it_is_a_source() {
    let rpm = made(SPEC, "%dist .x\n", ".x").unwrap();
    let read = rpm::Package::parse(&mut &rpm.bytes[..]).unwrap();
    let header = &read.metadata;
    let nvr = [header.get_name(), header.get_version(), header.get_release()].map(Result::unwrap);
    assert_eq!(nvr, ["module-build-macros", "0.1", "1.x"]);
    // RPM's own programs fill in what lacks here.
    let is_source = header.header.get_entry_data_as_u32_array(rpm::IndexTag::RPMTAG_SOURCEPACKAGE);
    assert_eq!(is_source.unwrap(), [1]);
    assert_eq!((header.get_summary().unwrap(), header.get_license().unwrap()), ("Macros", "MIT"));
    assert_eq!(header.get_build_time().unwrap(), 1_707_480_000);
    assert_eq!(rpm.bytes[LEAD_TYPE], LEAD_SOURCE);
}

proptest! {
    #[test]
    fn whatever_the_files_hold_comes_out_as_it_went_in(macros in ".{0,300}", text in "[^%]{0,300}") {
        let spec = format!("{SPEC}{text}");
        let rpm = made(&spec, &macros, ".x").unwrap();
        let read = rpm::Package::parse(&mut &rpm.bytes[..]).unwrap();
        read.verify_digests().unwrap();
        let files: Vec<_> = read.files().unwrap().map(Result::unwrap).collect();
        let contents: Vec<&[u8]> = files.iter().filter_map(|file| file.content()).collect();
        prop_assert_eq!(contents, [macros.as_bytes(), spec.as_bytes()]);
    }
}
