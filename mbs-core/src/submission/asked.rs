//! A submission as it came, and whether it may be one at all. What its document says comes later. Source: rest-api, section 6.

use std::collections::BTreeMap;

use super::{Overrides, Refused, Rules, ScmUrl};
use crate::ident::{BuildId, Nsvc};
use crate::model::RebuildStrategy;
use crate::source_control::SourceError;

/// What somebody asks to build; each field is one that clients send.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// Who asks; login and groups are checked.
    pub owner: String,
    /// Place among builds that wait.
    pub priority: i32,
    /// Where the document is, or with one given directly: what is noted.
    pub scmurl: Option<String>,
    /// The branch that the commit is on.
    pub branch: Option<String>,
    /// The document itself.
    pub document: Option<GivenDocument>,
    /// The name of a document that has none.
    pub module_name: Option<String>,
    /// The stream that beats the document's.
    pub module_stream: Option<String>,
    /// Whether it is a try only.
    pub scratch: bool,
    /// Uploaded source RPMs, for scratch builds.
    pub srpms: Vec<String>,
    /// What is built again, in the words of clients.
    pub rebuild_strategy: Option<String>,
    /// Streams instead of the document's.
    pub overrides: Overrides,
    /// Component → ref instead of the document's.
    pub component_refs: BTreeMap<String, String>,
    /// The build to reuse from.
    pub reuse_components_from: Option<GivenBuild>,
    /// The side tag to build against.
    pub side_tag: Option<String>,
}

/// A document that came with the request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GivenDocument {
    /// Its text.
    pub text: String,
    /// The name of its file, if it was one.
    pub file_name: Option<String>,
}

/// A build as people name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenBuild {
    /// By its number.
    Id(BuildId),
    /// By name, stream, version and context.
    Nsvc(String),
}

/// What was asked for, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accepted {
    /// `None`: the document was given directly.
    pub(super) git: Option<ScmUrl>,
    /// As asked for; `None`: the default.
    pub(super) strategy: Option<RebuildStrategy>,
    pub(super) reuse_from: Option<Named>,
}

/// A build that somebody named, as it can be looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// By its number.
    Id(BuildId),
    /// By its identity.
    Nsvc(Nsvc),
}

impl Asked {
    /// Checks what needs no look at anything, in the order that clients know.
    ///
    /// # Errors
    /// Something is not allowed, missing, or makes no sense.
    pub(super) fn check(&self, rules: &Rules) -> Result<Accepted, Refused> {
        self.check_switches(rules)?;
        let git = self.check_place(rules)?;
        let strategy = self.check_strategy(rules)?;
        if self.reuse_components_from.is_some()
            && strategy.unwrap_or(rules.rebuild_strategy) == RebuildStrategy::All
        {
            return Err(Refused::ReuseWithStrategyAll);
        }
        let reuse_from = self.reuse_components_from.as_ref().map(GivenBuild::named).transpose()?;
        Ok(Accepted { git, strategy, reuse_from })
    }

    /// Checks what may be switched off. It is the first part of what [`Submission::new`](super::Submission::new) checks, for
    /// those who have something to say in between.
    ///
    /// # Errors
    /// `ScratchSwitchedOff`, `SrpmsWithoutScratch`, `YamlSwitchedOff`.
    pub fn check_switches(&self, rules: &Rules) -> Result<(), Refused> {
        if self.scratch && !rules.modules_allow_scratch {
            return Err(Refused::ScratchSwitchedOff);
        }
        if !self.srpms.is_empty() && !self.scratch {
            return Err(Refused::SrpmsWithoutScratch);
        }
        if self.document.is_some() && !self.scratch && !rules.yaml_submit_allowed {
            return Err(Refused::YamlSwitchedOff);
        }
        Ok(())
    }

    /// Checks where the document is; `None` if it came along. It is the second part.
    ///
    /// # Errors
    /// The place is missing, no good one, or none that modules may come from; a document that is fetched is given another name.
    pub fn check_place(&self, rules: &Rules) -> Result<Option<ScmUrl>, Refused> {
        if self.document.is_none() { self.check_git(rules).map(Some) } else { Ok(None) }
    }

