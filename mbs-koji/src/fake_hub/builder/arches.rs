//! The architectures a tag builds for.

use crate::fake_hub::state::{Id, State};

/// Returns a tag's architectures, inherited ones if it has none of its own.
pub(super) fn of_tag(state: &State, tag: Id) -> Vec<String> {
    let own = [tag].into_iter();
    let links = state.inherited(tag, None).into_iter().filter(|link| !link.link.noconfig);
    let tags = own.chain(links.map(|link| link.parent).collect::<Vec<_>>());
    let settings = tags.filter_map(|tag| state.tag_settings.value(&tag, None));
    let arches = settings.map(|settings| &settings.arches).find(|arches| !arches.is_empty());
    arches.map(|arches| arches.split_whitespace().map(str::to_owned).collect()).unwrap_or_default()
}
