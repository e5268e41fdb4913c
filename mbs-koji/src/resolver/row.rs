//! A module build in a tag, read from what the hub says of it.

use mbs_core::ident::{Context, Name, Nsvc, Stream, TagName, Version};

use crate::xmlrpc::Value;

/// A module build and the tag it is in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaggedModule {
    /// The build.
    pub nsvc: Nsvc,
    /// Where it is really tagged, be it a tag that the asked one inherits.
    pub tag: TagName,
    /// The tag with its RPMs, as the import said; `None` if it did not.
    pub content_tag: Option<TagName>,
}

/// A build that cannot be understood as a module.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the build {nvr} cannot be understood as a module: {why}")]
pub struct NotAModule {
    /// The build as the hub names it, cut at 200 characters.
    pub nvr: String,
    /// What is wrong.
    pub why: &'static str,
}

impl TaggedModule {
    /// Reads a row of `listTagged` together with the answer to `getBuild` for it: name, version and context are those of the
    /// NVR, the stream that of `extra.typeinfo.module`, as dashes in it are lost in the NVR.
    ///
    /// # Errors
    /// The build is no module's, or what the hub says of it contradicts itself.
    pub fn read(row: &Value, build: &Value) -> Result<Self, NotAModule> {
        let text = |name: &str| row.member(name).and_then(Value::as_str).unwrap_or_default();
        let refuse = |why| NotAModule { nvr: text("nvr").chars().take(200).collect(), why };
        let info = ["extra", "typeinfo", "module"].iter().try_fold(build, |at, name| at.member(name));
        let info = info.ok_or_else(|| refuse("it has no extra.typeinfo.module"))?;
        let stream =
            info.member("stream").and_then(Value::as_str).and_then(|stream| Stream::new(stream).ok());
        let stream = stream.ok_or_else(|| refuse("it has no valid stream in extra.typeinfo.module"))?;
        if stream.as_str().replace('-', "_") != text("version") {
            return Err(refuse("its stream is another than its version"));
        }
        let release = text("release").split_once('.').and_then(|(version, context)| {
            Some((version.parse::<Version>().ok()?, Context::new(context).ok()?))
        });
        let (version, context) = release.ok_or_else(|| refuse("its release is no version and context"))?;
        let content_tag = info.member("content_koji_tag").and_then(Value::as_str);
        Ok(Self {
            nsvc: Nsvc {
                name: Name::new(text("name")).map_err(|_| refuse("its name is no module's"))?,
                stream,
                version,
                context,
            },
            tag: TagName::new(text("tag_name")).map_err(|_| refuse("it is in no tag"))?,
            content_tag: content_tag.and_then(|tag| TagName::new(tag).ok()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmlrpc::Struct;

    fn row(version: &str, release: &str) -> Value {
        let nvr = format!("perl-{version}-{release}");
        let members = [
            ("name", "perl"),
            ("version", version),
            ("release", release),
            ("tag_name", "f40"),
            ("nvr", &nvr),
        ];
        Value::Struct(Struct::from(members))
    }

    fn build(stream: &str) -> Value {
        let module = Struct::from([("stream", stream), ("content_koji_tag", "module-perl")]);
        let typeinfo = Struct::from([("module", module)]);
        Value::Struct([("extra", Struct::from([("typeinfo", typeinfo)]))].into())
    }

    #[test]
    fn a_stream_gets_its_dashes_back() {
        let read = TaggedModule::read(&row("5.30_x", "2020.c0ffee42"), &build("5.30-x")).unwrap();
        assert_eq!(read.nsvc.to_string(), "perl:5.30-x:2020:c0ffee42");
        assert_eq!((read.tag.as_str(), read.content_tag.unwrap().as_str()), ("f40", "module-perl"));
        let underscored = TaggedModule::read(&row("5.30_x", "2020.c0ffee42"), &build("5.30_x")).unwrap();
        assert_eq!(underscored.nsvc.stream.as_str(), "5.30_x");
    }

    #[test]
    fn what_is_no_module_is_refused_by_name() {
        let why = |row: Value, build: Value| TaggedModule::read(&row, &build).unwrap_err().to_string();
        let rpm = why(row("5.30", "1.fc40"), Value::Struct(Struct::default()));
        assert_eq!(
            rpm,
            "the build perl-5.30-1.fc40 cannot be understood as a module: it has no extra.typeinfo.module"
        );
        assert!(why(row("5.30", "2020.c0ffee42"), build("5.32")).ends_with("another than its version"));
        assert!(why(row("5.30", "2020"), build("5.30")).ends_with("no version and context"));
        assert!(why(row("5.30", "fc.c0ffee42"), build("5.30")).ends_with("no version and context"));
        assert!(why(Value::Nil, build("")).contains("no valid stream"));
    }
}