    fn check_git(&self, rules: &Rules) -> Result<ScmUrl, Refused> {
        let scmurl =
            self.scmurl.as_deref().filter(|url| !url.is_empty()).ok_or(Refused::Missing("scmurl"))?;
        let is_listed = || rules.scmurls.iter().any(|prefix| scmurl.starts_with(prefix.as_str()));
        if !rules.allow_custom_scmurls && !is_listed() {
            return Err(Refused::ForeignScmUrl(scmurl.to_owned()));
        }
        let is_custom = !is_listed();
        let scmurl: ScmUrl = scmurl.parse()?;
        if is_custom && scmurl.is_link_local() {
            return Err(Refused::ForeignScmUrl(scmurl.to_string()));
        }
        let Some(branch) = &self.branch else { return Err(Refused::Missing("branch")) };
        // No repository has such a branch, and none need be asked.
        if branch.starts_with('-') || branch.chars().any(|c| c.is_control() || c.is_whitespace()) {
            let (commit, branch) = (scmurl.revision, branch.escape_debug().to_string());
            return Err(Refused::Source(SourceError::NotOnBranch { commit, branch }));
        }
        if self.module_name.is_some() {
            return Err(Refused::OverrideWithoutDocument("Module name"));
        }
        if self.module_stream.is_some() {
            return Err(Refused::OverrideWithoutDocument("Stream name"));
        }
        Ok(scmurl)
    }

    /// Checks the strategy that was asked for; `None` if none was. It is the third part.
    ///
    /// # Errors
    /// `StrategyFixed`, `StrategyNotAllowed`.
    pub fn check_strategy(&self, rules: &Rules) -> Result<Option<RebuildStrategy>, Refused> {
        let Some(wanted) = &self.rebuild_strategy else { return Ok(None) };
        if !rules.rebuild_strategy_allow_override {
            return Err(Refused::StrategyFixed);
        }
        let allowed = &rules.rebuild_strategies_allowed;
        let found = allowed.iter().copied().find(|strategy| strategy.name() == wanted.as_str());
        let names = || allowed.iter().map(|strategy| strategy.name().to_owned()).collect();
        found
            .map(Some)
            .ok_or_else(|| Refused::StrategyNotAllowed { wanted: wanted.clone(), allowed: names() })
    }
}

