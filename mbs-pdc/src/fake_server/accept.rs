//! What kind of answer a client takes.

/// What goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Page,
}

/// Returns what of JSON and a page is sent to a client that accepts this; `None`: neither.
///
/// The most specific types are looked at first, JSON before a page; how much a client likes them (`q`) is not.
pub(super) fn choose(accepted: Option<&str>) -> Option<Form> {
    let types: Vec<&str> = accepted.unwrap_or("*/*").split(',').map(str::trim).collect();
    (0..4).rev().find_map(|precision| {
        let own: Vec<&str> = types.iter().copied().filter(|kind| precision_of(kind) == precision).collect();
        let takes = |offered: &str| own.iter().any(|kind| matches(kind, offered));
        match (takes("application/json"), takes("text/html")) {
            (true, _) => Some(Form::Json),
            (false, true) => Some(Form::Page),
            (false, false) => None,
        }
    })
}

fn precision_of(kind: &str) -> u8 {
    let (essence, parameters) = kind.split_once(';').unwrap_or((kind, ""));
    let only_liking = parameters.trim().is_empty() || parameters.trim().starts_with("q=");
    match essence.trim() {
        "*/*" => 0,
        essence if essence.ends_with("/*") => 1,
        _ if only_liking => 2,
        _ => 3,
    }
}

fn matches(kind: &str, offered: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence == "*/*"
        || essence == offered
        || essence
            .strip_suffix('*')
            .is_some_and(|family| family.ends_with('/') && offered.starts_with(family))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_a_page_and_a_program_json() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(choose(Some(browser)), Some(Form::Page));
        assert_eq!(choose(Some("text/html, application/json;q=0.1")), Some(Form::Json));
        assert_eq!(choose(Some("application/*")), Some(Form::Json));
        assert_eq!(choose(None), Some(Form::Json));
        assert_eq!(choose(Some("text/plain")), None);
    }
}
