//! Files into the hub's work area, in parts, each checked by its sum.

use mbs_core::build_system::Effect;

use super::error::HubError;
use super::session::{Body, Message, Session};
use crate::xmlrpc::{Call, Value};

const METHOD: &str = "rawUpload";
/// A part that arrived wrong is sent once more.
const ATTEMPTS: usize = 2;

impl Session {
    /// Uploads a file into the hub's work area; a file of that name is replaced. Parts that were lost on the way are sent
    /// again at their place, and then the whole is checked too.
    ///
    /// # Errors
    /// As for [`call`](Self::call). Whatever has arrived is of no consequence until another call names the file.
    /// [`HubError::Configuration`] if the directory is not below the work area, or the name no name.
    pub async fn upload(&mut self, directory: &str, name: &str, content: &[u8]) -> Result<(), HubError> {
        check_place(directory, name)?;
        let place = Place { directory, name };
        self.call_in_time(&place.check()).await?;
        let blocksize = self.blocksize();
        let mut was_repeated = false;
        let mut offset = 0;
        loop {
            let part = &content[offset..content.len().min(offset + blocksize)];
            was_repeated |= self.upload_part(&place, offset, part).await?;
            offset += part.len();
            if offset >= content.len() {
                break;
            }
        }
        let check = if was_repeated { place.check().keyword("verify", "adler32") } else { place.check() };
        let found = self.call_in_time(&check).await?;
        let sum = was_repeated.then(|| sum_of(content));
        is_whole(&found, content.len(), sum.as_deref()).map_err(|what| wrong("checkUpload", what))
    }

    /// Uploads a part and says whether it may have gone out more than once.
    async fn upload_part(&mut self, place: &Place<'_>, offset: usize, part: &[u8]) -> Result<bool, HubError> {
        let (mut was_repeated, mut attempts) = (false, 1);
        loop {
            let until = self.deadline();
            let message =
                Message { method: METHOD, body: Body::Part { about: place.about(offset), bytes: part } };
            let (answer, is_repeated) = self.send(&message, until).await?;
            was_repeated |= is_repeated;
            match is_whole(&answer, part.len(), Some(&sum_of(part))) {
                Ok(()) => return Ok(was_repeated),
                Err(what) if attempts == ATTEMPTS => return Err(wrong(METHOD, what)),
                Err(_) => (was_repeated, attempts) = (true, attempts + 1),
            }
        }
    }

    async fn call_in_time(&mut self, call: &Call) -> Result<Value, HubError> {
        let until = self.deadline();
        self.call_until(call, until).await
    }
}

struct Place<'p> {
    directory: &'p str,
    name: &'p str,
}

impl Place<'_> {
    fn check(&self) -> Call {
        Call::new("checkUpload").arg(self.directory).arg(self.name)
    }

    fn about(&self, offset: usize) -> Vec<(&'static str, String)> {
        vec![
            ("filename", self.name.to_owned()),
            ("filepath", self.directory.to_owned()),
            ("fileverify", "adler32".to_owned()),
            ("offset", offset.to_string()),
            ("overwrite", "1".to_owned()),
        ]
    }
}

fn check_place(directory: &str, name: &str) -> Result<(), HubError> {
    let is_step = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    if !directory.split('/').all(is_step) {
        return Err(HubError::unusable(format!("{directory:?} is no directory below the hub's work area")));
    }
    if !is_step(name) || name.contains('/') {
        return Err(HubError::unusable(format!("{name:?} is no name of a file")));
    }
    Ok(())
}

/// Compares what arrived with what was sent.
fn is_whole(found: &Value, length: usize, sum: Option<&str>) -> Result<(), String> {
    let size = match found.member("size") {
        Some(Value::Int(size)) => usize::try_from(*size).ok(),
        // Sizes may be texts, where they may exceed 32 bits.
        Some(Value::String(size)) => size.parse().ok(),
        _ => None,
    };
    if size != Some(length) {
        return Err(format!("{length} bytes were sent, and another number arrived"));
    }
    let arrived = found.member("hexdigest").and_then(Value::as_str);
    if sum.is_some_and(|sum| arrived != Some(sum)) {
        return Err("the sum of what arrived differs".to_owned());
    }
    Ok(())
}

fn sum_of(bytes: &[u8]) -> String {
    format!("{:08x}", adler2::adler32_slice(bytes))
}

fn wrong(method: &str, what: String) -> HubError {
    HubError::Protocol { method: method.to_owned(), what, effect: Effect::Unknown }
}
