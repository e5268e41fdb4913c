//! Requests that read: lists, single builds, messages, documents. Each is a few questions to the store and one answer.

use std::collections::BTreeMap;

use futures_util::future::try_join;
use mbs_core::build_system::BuildSystemError;
use mbs_core::ident::{BuildId, ComponentId};
use mbs_core::model::ModuleBuild;
use mbs_core::store::{
    Column, ComponentColumn, ComponentFilter, Condition, Filter, ListedBuild, ListedComponent, Logged,
    MOST_LISTED, Order, Page, StoreError, Value,
};
use serde::Serialize;

use super::Frontend;
use super::answer::{Answer, found};
use super::lists;
use super::objects::{
    BuildExtended, BuildShort, BuildStandard, ComponentExtended, ComponentStandard, Form, Message, time,
};
use super::problem::Problem;
use super::query::{Meta, Paging, Query};
use super::request::Seen;

const NO_MODULE: &str = "No such module found.";
const NO_COMPONENT: &str = "No such component found.";

/// A part of a list.
#[derive(Debug, Serialize)]
struct Items<T> {
    items: Vec<T>,
    meta: Meta,
}

/// A part of a log.
#[derive(Debug, Serialize)]
struct Messages {
    messages: Vec<Message>,
    meta: Meta,
}

impl Frontend {
    pub(super) async fn builds(&self, seen: &Seen) -> Result<Answer, Problem> {
        let query = &seen.query;
        lists::refuse_id(query, &seen.path("module-builds/"))?;
        let order = lists::order(query, lists::build_column)?;
        let mut wanted = lists::builds(query)?;
        if let Some(rpm) = &wanted.rpm {
            wanted.filter.columns.push(self.holding(rpm).await?);
        }
        let paging = Paging::of(query, self.most_per_page);
        let filter = wanted.filter;
        let (listed, total) = try_join(
            whole(paging.part(), |page| self.store.list(&filter, &order, page)),
            self.store.count(&filter),
        )
        .await?;
        let meta = paging.meta(total, &seen.url("module-builds/"), query);
        Ok(match Form::of(query) {
            Form::Short => found(&Items { items: listed.iter().map(short).collect(), meta }),
            Form::Standard => {
                found(&Items { items: listed.into_iter().map(BuildStandard::of).collect(), meta })
            }
            Form::Extended => found(&Items { items: self.extended(listed, seen).await?, meta }),
        })
    }

    pub(super) async fn build(&self, seen: &Seen, id: Option<i64>) -> Result<Answer, Problem> {
        lists::refuse_id(&seen.query, &seen.path("module-builds/"))?;
        let listed = self.one(id).await?.ok_or_else(|| Problem::missing(NO_MODULE))?;
        Ok(match Form::of(&seen.query) {
            Form::Short => found(&short(&listed)),
            Form::Standard => found(&BuildStandard::of(listed)),
            Form::Extended => found(&self.extended(vec![listed], seen).await?.pop()),
        })
    }

