//! Uploads by calls; raw ones come another way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Args, Method, method};
use crate::fake_hub::checksum;
use crate::fake_hub::context::{Context, nothing};
use crate::fake_hub::state::{Answer, WORK, refuse, upload_path};
use crate::xmlrpc::{Struct, Value};

pub(super) const METHODS: &[Method] = &[
    method(
        "checkUpload",
        "RootExports.checkUpload",
        "path, name, verify=None, tail=None, volume=None",
        check,
    ),
    method(
        "uploadFile",
        "RootExports.uploadFile",
        "path, name, size, md5sum, offset, data, volume=None, checksum=None",
        upload,
    ),
];

fn check(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_login()?;
    let path = upload_path(args.text("path")?, args.text("name")?)?;
    let Some(file) = context.state.uploads.get(&path) else { return nothing() };
    if file.is_link {
        return Err(refuse(format!("destination is a symlink: {WORK}/{path}")));
    }
    let bytes = &file.bytes;
    let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let mut row = Struct::from([("size", Value::from(size)), ("mtime", file.changed.seconds().into())]);
    if let Some(kind) = args.optional_text("verify")? {
        let tail = args.optional_int("tail")?.and_then(|tail| usize::try_from(tail).ok());
        let begin = tail.map_or(0, |tail| bytes.len().saturating_sub(tail));
        row.insert("hexdigest", checksum::digest(kind, &bytes[begin..])?.into());
        row.insert("sumlength", i64::try_from(bytes.len() - begin).unwrap_or(i64::MAX).into());
    }
    Ok(row.into())
}

fn upload(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_login()?;
    let path = upload_path(args.text("path")?, args.text("name")?)?;
    let (kind, expected) = match args.value("md5sum") {
        Value::Array(pair) => match pair.as_slice() {
            [kind, digest] => (kind.as_str().unwrap_or_default(), digest.as_str().unwrap_or_default()),
            _ => return Err(refuse("Invalid checksum")),
        },
        Value::String(digest) => ("md5", &**digest),
        _ => ("", ""),
    };
    let offset = args.int("offset")?;
    let size = usize::try_from(args.int("size")?).unwrap_or(usize::MAX);
    let is_right = |bytes: &[u8]| -> Answer<bool> {
        Ok(bytes.len() == size && (kind.is_empty() || checksum::digest(kind, bytes)? == expected))
    };
    if offset == -1 {
        let file = context.state.uploads.get(&path);
        return Ok(file.map(|file| is_right(&file.bytes)).transpose()?.unwrap_or(false).into());
    }
    let text: String = args.text("data")?.split_whitespace().collect();
    let bytes = STANDARD.decode(text).map_err(|_| refuse("Invalid base64 data"))?;
    if !is_right(&bytes)? {
        return Ok(false.into());
    }
    let offset = usize::try_from(offset).map_err(|_| refuse(format!("Invalid offset: {offset}")))?;
    context.state.write_upload(&path, offset, &bytes, offset == 0)?;
    Ok(true.into())
}
