//! What if two backends do the same at once? One may have lost its lease without knowing.

use mbs_core::build_system::{BuildQuestions, BuildSystem as _};

use crate::site::{Site, spec, system};

#[tokio::test]
async fn a_buildroot_that_two_make_at_once_is_made_and_neither_is_refused_for_good() {
    let site = Site::new("1.35.3").await;
    let other = system(&site.hub, "mbs", "mbspw");
    let spec = spec(&["liba", "libb"]);
    let (one, two) = tokio::join!(site.system.ensure_buildroot(&spec), other.ensure_buildroot(&spec));
    for outcome in [one, two] {
        if let Err(error) = outcome {
            assert!(error.is_transient(), "{error}");
        }
    }
    let again = site.system.ensure_buildroot(&spec).await.unwrap();
    assert_eq!(other.ensure_buildroot(&spec).await.unwrap(), again);
    let questions = BuildQuestions { tags: [spec.tag, spec.build_tag].into(), ..BuildQuestions::default() };
    let tags = site.system.observe(&questions).await.unwrap().tags.unwrap();
    assert!(tags.values().all(Option::is_some), "{tags:?}");
}
