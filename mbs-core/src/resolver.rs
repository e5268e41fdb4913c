//! The trait of whatever knows which modules exist: the store, PDC, Koji, files, memory. It only reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::ident::{Name, NameStream, Nsvc, Stream, TagName};
use crate::modulemd::{ModuleStream, Xmd};

/// Finds modules. Answers hold `ready` builds unless a method says otherwise.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ModuleResolver: Debug + Send + Sync + 'static {
    /// Returns the streams of modules that have a build, per name, sorted by text; unknown names are missing.
    ///
    /// # Errors
    /// Any: nothing is known; ask again if transient.
    async fn streams(&self, names: &[Name]) -> Result<BTreeMap<Name, Vec<Stream>>, ResolverError>;

    /// Returns the builds of the highest version of each name:stream, in all contexts, sorted by context; with `base` only
    /// those built against one of these base module builds. What has none is missing.
    ///
    /// # Errors
    /// Any: nothing is known; ask again if transient.
    async fn latest(
        &self,
        modules: &[NameStream],
        base: Option<Vec<Nsvc>>,
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError>;

    /// Returns exactly these builds, retired ones too; unknown ones are missing.
    ///
    /// # Errors
    /// Any: nothing is known; ask again if transient.
    async fn builds(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, KnownModule>, ResolverError>;

    /// Returns the base module builds that share a virtual stream with `base`, the highest version of each stream, newest
    /// stream first, `base` itself included. `retired` ones too if asked.
    ///
    /// # Errors
    /// Any: nothing is known; ask again if transient.
    async fn compatible_bases(
        &self,
        base: &Nsvc,
        retired: Retired,
    ) -> Result<Vec<KnownModule>, ResolverError>;

    /// Returns the base module build of the highest (stream version, version) that provides a virtual stream.
    ///
    /// # Errors
    /// Any: nothing is known; ask again if transient.
    async fn base_with_virtual_stream(
        &self,
        name: &Name,
        virtual_stream: &Stream,
    ) -> Result<Option<KnownModule>, ResolverError>;

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

    /// Says whether streams as written exclude this module, be it by a stream that it provides.
    pub fn is_refused_by(&self, written: &BTreeSet<String>) -> bool {
        self.provided().iter().any(|stream| written.contains(&format!("-{stream}")))
    }

    /// Returns its stream and its virtual streams.
    fn provided(&self) -> Vec<&str> {
        let virtual_streams = self.document.xmd.at(&["mbs", "virtual_streams"]).map(Xmd::texts);
        std::iter::once(self.nsvc.stream.as_str()).chain(virtual_streams.unwrap_or_default()).collect()
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
