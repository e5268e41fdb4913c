//! The parameters behind an address, and what they mean where many resources share them. Source: rest-api, section 2.

use std::borrow::Cow;

use super::problem::Problem;

/// Parameters in their order; names may be repeated. What is no UTF-8 reads as U+FFFD.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what follows the `?` of an address.
    pub(crate) fn read(text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes());
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// Returns the first value of a parameter.
    pub(crate) fn first<'q>(&'q self, name: &str) -> Option<&'q str> {
        #[cfg(test)]
        asked::note(name);
        self.0.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// Returns the first value of a parameter for which an empty one is as good as none.
    pub(crate) fn filled<'q>(&'q self, name: &str) -> Option<&'q str> {
        self.first(name).filter(|value| !value.is_empty())
    }

    /// Returns all values of a parameter.
    pub(crate) fn all<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        #[cfg(test)]
        asked::note(name);
        self.0.iter().filter(move |(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// Says whether a parameter is true: every other value is false.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.first(name).is_some_and(is_true)
    }

    /// Returns the parameters that links repeat, encoded, each with an `&` before it.
    fn for_links(&self) -> String {
        let is_repeated = |name: &str| {
            !name.starts_with('_') && !["page", "per_page", "endpoint", "api_version"].contains(&name)
        };
        let repeated = self.0.iter().filter(|(name, _)| is_repeated(name));
        repeated.fold(String::new(), |mut links, (name, value)| {
            links.push('&');
            let end = links.len();
            form_urlencoded::Serializer::for_suffix(&mut links, end).append_pair(name, value);
            links
        })
    }
}

/// Says whether a text means true where everything else is false.
pub(crate) fn is_true(text: &str) -> bool {
    text == "1" || text.eq_ignore_ascii_case("true")
}

/// Reads a whole number as clients write them: blanks around and a sign are fine.
pub(crate) fn whole_number(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// Reads a number, with or without fraction; it is finite.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let looks_right = text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|number: &f64| looks_right && number.is_finite())
}

/// Reads the number of a filter.
pub(crate) fn number_of<N>(
    query: &Query,
    name: &str,
    read: impl Fn(&str) -> Option<N>,
) -> Result<Option<N>, Problem> {
    let Some(text) = query.first(name).map(Cow::from) else { return Ok(None) };
    read(&text).map(Some).ok_or_else(|| invalid(name, &text))
}

/// Says that the value of a filter makes no sense.
pub(crate) fn invalid(name: &str, value: &str) -> Problem {
    Problem::bad(format!("An invalid value of \"{name}\" was supplied: {}", value.escape_debug()))
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paging {
    /// From 1.
    pub(crate) page: u64,
    /// At most what is configured.
    pub(crate) per_page: usize,
}

const USUAL: usize = 10;

/// What clients get who ask for less than nothing.
const FOR_NEGATIVE: usize = 20;

impl Paging {
    /// Reads which part is asked for; `most` is the largest page that is given out.
    pub(crate) fn of(query: &Query, most: usize) -> Self {
        let page = query.first("page").map_or(1, |text| clamped(text).unwrap_or(1));
        let per_page = query.first("per_page").and_then(clamped).map_or(USUAL, |wanted| {
            if wanted < 0 { FOR_NEGATIVE } else { usize::try_from(wanted).unwrap_or(most).min(most) }
        });
        Self { page: u64::try_from(page).unwrap_or(1).max(1), per_page }
    }

    /// Returns the part of the list, as stores are asked for it.
    pub(crate) fn part(&self) -> mbs_core::store::Page {
        let skip = (self.page - 1).saturating_mul(self.per_page as u64);
        // No store counts further, and nothing is there.
        let skip = skip.min(i64::MAX.unsigned_abs());
        mbs_core::store::Page { before: None, skip, limit: self.per_page }
    }

    /// Describes the part of a list with so many items; `list` is the whole address of the list.
    pub(crate) fn meta(&self, total: u64, list: &str, query: &Query) -> Meta {
        let pages = if self.per_page == 0 { 0 } else { total.div_ceil(self.per_page as u64) };
        let rest = query.for_links();
        let link = |page: u64| format!("{list}?page={page}&per_page={}{rest}", self.per_page);
        Meta {
            first: link(1),
            last: link(pages),
            next: (self.page < pages).then(|| link(self.page + 1)),
            page: self.page,
            pages,
            per_page: self.per_page,
            prev: (self.page > 1).then(|| link(self.page - 1)),
            total,
        }
    }
}

/// Reads a whole number; one that is too large for us is as large as can be. `None`: it is none.
fn clamped(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let beyond = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    is_number.then(|| text.parse().unwrap_or(beyond))
}

/// Which part of a list an answer holds, and where the others are.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Meta {
    pub(crate) first: String,
    pub(crate) last: String,
    pub(crate) next: Option<String>,
    pub(crate) page: u64,
    pub(crate) pages: u64,
    pub(crate) per_page: usize,
    pub(crate) prev: Option<String>,
    pub(crate) total: u64,
}

