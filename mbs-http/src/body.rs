//! Bodies of answers, read with a bound, and the words of those that are not what was asked for.

use reqwest::Response;

use crate::{Failure, Trouble};

/// As much of a body is looked at for its first words.
const WORDS_BYTES: usize = 4 << 10;

/// Reads a body to its end.
///
/// # Errors
/// `Excess`: it is longer, unpacked, than so many bytes. Otherwise it ends early or cannot be unpacked.
pub async fn whole(response: &mut Response, limit_bytes: u64) -> Result<Vec<u8>, Failure> {
    let announced = response.content_length().unwrap_or(0);
    if announced > limit_bytes {
        return Err(too_long(limit_bytes));
    }
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
    while let Some(part) = response.chunk().await.map_err(|error| Failure::of_reading(&error))? {
        if (body.len() + part.len()) as u64 > limit_bytes {
            return Err(too_long(limit_bytes));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

fn too_long(limit_bytes: u64) -> Failure {
    Failure::new(Trouble::Excess, format!("it is longer than {limit_bytes} bytes"))
}

/// Reads so many bytes of a body, or as far as it comes.
pub async fn beginning(response: &mut Response, limit_bytes: usize) -> Vec<u8> {
    let mut start = Vec::new();
    while start.len() < limit_bytes
        && let Ok(Some(part)) = response.chunk().await
    {
        start.extend_from_slice(&part[..part.len().min(limit_bytes - start.len())]);
    }
    start
}

/// Tells status and first words of an answer, without markup.
pub fn said(status: u16, body: &[u8]) -> String {
    match first_words(&body[..body.len().min(WORDS_BYTES)]) {
        words if words.is_empty() => format!("HTTP {status} and nothing that can be read"),
        words => format!("HTTP {status} and the words `{words}`"),
    }
}

fn first_words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut is_tag = false;
    let plain: String = text
        .chars()
        .map(|c| {
            is_tag = c == '<' || (is_tag && c != '>');
            if is_tag || c == '>' || c.is_control() { ' ' } else { c }
        })
        .collect();
    let words: Vec<&str> = plain.split_whitespace().take(8).collect();
    words.join(" ").chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_told_by_its_first_words_without_markup() {
        let page = b"<html>\n<head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1>";
        assert_eq!(said(502, page), "HTTP 502 and the words `502 Bad Gateway Bad Gateway`");
        assert_eq!(said(500, b" \x00<br>"), "HTTP 500 and nothing that can be read");
        assert!(said(200, &[b'x'; 9000]).len() < 120);
    }
}
