//! Publication: one commit on a branch that others write too, by compare-and-swap, for as long as it takes, within bounds.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};

use super::{Branch, Changes, CommitId, ContextStore, StoreError};
use crate::domain::diagnostic::Problems;
use crate::world::World;

/// After so long, or so many attempts, something is wrong that waiting does not mend.
const TIME_LIMIT: Duration = Duration::from_mins(2);
const MOST_ATTEMPTS: usize = 500;

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The new head; none where nothing was to change.
    pub commit: Option<CommitId>,
    /// How many commits were tried, from 1.
    pub attempts: usize,
}

/// Why nothing was published.
#[derive(Debug)]
pub enum PublishError<E> {
    /// The changes could not be made for the newest head.
    Rebuild(E),
    /// The context cannot be read or written, or its branch kept changing ([`StoreError::Conflict`]).
    Store(StoreError),
}

impl<E> From<StoreError> for PublishError<E> {
    fn from(problem: StoreError) -> Self {
        Self::Store(problem)
    }
}

impl<E: Into<Self>> From<PublishError<E>> for Problems {
    fn from(problem: PublishError<E>) -> Self {
        match problem {
            PublishError::Rebuild(problem) => problem.into(),
            PublishError::Store(problem) => problem.into(),
        }
    }
}

/// Commits what `rebuild` makes of the newest head. When somebody else was faster, `rebuild` is asked again with their head:
/// it reads again, checks again, and makes its changes anew. An empty set of changes is not committed.
///
/// # Errors
/// What `rebuild` returns; what the store cannot do; [`StoreError::Conflict`] when about two minutes were not enough.
pub async fn publish<F, R, E>(
    store: &dyn ContextStore,
    world: &World,
    branch: Branch,
    message: &str,
    mut rebuild: F,
) -> Result<Published, PublishError<E>>
where
    F: FnMut(Option<CommitId>) -> R,
    R: Future<Output = Result<Changes, E>>,
{
    let started = world.clock.now();
    let mut delays = ExponentialBuilder::new()
        .with_jitter()
        .with_min_delay(Duration::from_millis(20))
        .with_max_delay(Duration::from_secs(1))
        .with_max_times(MOST_ATTEMPTS)
        .build();
    let mut attempts = 0;
    loop {
        attempts += 1;
        let head = store.head(branch).await?;
        let changes = rebuild(head.clone()).await.map_err(PublishError::Rebuild)?;
        if changes.is_empty() {
            return Ok(Published { commit: None, attempts });
        }
        let (what, why) = match store.commit(branch, &changes, head.as_ref(), message).await {
            Ok(commit) => return Ok(Published { commit: Some(commit), attempts }),
            Err(StoreError::Conflict { what, why }) => (what, why),
            Err(problem) => return Err(problem.into()),
        };
        let waited = (world.clock.now() - started).to_std().unwrap_or_default();
        match delays.next() {
            Some(delay) if waited < TIME_LIMIT => world.clock.sleep(delay).await,
            _ => {
                let why = format!("gave up after {attempts} attempts in {} seconds, the last of them: {why}", waited.as_secs());
                return Err(StoreError::Conflict { what, why }.into());
            }
        }
    }
}