/// Which parameters are asked for, so that tests hold the description to what is read.
#[cfg(test)]
pub(crate) mod asked {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    thread_local! {
        static ASKED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
    }

    /// Notes that this thread asked for a parameter.
    pub(crate) fn note(name: &str) {
        ASKED.with_borrow_mut(|asked| asked.insert(name.to_owned()));
    }

    /// Returns what this thread asked for since the last call.
    pub(crate) fn taken() -> BTreeSet<String> {
        ASKED.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging(text: &str) -> (u64, usize) {
        let paging = Paging::of(&Query::read(text), 1_000);
        (paging.page, paging.per_page)
    }

    #[test]
    fn odd_pages_are_corrected() {
        assert_eq!(paging(""), (1, 10));
        assert_eq!(paging("page=3&per_page=5"), (3, 5));
        assert_eq!(paging("page=0&per_page=0"), (1, 0));
        assert_eq!(paging("page=-4&per_page=-1"), (1, 20));
        assert_eq!(paging("page=abc&per_page=1.5"), (1, 10));
        assert_eq!(paging("page=%2B2&per_page=+7+"), (2, 7));
        assert_eq!(paging("page=&per_page="), (1, 10));
        assert_eq!(paging("per_page=1001"), (1, 1_000));
        assert_eq!(paging("per_page=99999999999999999999"), (1, 1_000));
        assert_eq!(paging("page=99999999999999999999").0, i64::MAX as u64);
        assert_eq!(Paging::of(&Query::read("per_page=9999"), 5_000).per_page, 5_000);
    }

    #[test]
    fn no_page_is_beyond_what_stores_count() {
        let paging = Paging { page: i64::MAX as u64, per_page: 1_000 };
        assert_eq!(paging.part().skip, i64::MAX as u64);
    }

    #[test]
    fn links_repeat_what_was_asked() {
        let query =
            Query::read("state=ready&page=2&state=build&_x=1&endpoint=e&n=a+b%3A&per_page=9&api_version=2");
        let meta = Paging { page: 2, per_page: 9 }.meta(19, "http://h/l/", &query);
        assert_eq!(meta.first, "http://h/l/?page=1&per_page=9&state=ready&state=build&n=a+b%3A");
        assert_eq!(
            (meta.pages, meta.next, meta.prev.is_some()),
            (3, Some(meta.first.replace("page=1", "page=3")), true)
        );
    }

    #[test]
    fn an_empty_list_has_no_pages_and_beyond_the_end_there_is_one_before() {
        let meta = Paging { page: 1, per_page: 10 }.meta(0, "l", &Query::default());
        assert_eq!(
            (meta.pages, meta.last.as_str(), meta.prev, meta.next),
            (0, "l?page=0&per_page=10", None, None)
        );
        let meta = Paging { page: 99, per_page: 10 }.meta(20, "l", &Query::default());
        assert_eq!((meta.prev.as_deref(), meta.next), (Some("l?page=98&per_page=10"), None));
    }

    #[test]
    fn numbers_are_read_as_clients_write_them() {
        assert_eq!([" 7 ", "+7", "-7"].map(whole_number), [Some(7), Some(7), Some(-7)]);
        assert_eq!(["", "7.0", "²", "x", "99999999999999999999", "1_0"].map(whole_number), [None; 6]);
        assert_eq!(["80200.0", "8e4", " 1"].map(number), [Some(80200.0), Some(8e4), Some(1.0)]);
        assert_eq!(["nan", "inf", "", "x", "1e999", "e"].map(number), [None; 6]);
    }
}