    /// Finds a single build.
    pub(super) async fn one(&self, id: Option<i64>) -> Result<Option<ListedBuild>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        let filter = Filter { columns: vec![exactly(Column::Id, id)], ..Filter::default() };
        Ok(self.store.list(&filter, &Order::default(), Page::first(1)).await?.pop())
    }

    /// Adds what lists do not show, in the order given.
    pub(super) async fn extended(
        &self,
        listed: Vec<ListedBuild>,
        seen: &Seen,
    ) -> Result<Vec<BuildExtended>, StoreError> {
        let ids: Vec<BuildId> = listed.iter().map(|build| build.id).collect();
        let mut details = self.store.details(&ids).await?;
        let extended = |build: ListedBuild| {
            let details = details.remove(&build.id)?;
            let url = seen.path(&format!("module-builds/{}", build.id));
            Some(BuildExtended::of(build, details, url))
        };
        Ok(listed.into_iter().filter_map(extended).collect())
    }

    /// Shows builds as they were just recorded, in the order given.
    pub(super) async fn recorded(
        &self,
        builds: &[ModuleBuild],
        seen: &Seen,
    ) -> Result<Vec<BuildExtended>, StoreError> {
        let ids = builds.iter().map(|build| Value::Number(build.id.0)).collect();
        let filter = Filter { columns: vec![Condition::AnyOf(Column::Id, ids)], ..Filter::default() };
        let listed = self.store.list(&filter, &Order::default(), Page::first(builds.len())).await?;
        let mut listed: BTreeMap<BuildId, ListedBuild> =
            listed.into_iter().map(|build| (build.id, build)).collect();
        let listed = builds.iter().filter_map(|build| listed.remove(&build.id)).collect();
        self.extended(listed, seen).await
    }

    pub(super) async fn components(&self, seen: &Seen) -> Result<Answer, Problem> {
        let query = &seen.query;
        lists::refuse_id(query, &seen.path("component-builds/"))?;
        let order = lists::order(query, lists::component_column)?;
        let filter = lists::components(query)?;
        let paging = Paging::of(query, self.most_per_page);
        let (listed, total) = try_join(
            whole(paging.part(), |page| self.store.list_components(&filter, &order, page)),
            self.store.count_components(&filter),
        )
        .await?;
        let meta = paging.meta(total, &seen.url("component-builds/"), query);
        Ok(match Form::of(query) {
            Form::Short | Form::Standard => {
                found(&Items { items: listed.into_iter().map(ComponentStandard::of).collect(), meta })
            }
            Form::Extended => found(&Items { items: self.extended_components(listed, seen).await?, meta }),
        })
    }

    pub(super) async fn component(&self, seen: &Seen, id: Option<i64>) -> Result<Answer, Problem> {
        lists::refuse_id(&seen.query, &seen.path("component-builds/"))?;
        let listed = self.one_component(id).await?.ok_or_else(|| Problem::missing(NO_COMPONENT))?;
        Ok(match Form::of(&seen.query) {
            Form::Short | Form::Standard => found(&ComponentStandard::of(listed)),
            Form::Extended => found(&self.extended_components(vec![listed], seen).await?.pop()),
        })
    }

    async fn one_component(&self, id: Option<i64>) -> Result<Option<ListedComponent>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        let filter = ComponentFilter { columns: vec![exactly(ComponentColumn::Id, id)] };
        Ok(self.store.list_components(&filter, &Order::default(), Page::first(1)).await?.pop())
    }

    async fn extended_components(
        &self,
        listed: Vec<ListedComponent>,
        seen: &Seen,
    ) -> Result<Vec<ComponentExtended>, StoreError> {
        let ids: Vec<ComponentId> = listed.iter().map(|component| component.id).collect();
        let mut traces = self.store.component_traces(&ids).await?;
        let extended = |component: ListedComponent| {
            let trace = traces.remove(&component.id).unwrap_or_default();
            let url = seen.path(&format!("component-builds/{}", component.id));
            ComponentExtended::of(component, trace, url)
        };
        Ok(listed.into_iter().map(extended).collect())
    }

    pub(super) async fn build_messages(&self, seen: &Seen, id: Option<i64>) -> Result<Answer, Problem> {
        let build = self.one(id).await?.ok_or_else(|| Problem::missing(NO_MODULE))?;
        let list = format!("module-builds/{}/messages", build.id);
        self.messages(seen, Logged::Build(build.id), &list).await
    }

    pub(super) async fn component_messages(&self, seen: &Seen, id: Option<i64>) -> Result<Answer, Problem> {
        let component = self.one_component(id).await?.ok_or_else(|| Problem::missing(NO_COMPONENT))?;
        let list = format!("component-builds/{}/messages", component.id);
        self.messages(seen, Logged::Component(component.id), &list).await
    }

    async fn messages(&self, seen: &Seen, of: Logged, list: &str) -> Result<Answer, Problem> {
        let paging = Paging::of(&seen.query, self.most_per_page);
        let (lines, total) =
            try_join(whole(paging.part(), |page| self.store.log_page(of, page)), self.store.count_log(of))
                .await?;
        // Links of messages carry no other parameters.
        let meta = paging.meta(total, &seen.url(list), &Query::default());
        let message = |line: mbs_core::store::LogLine| Message {
            id: line.id.0,
            message: line.text,
            time_created: time(line.at),
        };
        Ok(found(&Messages { messages: lines.into_iter().map(message).collect(), meta }))
    }

    pub(super) async fn final_documents(&self, id: Option<i64>) -> Result<Answer, Problem> {
        let missing = || Problem::missing("The module could not be found");
        let build = match self.store.load(BuildId(id.ok_or_else(missing)?)).await {
            Ok(loaded) => loaded.build,
            Err(StoreError::NotFound(_)) => return Err(missing()),
            Err(error) => return Err(error.into()),
        };
        let build_system = self.build_system.as_ref().ok_or_else(no_documents)?;
        let Some(tag) = &build.koji_tag else {
            return Err(Problem::bad(format!("The module build {} has no Koji tag yet", build.nsvc())));
        };
        let documents = match build_system.final_documents(&build).await {
            Ok(documents) => documents,
            Err(BuildSystemError::Unsupported { .. }) => return Err(no_documents()),
            Err(BuildSystemError::NotFound { .. }) => {
                return Err(Problem::bad(format!("Koji does not know the tag {tag}")));
            }
            Err(error) => return Err(error.into()),
        };
        let texts: BTreeMap<String, String> =
            documents.into_iter().map(|(arch, document)| (arch.to_string(), document.to_yaml())).collect();
        Ok(found(&texts))
    }

    /// Returns the condition on builds that contain an RPM.
    async fn holding(&self, rpm: &str) -> Result<Condition<Column>, Problem> {
        let unable = || Problem::bad("Configured builder does not allow to search by rpm binary name!");
        let build_system = self.build_system.as_ref().ok_or_else(unable)?;
        let tags = match build_system.tags_of_rpm(rpm).await {
            Ok(tags) => tags,
            Err(BuildSystemError::Unsupported { .. }) => return Err(unable()),
            Err(BuildSystemError::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let is_destination = |tag: &mbs_core::ident::TagName| {
            let begins =
                self.desk.policy.koji_tag_prefixes.iter().any(|prefix| tag.as_str().starts_with(prefix));
            begins && !tag.as_str().ends_with("-build")
        };
        let tags = tags.iter().filter(|tag| is_destination(tag)).map(|tag| Value::Text(tag.to_string()));
        Ok(Condition::AnyOf(Column::KojiTag, tags.collect()))
    }
}

/// Asks for a part of a list in as many questions as it takes: stores tell at most [`MOST_LISTED`] at a time.
async fn whole<T, F>(part: Page, ask: impl Fn(Page) -> F) -> Result<Vec<T>, StoreError>
where
    F: Future<Output = Result<Vec<T>, StoreError>>,
{
    let mut all = Vec::new();
    loop {
        let limit = (part.limit - all.len()).min(MOST_LISTED);
        let told = ask(Page { skip: part.skip.saturating_add(all.len() as u64), limit, ..part }).await?;
        let is_last = told.len() < limit;
        all.extend(told);
        if is_last || all.len() >= part.limit {
            return Ok(all);
        }
    }
}

fn no_documents() -> Problem {
    Problem::bad("Configured builder not able to generate final modulemds!")
}

fn short(build: &ListedBuild) -> BuildShort {
    BuildShort::of(build.id, &build.summary)
}

fn exactly<C>(column: C, id: i64) -> Condition<C> {
    Condition::AnyOf(column, vec![Value::Number(id)])
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Returns what is read of a list of so many, and how large the parts were that were asked for.
    async fn read(total: u64, skip: u64, limit: usize) -> (usize, Vec<usize>) {
        let asked = RefCell::new(Vec::new());
        let ask = async |page: Page| {
            asked.borrow_mut().push(page.limit);
            let rest = usize::try_from(total.saturating_sub(page.skip)).unwrap();
            Ok(vec![(); rest.min(page.limit)])
        };
        let all = whole(Page { before: None, skip, limit }, ask).await.unwrap();
        (all.len(), asked.into_inner())
    }

    #[tokio::test]
    async fn a_page_is_asked_for_in_parts_that_stores_tell() {
        assert_eq!(read(9_999, 0, 2_500).await, (2_500, vec![1_000, 1_000, 500]));
        assert_eq!(read(1_300, 100, 2_500).await, (1_200, vec![1_000, 1_000]));
        assert_eq!(read(9_999, 0, 10).await, (10, vec![10]));
        assert_eq!(read(9_999, 0, 0).await, (0, vec![0]));
        assert_eq!(read(5, 7, 2_000).await, (0, vec![1_000]));
    }
}
