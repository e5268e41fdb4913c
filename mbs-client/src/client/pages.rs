//! Lists, which come in pages.
//!
//! What a service says of its next page is an address as it sees itself, wrong behind a proxy: pages are counted, and only
//! whether there is a next one is believed.

use std::collections::VecDeque;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use mbs_core::build_system::Effect;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Client, ClientError, Request};

/// A list with more pages is none.
const MOST_PAGES: u64 = 10_000;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// What stands on it, in the order that was asked for.
    #[serde(alias = "messages")]
    pub items: Vec<T>,
    /// Where it stands in the list.
    pub meta: Meta,
}

/// Where a page stands in its list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Its number, from 1.
    pub page: u64,
    /// How many items a page has.
    pub per_page: u64,
    /// How many pages there are; 0 if nothing matches.
    pub pages: u64,
    /// How many items match.
    pub total: u64,
    /// The address of the first page, as the service sees itself.
    pub first: Option<String>,
    /// That of the last page.
    pub last: Option<String>,
    /// That of the page before; `None` on the first.
    pub prev: Option<String>,
    /// That of the page behind; `None` on the last, and beyond.
    pub next: Option<String>,
}

/// The pages of a list, one after another.
#[derive(Debug, Clone)]
pub struct Pages<T> {
    client: Client,
    request: Request,
    /// The number of the next page; `None`: there is none.
    next: Option<u64>,
    of: std::marker::PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Pages<T> {
    /// Begins with the first page of a list. The request has no `page` of its own.
    pub(crate) fn new(client: Client, request: Request) -> Self {
        Self { client, request, next: Some(1), of: std::marker::PhantomData }
    }

    /// Asks for pages of so many items; the service may give fewer.
    #[must_use]
    pub fn per_page(mut self, items: u64) -> Self {
        self.request = self.request.query("per_page", items.to_string());
        self
    }

    /// Returns the next page; `None` behind the last.
    ///
    /// # Errors
    /// As for [`Client::read`]; the same page is asked for next time.
    pub async fn next(&mut self) -> Result<Option<Page<T>>, ClientError> {
        let Some(number) = self.next else { return Ok(None) };
        let request = self.request.clone().query("page", number.to_string());
        let page: Page<T> = self.client.read(&request).await?;
        let is_last = page.meta.next.is_none() || page.items.is_empty();
        self.next = if is_last { None } else { Some(number + 1) };
        if number >= MOST_PAGES {
            return Err(ClientError::odd("the pages of the list do not end", Effect::None));
        }
        Ok(Some(page))
    }

    /// Returns all items, or the first `most` of them.
    ///
    /// # Errors
    /// As for [`next`](Self::next): nothing is known.
    pub async fn all(mut self, most: usize) -> Result<Vec<T>, ClientError> {
        let mut all = Vec::new();
        while all.len() < most
            && let Some(page) = self.next().await?
        {
            all.extend(page.items);
        }
        all.truncate(most);
        Ok(all)
    }

    /// Returns all items one by one; pages are asked for when they are needed, and an error ends them.
    pub fn items(self) -> impl Stream<Item = Result<T, ClientError>> {
        try_unfold((self, VecDeque::new()), async |(mut pages, mut items)| {
            loop {
                if let Some(item) = items.pop_front() {
                    return Ok(Some((item, (pages, items))));
                }
                match pages.next().await? {
                    Some(page) => items.extend(page.items),
                    None => return Ok(None),
                }
            }
        })
    }
}
