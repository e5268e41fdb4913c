//! Lists that come in pages, or at once.
//!
//! PDC gives a bare list for `page_size=-1`, else pages. What it says of the next page is an address as it sees itself, wrong
//! behind a proxy: pages are counted. All pages of a list share its bytes and its time.

use std::fmt;
use std::marker::PhantomData;

use mbs_core::build_system::Effect;
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};

use super::allowance::Allowance;
use super::{Pdc, PdcError, Request, decoded};

/// A list with more pages is none: with the usual 20 entries on each, no PDC has had as many.
const MOST_PAGES: u64 = 1000;

/// A list as it comes.
enum Listed<T> {
    Bare(Vec<T>),
    Page(Page<T>),
}

#[derive(Deserialize)]
struct Page<T> {
    count: u64,
    next: Option<String>,
    results: Vec<T>,
}

/// Told apart by its first character, so that nothing is read twice.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Listed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListedVisitor(PhantomData))
    }
}

struct ListedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListedVisitor<T> {
    type Value = Listed<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list, or a page of one")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(items)).map(Listed::Bare)
    }

    fn visit_map<A: MapAccess<'de>>(self, page: A) -> Result<Self::Value, A::Error> {
        Page::deserialize(MapAccessDeserializer::new(page)).map(Listed::Page)
    }
}

/// Tells of a page that was to come: if it is not there, entries have been removed meanwhile.
fn gone(error: PdcError) -> PdcError {
    match error {
        PdcError::NotFound { what, reason } => {
            let reason = format!("{what} became shorter while it was read: {reason}");
            PdcError::Unavailable { reason, effect: Effect::None, retry_after: None }
        }
        error => error,
    }
}

impl Pdc {
    /// Returns a list whole, in PDC's order. It is asked for at once; a server that gives pages all the same is asked for each.
    ///
    /// # Errors
    /// As for [`read`](Self::read); `Protocol` also if its pages do not end, or are longer together than an answer may be;
    /// `Unavailable` also if they take too long together, or one has gone meanwhile.
    pub async fn list<T: DeserializeOwned + Send + 'static>(
        &self,
        request: &Request,
    ) -> Result<Vec<T>, PdcError> {
        self.list_from(&request.clone().query("page_size", "-1"), request).await
    }

    /// Returns a list whole that begins with the answer to a request; further pages are those of the other.
    pub(crate) async fn list_from<T: DeserializeOwned + Send + 'static>(
        &self,
        first: &Request,
        request: &Request,
    ) -> Result<Vec<T>, PdcError> {
        let mut allowance = Allowance::of_list(&self.0.server);
        let mut page = match self.page(first, &mut allowance).await? {
            Listed::Bare(all) => return Ok(all),
            Listed::Page(page) => page,
        };
        let per_page = page.results.len() as u64;
        let mut all = Vec::new();
        for number in 2.. {
            let Page { count, next, results } = page;
            all.extend(results);
            if next.is_none() {
                break;
            }
            // Entries may be added meanwhile: each page says anew how many there are.
            if per_page == 0 || (number - 1) * per_page >= count || number > MOST_PAGES {
                return Err(PdcError::odd(format!("the pages of {} do not end", request.shown_path())));
            }
            let next = request.clone().query("page", number.to_string());
            page = self.page(&next, &mut allowance).await.map_err(gone)?;
        }
        Ok(all)
    }

    /// Returns a page, or all there is, and takes from what the list is allowed.
    async fn page<T: DeserializeOwned + Send + 'static>(
        &self,
        request: &Request,
        allowance: &mut Allowance,
    ) -> Result<T, PdcError> {
        allowance.turn_page(&self.0.server);
        let body = self.asked(request, allowance).await?;
        allowance.take_bytes(body.len() as u64);
        decoded(body, request).await
    }
}
