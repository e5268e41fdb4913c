//! The trait of whatever knows which modules exist: the store, PDC, Koji, files, memory. It only reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::ident::{Name, NameStream, Nsvc, Stream, TagName};
use crate::modulemd::{ModuleStream, Xmd};

mod chain;
pub mod choice;
mod in_store;

pub use chain::Chain;
pub use in_store::StoreResolver;

/// Finds modules. Answers hold `ready` builds unless a method says otherwise.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ModuleResolver: Debug + Send + Sync + 'static {
    /// Returns the streams of modules that have a build, per name, sorted by text; unknown names are missing.
    ///
    /// # Errors
    /// Any: nothing is known; ask again if transient.
    async fn streams(&self, names: &[Name]) -> Result<BTreeMap<Name, Vec<Stream>>, ResolverError>;

    /// Returns the builds of the highest version of each name:stream, in all contexts, highest version first, then by context;
    /// which builds count says `against`. What has none is missing.
    ///
    /// # Errors
    /// Any: nothing is known; ask again if transient.
    async fn latest(
        &self,
        modules: &[NameStream],
        against: &Against,
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError>;

    /// Returns exactly these builds, retired ones too; unknown ones are missing.
    ///
    /// # Errors
    /// Any: nothing is known; ask again if transient.
    async fn builds(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, KnownModule>, ResolverError>;

    /// Returns, for each of these base module builds, those that share a virtual stream with it: the highest version of each
    /// stream that is ready and, if asked, the highest that is retired; newest stream first, then the highest version, itself
    /// included. What is unknown is missing.
    ///
    /// # Errors
    /// Any: nothing is known; ask again if transient.
    async fn compatible_bases(
        &self,
        bases: &[Nsvc],
        retired: Retired,
    ) -> Result<BTreeMap<Nsvc, Vec<KnownModule>>, ResolverError>;

    /// Returns, for each name and virtual stream, the base module builds that provide it: the highest version of each stream,
    /// by stream. What nobody provides is missing.
    ///
    /// # Errors
    /// Any: nothing is known; ask again if transient.
    async fn providers(
        &self,
        virtual_streams: &[NameStream],
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError>;

    /// Returns the module builds found in a tag; empty if there are none.
    ///
    /// # Errors
    /// `Unsupported` where modules have no tags.
    async fn in_tag(&self, tag: &TagName) -> Result<Vec<KnownModule>, ResolverError>;

    /// Says whether a name:stream is past its end of life.
    ///
    /// # Errors
    /// `NotFound` if it is unknown, `Unsupported` where nobody knows.
    async fn is_end_of_life(&self, module: &NameStream) -> Result<bool, ResolverError>;

    /// Returns the source as one expansion asks it: what it has answered it remembers, and answers the same again. `None`: asking
    /// costs so little that it remembers nothing.
    fn for_one_expansion(&self) -> Option<Arc<dyn ModuleResolver>> {
        None
    }
}

/// What a build must have been built against to count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Against {
    /// Whatever.
    Anything,
    /// Of each list the first base module build against which the module has builds: the highest version made against it.
    FirstOf(Vec<Vec<Nsvc>>),
}

/// Whether retired builds (`garbage`) count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retired {
    /// They do.
    Included,
    /// They do not.
    Excluded,
}

/// A module build that can be required.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownModule {
    /// Its identity.
    pub nsvc: Nsvc,
    /// The tag with its RPMs; `None`: metadata only.
    pub tag: Option<TagName>,
    /// Its stored document.
    pub document: Arc<ModuleStream>,
    /// Whether it is `ready` (not retired).
    pub is_ready: bool,
}

impl KnownModule {
    /// Says whether streams as written in a runtime require allow this module, be it by a stream that it provides.
    ///
    /// A negated stream or virtual stream refuses; of positive ones, if there are any, one must be among them.
    pub fn is_allowed_by(&self, written: &BTreeSet<String>) -> bool {
        let has_positive = written.iter().any(|stream| !stream.starts_with('-'));
        let is_named = || self.provided().iter().any(|stream| written.contains(*stream));
        !self.is_refused_by(written) && (!has_positive || is_named())
    }

    /// Says whether it was built against exactly this base module build.
    pub fn was_built_against(&self, base: &Nsvc) -> bool {
        let Some(entry) = self.buildrequire(&base.name) else { return false };
        let spelling = |key| entry.value(key).and_then(Xmd::spelling);
        spelling("stream") == Some(base.stream.as_str())
            && spelling("version") == Some(base.version.to_string().as_str())
            && spelling("context") == Some(base.context.as_str())
    }

    /// Returns the stream of a module that it was built with; `None` if it was built without.
    pub fn built_with(&self, name: &Name) -> Option<&str> {
        self.buildrequire(name)?.value("stream").and_then(Xmd::spelling)
    }

    fn buildrequire(&self, name: &Name) -> Option<&Xmd> {
        self.document.xmd.at(&["mbs", "buildrequires", name.as_str()])
    }

    /// Returns the tag in which everything is that is built on this base module, if it says so.
    pub fn tag_with_modules(&self) -> Option<TagName> {
        let tag = self.document.xmd.at(&["mbs", "koji_tag_with_modules"]).and_then(Xmd::spelling)?;
        TagName::new(tag).ok()
    }

    /// Returns its virtual streams, in their order; only base modules have any.
    pub fn virtual_streams(&self) -> Vec<&str> {
        self.document.xmd.at(&["mbs", "virtual_streams"]).map(Xmd::texts).unwrap_or_default()
    }

    /// Says whether streams as written exclude this module, be it by a stream that it provides.
    pub fn is_refused_by(&self, written: &BTreeSet<String>) -> bool {
        self.provided().iter().any(|stream| written.contains(&format!("-{stream}")))
    }

    /// Returns its stream and its virtual streams.
    pub(crate) fn provided(&self) -> Vec<&str> {
        std::iter::once(self.nsvc.stream.as_str()).chain(self.virtual_streams()).collect()
    }
}

/// Why nothing was found out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolverError {
    /// What was asked about is unknown.
    #[error("{what} is not known")]
    NotFound {
        /// Kind and name.
        what: String,
    },
    /// The source's data contradict each other; an administrator has to look.
    #[error("{what}")]
    Conflict {
        /// Both sides, in words.
        what: String,
    },
    /// The source cannot be asked at the moment.
    #[error("modules cannot be looked up: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
    },
    /// The source cannot answer such questions.
    #[error("this source of modules does not know {what}")]
    Unsupported {
        /// What was asked.
        what: &'static str,
    },
    /// The source answered something that makes no sense.
    #[error("the source of modules answered nonsense: {what}")]
    Protocol {
        /// The question and what was odd.
        what: String,
    },
}

impl ResolverError {
    /// Says whether asking again may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Protocol { .. })
    }
}