impl GivenBuild {
    fn named(&self) -> Result<Named, Refused> {
        match self {
            GivenBuild::Id(id) => Ok(Named::Id(*id)),
            GivenBuild::Nsvc(text) => text.parse().map(Named::Nsvc).map_err(|_| Refused::ReuseFromNothing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::submission::RefusedAs;

    fn rules() -> Rules {
        Rules {
            scmurls: vec!["https://src.example/modules/".into()],
            rebuild_strategy_allow_override: true,
            rebuild_strategies_allowed: vec![RebuildStrategy::All, RebuildStrategy::ChangedAndAfter],
            ..Rules::default()
        }
    }

    fn from_git() -> Asked {
        Asked {
            scmurl: Some("https://src.example/modules/perl.git?#abc".into()),
            branch: Some("5.30".into()),
            ..Asked::default()
        }
    }

    fn refused(asked: &Asked) -> (String, RefusedAs) {
        let refused = asked.check(&rules()).unwrap_err();
        (refused.to_string(), refused.answered_as())
    }

    #[test]
    fn a_submission_from_a_listed_repository_is_accepted() {
        let accepted = from_git().check(&rules()).unwrap();
        assert_eq!(accepted.git.unwrap().name(), "perl");
        assert_eq!((accepted.strategy, accepted.reuse_from), (None, None));
    }

    #[test]
    fn a_branch_that_cannot_be_one_is_not_looked_for() {
        for (branch, shown) in
            [("--upload-pack=x", "--upload-pack=x"), ("a\nb", "a\\nb"), ("a b", "a b"), ("\0", "\\0")]
        {
            let asked = Asked { branch: Some(branch.into()), ..from_git() };
            let told = format!("Commit abc is not in branch {shown}.");
            assert_eq!(refused(&asked), (told, RefusedAs::BadRequest));
        }
        assert!(Asked { branch: Some(String::new()), ..from_git() }.check(&rules()).is_ok());
    }

    #[test]
    fn where_any_address_may_be_taken_those_beside_this_machine_may_not_unless_they_are_listed() {
        let metadata = "http://169.254.169.254/latest/x?#abc";
        let asked = Asked { scmurl: Some(metadata.into()), ..from_git() };
        let custom = Rules { allow_custom_scmurls: true, ..rules() };
        assert!(matches!(asked.check(&custom), Err(Refused::ForeignScmUrl(_))));
        let listed = Rules { scmurls: vec!["http://169.254.169.254/".into()], ..rules() };
        assert!(asked.check(&listed).is_ok());
    }

    #[test]
    fn what_is_switched_off_is_said() {
        use RefusedAs::Forbidden;
        let scratch = Asked { scratch: true, ..from_git() };
        assert_eq!(refused(&scratch), ("Scratch builds are not enabled".into(), Forbidden));
        let srpms = Asked { srpms: vec!["cli-build/x/a.src.rpm".into()], ..from_git() };
        assert_eq!(refused(&srpms), ("srpms may only be specified for scratch builds".into(), Forbidden));
        let yaml = Asked { document: Some(GivenDocument::default()), ..Asked::default() };
        assert_eq!(refused(&yaml), ("YAML submission is not enabled".into(), Forbidden));
    }

    #[test]
    fn what_is_missing_or_out_of_place_is_named() {
        use RefusedAs::{BadRequest, Forbidden};
        let without = |change: fn(&mut Asked)| {
            let mut asked = from_git();
            change(&mut asked);
            refused(&asked)
        };
        assert_eq!(without(|asked| asked.scmurl = None), ("Missing scmurl".into(), BadRequest));
        assert_eq!(without(|asked| asked.branch = None), ("Missing branch".into(), BadRequest));
        assert_eq!(
            without(|asked| asked.scmurl = Some("https://elsewhere/perl?#abc".into())),
            ("The submitted scmurl https://elsewhere/perl?#abc is not allowed".into(), Forbidden)
        );
        assert_eq!(
            without(|asked| asked.scmurl = Some("https://src.example/modules/perl".into())),
            (
                "The submitted scmurl https://src.example/modules/perl is not valid.  Expected format is \
                 'https://src.example/modules/perl?[module-path]#[revision]'"
                    .into(),
                BadRequest
            )
        );
        assert_eq!(
            without(|asked| asked.module_name = Some("x".into())).0,
            "Module name override is only allowed when a YAML file is submitted"
        );
        assert_eq!(
            without(|asked| asked.module_stream = Some("x".into())).0,
            "Stream name override is only allowed when a YAML file is submitted"
        );
    }

    #[test]
    fn a_strategy_must_be_one_of_those_allowed() {
        let with = |strategy: &str| Asked { rebuild_strategy: Some(strategy.into()), ..from_git() };
        assert_eq!(with("all").check(&rules()).unwrap().strategy, Some(RebuildStrategy::All));
        assert_eq!(
            refused(&with("only-changed")).0,
            "The rebuild method of \"only-changed\" is not allowed. Choose from: all, changed-and-after."
        );
        let fixed = Rules { rebuild_strategy_allow_override: false, ..rules() };
        assert_eq!(
            with("all").check(&fixed).unwrap_err().to_string(),
            "The request contains the \"rebuild_strategy\" parameter but overriding the default isn't allowed"
        );
    }

    #[test]
    fn a_build_to_reuse_from_must_be_one() {
        let with = |build: GivenBuild| Asked { reuse_components_from: Some(build), ..from_git() };
        let named = with(GivenBuild::Nsvc("perl:5.30:1:abc".into())).check(&rules()).unwrap().reuse_from;
        assert_eq!(named, Some(Named::Nsvc("perl:5.30:1:abc".parse().unwrap())));
        assert_eq!(
            refused(&with(GivenBuild::Nsvc("perl:5.30".into()))).0,
            "The parameter \"reuse_components_from\" contains an invalid module identifier"
        );
        let all = Asked { rebuild_strategy: Some("all".into()), ..with(GivenBuild::Id(BuildId(3))) };
        assert_eq!(
            refused(&all).0,
            "You cannot specify the parameter \"reuse_components_from\" when the \"rebuild_strategy\" parameter is set to \"all\""
        );
    }
}
