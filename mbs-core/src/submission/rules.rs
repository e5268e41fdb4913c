//! What an installation allows in a submission, beside [`crate::policy::Policy`].

use serde::{Deserialize, Serialize};

use super::Patterns;
use crate::ident::Name;
use crate::model::RebuildStrategy;

/// The configured rules of submissions. Keys keep the names of the configuration page; all have defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Beginnings of the addresses that modules may come from.
    pub scmurls: Vec<String>,
    /// Whether modules may come from anywhere.
    pub allow_custom_scmurls: bool,
    /// Whether stream, version and context may hold dashes.
    pub allow_dashes_in_svc: bool,
    /// Whether a document may name itself differently from its repository.
    pub allow_name_override_from_scm: bool,
    /// Whether a document may name a stream other than its branch.
    pub allow_stream_override_from_scm: bool,
    /// Whether documents may be given directly for builds that are no tries.
    pub yaml_submit_allowed: bool,
    /// Whether tries may be built.
    pub modules_allow_scratch: bool,
    /// Branches from which only tries are built.
    pub scratch_build_only_branches: Patterns,
    /// What is built again where nobody says so.
    pub rebuild_strategy: RebuildStrategy,
    /// Whether users may say so.
    pub rebuild_strategy_allow_override: bool,
    /// What users may say.
    pub rebuild_strategies_allowed: Vec<RebuildStrategy>,
    /// Whether streams past their end of life are refused.
    pub check_for_eol: bool,
    /// The module whose buildrequired stream the branch name may override.
    pub br_stream_override_module: Name,
    /// What in a branch name is that stream.
    pub br_stream_override_regexes: Patterns,
}

impl Default for Rules {
    fn default() -> Self {
        use RebuildStrategy::{All, ChangedAndAfter, OnlyChanged};
        Self {
            scmurls: vec!["https://src.fedoraproject.org/modules/".into()],
            allow_custom_scmurls: false,
            allow_dashes_in_svc: false,
            allow_name_override_from_scm: false,
            allow_stream_override_from_scm: false,
            yaml_submit_allowed: false,
            modules_allow_scratch: false,
            scratch_build_only_branches: Patterns::default(),
            rebuild_strategy: ChangedAndAfter,
            rebuild_strategy_allow_override: false,
            rebuild_strategies_allowed: vec![All, ChangedAndAfter, OnlyChanged],
            check_for_eol: false,
            br_stream_override_module: Name::new("platform").expect("the built-in name is valid"),
            br_stream_override_regexes: Patterns::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_with_nothing_said_are_the_defaults() {
        assert_eq!(serde_json::from_str::<Rules>("{}").unwrap(), Rules::default());
        let text = serde_json::to_string(&Rules::default()).unwrap();
        assert_eq!(serde_json::from_str::<Rules>(&text).unwrap(), Rules::default());
        assert!(serde_json::from_str::<Rules>(r#"{"scmurl": []}"#).is_err());
        let branches: Rules =
            serde_json::from_str(r#"{"scratch_build_only_branches": ["^private"]}"#).unwrap();
        assert!(branches.scratch_build_only_branches.is_found_in("private-x"));
    }
}
