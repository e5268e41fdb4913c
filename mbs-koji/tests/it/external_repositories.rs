//! Are the RPMs of external repositories among those of a tag?

use mbs_core::build_system::{BuildQuestions, BuildSystem as _};

use crate::server::{Server, Turn};
use crate::site::{BASE, Site, id};

const INDEX: &str = r#"<repomd><data type="primary"><location href="repodata/p.xml"/></data></repomd>"#;

fn primary(name: &str) -> String {
    format!(
        r#"<metadata><package type="rpm"><name>{name}</name><arch>x86_64</arch>
           <version epoch="0" ver="1" rel="2"/></package></metadata>"#
    )
}

fn page(text: &str) -> Turn {
    Turn::of(200, &[("Content-Type", "text/xml")], text.as_bytes())
}

fn questions() -> BuildQuestions {
    BuildQuestions {
        tag_rpms: [id(BASE)].into(),
        arches: [id("x86_64"), id("aarch64")].into(),
        ..BuildQuestions::default()
    }
}

#[tokio::test]
async fn a_repository_is_read_for_each_architecture() {
    let site = Site::new("1.35.3").await;
    let server =
        Server::start([page(INDEX), page(&primary("first")), page(INDEX), page(&primary("second"))], None)
            .await;
    site.hub.plant_external_repo(BASE, ("ext", &format!("{}/$arch/", server.address)), 5);
    let answers = site.system.observe(&questions()).await.unwrap();
    let rpms: Vec<String> = answers.tag_rpms.unwrap()[BASE].iter().map(ToString::to_string).collect();
    for name in ["first-0:1-2.x86_64", "second-0:1-2.x86_64"] {
        assert!(rpms.iter().any(|rpm| rpm == name), "{name} is missing in {rpms:?}");
    }
    let asked: Vec<String> = server.taken().iter().map(|taken| taken.target.clone()).collect();
    let places = [
        "aarch64/repodata/repomd.xml",
        "aarch64/repodata/p.xml",
        "x86_64/repodata/repomd.xml",
        "x86_64/repodata/p.xml",
    ];
    assert_eq!(asked, places.map(|place| format!("/{place}")));
}

#[tokio::test]
async fn a_repository_that_cannot_be_read_is_named() {
    let site = Site::new("1.35.3").await;
    let server = Server::start([Turn::of(404, &[], b"no"), page("<html/>")], None).await;
    let address = format!("{}/ext", server.address);
    site.hub.plant_external_repo(BASE, ("ext", &address), 5);
    for what in ["404", "its index names no primary metadata"] {
        let error = site.system.observe(&questions()).await.unwrap_err();
        let said = error.to_string();
        assert!(error.is_transient() && said.contains(&address) && said.contains(what), "{said}");
    }
}
