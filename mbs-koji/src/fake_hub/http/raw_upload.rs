//! Raw uploads: bytes as the body, what to do with them in the query string.

use super::Asked;
use crate::fake_hub::checksum;
use crate::fake_hub::context::not_allowed;
use crate::fake_hub::python::quoted;
use crate::fake_hub::shared::Shared;
use crate::fake_hub::state::{Answer, State, refuse, upload_path};
use crate::xmlrpc::{Fault, FaultCode, Struct, Value};

impl Shared {
    /// Writes one chunk of a file.
    pub(crate) fn raw_upload(&self, asked: &Asked, body: &[u8]) -> Answer {
        self.in_session(asked, "rawUpload", |context| {
            if context.session.is_none() {
                return Err(not_allowed("you must be logged-in to upload"));
            }
            write(context.state, asked, body)
        })
    }
}

fn write(state: &mut State, asked: &Asked, body: &[u8]) -> Answer {
    let fields = asked.fields();
    let field = |name: &str| {
        let missing = || Fault::new(FaultCode::Exception, format!("<class 'KeyError'>: '{name}'"));
        fields.get(name).ok_or_else(missing)
    };
    let path = upload_path(fields.get("filepath").map_or("", String::as_str), field("filename")?)?;
    let offset = fields.get("offset").map_or("0", String::as_str);
    let invalid = || {
        let text =
            format!("<class 'ValueError'>: invalid literal for int() with base 10: {}", quoted(offset));
        Fault::new(FaultCode::Exception, text)
    };
    let place: usize = offset.parse().map_err(|_| invalid())?;
    let overwrites = fields.get("overwrite").is_some_and(|value| !matches!(value.as_str(), "" | "0"));
    let kind = fields.get("fileverify");
    let digest = kind.map(|kind| checksum::digest(kind, body)).transpose()?;
    state.write_upload(&path, place, body, overwrites)?;
    let size = i64::try_from(body.len()).map_err(|_| refuse("too long"))?;
    let mut answer = Struct::from([
        ("size", Value::from(size)),
        ("offset", i64::try_from(place).map_err(|_| refuse("too far"))?.into()),
    ]);
    if let (Some(kind), Some(digest)) = (kind, digest) {
        answer.insert("fileverify", kind.into());
        answer.insert("hexdigest", digest.into());
    }
    Ok(answer.into())
}
