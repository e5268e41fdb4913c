//! Moments as filters take them: UTC, with or without saying so.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads `YYYY-MM-DDTHH:MM:SS`, a fraction that is dropped, then nothing, `Z` or a zone that is no other than UTC.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let (seconds, rest) = (text.get(..19)?, text.get(19..)?);
    let form = "dddd-dd-ddTdd:dd:dd";
    let fits = |(byte, form): (u8, u8)| if form == b'd' { byte.is_ascii_digit() } else { byte == form };
    if !seconds.bytes().zip(form.bytes()).all(fits) {
        return None;
    }
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() {
                return None;
            }
            zone
        }
        None => rest,
    };
    if !["", "Z", "+00", "-00", "+00:00", "-00:00"].contains(&zone) {
        return None;
    }
    let moment: DateTime = seconds.parse().ok()?;
    // Sixty seconds are read as the minute that follows; clients never saw that pass.
    if &seconds[17..] == "60" {
        return None;
    }
    Some(TimeZone::UTC.to_ambiguous_zoned(moment).compatible().ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_is_read_in_all_its_spellings() {
        let wanted: Timestamp = "2023-03-01T04:00:07Z".parse().unwrap();
        for zone in ["", "Z", "+00", "-00", "+00:00", "-00:00", ".123", ".5Z"] {
            assert_eq!(read(&format!("2023-03-01T04:00:07{zone}")), Some(wanted), "{zone}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for text in [
            "",
            "yesterday",
            "2023-03-01",
            "2023-03-01T04:00:07z",
            "2023-03-01T04:00:07+01:00",
            "2023-13-01T04:00:07Z",
            "2023-02-30T04:00:07Z",
            "2023-03-01T25:00:07Z",
            "2023-03-01T04:00:60Z",
            "2023-03-01 04:00:07",
            "2023-03-01T04:00:07.Z",
            "2023-03-01T04:00:0é",
            "+023-03-01T04:00:07",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
