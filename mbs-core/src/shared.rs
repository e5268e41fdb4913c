//! A part of a record or document that copies share until one of them changes it.
//!
//! Every plan copies a whole record and changes a few components of it. What did not change costs such a copy a pointer, and
//! is recognised as equal by that pointer.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A value that its copies share. Reading goes through as if it were the value itself; whoever takes hold of it to change it
/// gets a copy of his own first, so loops that only look should not borrow it mutably beyond the pattern.
#[derive(Debug, Clone, Default, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shared<T>(Arc<T>);

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T: Eq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_shared_until_it_is_changed() {
        let first: Shared<String> = "a".to_owned().into();
        let mut second = first.clone();
        assert!(std::ptr::eq(&*first, &*second));
        assert_eq!(first, second);
        second.push('b');
        assert_eq!((first.as_str(), second.as_str()), ("a", "ab"));
        assert_ne!(first, second);
    }

    #[test]
    fn what_is_equal_need_not_be_shared() {
        assert_eq!(Shared::from(7), Shared::from(7));
    }
}
