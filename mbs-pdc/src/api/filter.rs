//! What is looked for among the entries of modules.

use super::Face;
use crate::client::{Method, Request};

/// Which entries are wanted: all that have every given value. `None` and empty: any. Names, streams and the like match whole
/// values whatever their case; dependencies and components match exactly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Filter {
    /// The key of one entry.
    pub uid: Option<String>,
    /// The module's name.
    pub name: Option<String>,
    /// Its stream.
    pub stream: Option<String>,
    /// Its version, as text.
    pub version: Option<String>,
    /// Its context.
    pub context: Option<String>,
    /// The Koji tag that holds its builds.
    pub koji_tag: Option<String>,
    /// Whether it may be required.
    pub active: Option<bool>,
    /// What its build dependencies name; and which streams, of whatever dependency.
    pub build_dep: Option<(String, Option<String>)>,
    /// What its runtime dependencies name; and which streams, of whatever dependency.
    pub runtime_dep: Option<(String, Option<String>)>,
    /// A source package that it has.
    pub component: Option<String>,
}

impl Filter {
    /// Returns the request of a list, without what says how it comes.
    pub fn request(&self, face: Face) -> Request {
        let names = face.names();
        let truth = |active| if active { "True" } else { "False" }.to_owned();
        let build = split(&self.build_dep, ["build_dep_name", "build_dep_stream"]);
        let runtime = split(&self.runtime_dep, ["runtime_dep_name", "runtime_dep_stream"]);
        let given = [
            (names.name, self.name.clone()),
            (names.uid, self.uid.clone()),
            (names.stream, self.stream.clone()),
            (names.version, self.version.clone()),
            (names.context, self.context.clone()),
            ("koji_tag", self.koji_tag.clone()),
            ("active", self.active.map(truth)),
            ("component_name", self.component.clone()),
        ];
        let query = given.into_iter().chain(build).chain(runtime);
        let query = query.filter_map(|(key, value)| value.map(|value| (key, value))).collect();
        Request { query, ..Request::new(Method::Get, [face.path()]) }
    }
}

fn split(
    dependency: &Option<(String, Option<String>)>,
    [name, stream]: [&'static str; 2],
) -> [(&'static str, Option<String>); 2] {
    match dependency {
        Some((of, on)) => [(name, Some(of.clone())), (stream, on.clone())],
        None => [(name, None), (stream, None)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_endpoint_is_asked_in_its_own_words() {
        let text = |text: &str| Some(text.to_owned());
        let dependency = |name: &str, stream: &str| Some((name.to_owned(), text(stream)));
        let all = Filter {
            uid: text("u"),
            name: text("n"),
            stream: text("s"),
            version: text("1"),
            context: text("c"),
            koji_tag: text("t"),
            active: Some(false),
            build_dep: dependency("b", "x"),
            runtime_dep: dependency("r", "y"),
            component: text("p"),
        };
        let common = "koji_tag=t&active=False&component_name=p&build_dep_name=b&build_dep_stream=x\
            &runtime_dep_name=r&runtime_dep_stream=y";
        let variants = "variant_id=n&variant_uid=u&variant_version=s&variant_release=1&variant_context=c";
        let asked = |face| all.request(face).to_string();
        assert_eq!(asked(Face::Variants), format!("GET unreleasedvariants/?{variants}&{common}"));
        let modules = "name=n&uid=u&stream=s&version=1&context=c";
        assert_eq!(asked(Face::Modules), format!("GET modules/?{modules}&{common}"));
        assert_eq!(Filter::default().request(Face::Modules).to_string(), "GET modules/");
    }
}
