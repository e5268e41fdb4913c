//! Ways of reading that forgive what older and other services do.

use serde::{Deserialize, Deserializer};

/// Reads null as empty.
pub(super) fn empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads a member that may be null and may be missing; which of them it was stays known.
pub(super) fn told<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}
