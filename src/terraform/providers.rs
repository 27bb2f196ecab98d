//! The provider folder that all roots of a run share.
//!
//! Terraform's plugin cache is not safe for inits side by side: while one downloads, another may link half a file, and an entry is
//! only taken as it is where the root's lock file has its hash. So a root that must download does so alone, and its lock file is
//! handed to the roots with the same needs, which then only link, all at once.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::ProviderNeeds;

/// The door to the shared folder, and the lock files that are complete for what is in it.
#[derive(Default)]
pub(super) struct ProviderFolder {
    door: RwLock<()>,
    complete: Mutex<BTreeMap<ProviderNeeds, Vec<String>>>,
}

/// A place at the folder; it is given back when dropped.
#[expect(dead_code, reason = "the guards are held, not read")]
pub(super) enum Place<'a> {
    /// Nothing is needed of the folder.
    Apart,
    /// All is there already: others may link at the same time.
    Shared(RwLockReadGuard<'a, ()>),
    /// Something may be downloaded: nobody else is in.
    Alone(RwLockWriteGuard<'a, ()>),
}

impl ProviderFolder {
    /// Waits for a place for an init with these needs and this lock file, if the root has one.
    pub(super) async fn enter(&self, needs: &ProviderNeeds, lock_file: Option<&str>) -> Place<'_> {
        if needs.is_empty() {
            return Place::Apart;
        }
        if self.is_filled(needs, lock_file) {
            return Place::Shared(self.door.read().await);
        }
        let alone = self.door.write().await;
        // Somebody else may have filled it while we waited.
        if self.is_filled(needs, lock_file) { Place::Shared(alone.downgrade()) } else { Place::Alone(alone) }
    }

    /// A lock file for a root with these needs that has none.
    pub(super) fn lock_file(&self, needs: &ProviderNeeds) -> Option<String> {
        self.complete.lock().unwrap_or_else(PoisonError::into_inner).get(needs)?.last().cloned()
    }

    /// An init with these needs succeeded and left this lock file.
    pub(super) fn filled(&self, needs: &ProviderNeeds, lock_file: &str) {
        let mut complete = self.complete.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = complete.entry(needs.clone()).or_default();
        if !texts.iter().any(|text| text == lock_file) {
            texts.push(lock_file.to_owned());
        }
    }

    /// A lock file that was handed over does not fit: the next root with these needs fills again.
    pub(super) fn unfit(&self, needs: &ProviderNeeds, lock_file: &str) {
        let mut complete = self.complete.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(texts) = complete.get_mut(needs) {
            texts.retain(|text| text != lock_file);
        }
    }

    fn is_filled(&self, needs: &ProviderNeeds, lock_file: Option<&str>) -> bool {
        let complete = self.complete.lock().unwrap_or_else(PoisonError::into_inner);
        complete.get(needs).is_some_and(|texts| match lock_file {
            Some(own) => texts.iter().any(|text| text == own),
            None => !texts.is_empty(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    /// Whether the future would have to wait now.
    async fn waits<T>(future: impl Future<Output = T>) -> bool {
        tokio::time::timeout(std::time::Duration::ZERO, future).await.is_err()
    }

    fn aws() -> ProviderNeeds {
        ProviderNeeds::from(["hashicorp/aws ~> 5.0".to_owned()])
    }

    #[tokio::test]
    async fn the_first_fills_alone_and_the_rest_link_together() {
        let folder = ProviderFolder::default();
        let first = folder.enter(&aws(), None).await;
        assert!(matches!(first, Place::Alone(_)));
        assert!(waits(folder.enter(&aws(), None)).await, "a second download waits");
        assert!(matches!(folder.enter(&ProviderNeeds::new(), None).await, Place::Apart), "the built-in provider never waits");
        folder.filled(&aws(), "lock");
        drop(first);
        let (second, third) = (folder.enter(&aws(), None).await, folder.enter(&aws(), Some("lock")).await);
        assert!(matches!((&second, &third), (Place::Shared(_), Place::Shared(_))));
        assert_eq!(folder.lock_file(&aws()).as_deref(), Some("lock"));
        assert!(waits(folder.enter(&aws(), Some("another lock"))).await, "another lock file may need another download");
    }

    #[tokio::test]
    async fn whoever_waited_for_the_filling_links() {
        let folder = ProviderFolder::default();
        let needs = aws();
        let first = folder.enter(&needs, None).await;
        let (second, ()) = tokio::join!(folder.enter(&needs, None), async {
            tokio::task::yield_now().await;
            folder.filled(&needs, "lock");
            drop(first);
        });
        assert!(matches!(second, Place::Shared(_)));
    }
}
