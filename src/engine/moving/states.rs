//! The states of a move: copied by Terraform's own migration, looked at by a plan, emptied.

use tokio_util::sync::CancellationToken;

use crate::domain::change::PlannedResource;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::Alias;
use crate::domain::record::StateLocation;
use crate::engine::recorded::Recorded;
use crate::engine::root::unwritable;
use crate::engine::{Engine, Removed, changes};
use crate::terraform::{BackendChange, Over, PlanMode, Root, State};

/// The file of the state that takes the place of one that was moved.
const EMPTIED: &str = "emptied.tfstate";

/// An applied plugin with where its state is, and where it will be.
pub(super) struct Site<'a> {
    pub(super) alias: &'a Alias,
    removed: &'a Removed,
    recorded: Recorded<'a>,
    old: StateLocation,
    pub(super) new: StateLocation,
    /// Whether what is at the new place is there because of us.
    copied: bool,
    /// Its root module, once there is one, and which place that is about, if that is known.
    root: Option<(Root, Option<Side>)>,
}

/// One of the two places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Old,
    New,
}

impl Site<'_> {
    /// Whether nothing of it is in any state: it is made by steps alone, or stays where it is.
    fn has_no_state_to_move(&self) -> bool {
        self.removed.plugin.terraform.is_none() || self.old == self.new
    }

    fn place(&self, at: Side) -> &StateLocation {
        match at {
            Side::Old => &self.old,
            Side::New => &self.new,
        }
    }
}

impl Engine {
    /// An applied plugin whose state is at one place and will be at another.
    pub(super) async fn site<'a>(
        &self,
        alias: &'a Alias,
        removed: &'a Removed,
        old: StateLocation,
        new: StateLocation,
    ) -> Result<Site<'a>, Problems> {
        let handed = self.really_handed(alias, removed)?;
        let recorded = self.recorded(alias, removed, handed, self.account_of(removed)).await?;
        Ok(Site { alias, removed, recorded, old, new, copied: false, root: None })
    }

    /// Copies the state to the new place. What is there may be an earlier copy, or nothing.
    pub(super) async fn copy_state(&self, site: &mut Site<'_>) -> Result<(), Problems> {
        if site.has_no_state_to_move() {
            return Ok(());
        }
        let there = self.pull(site, Side::New, &self.cancel).await?;
        let Some(here) = self.pull(site, Side::Old, &self.cancel).await? else { return Ok(()) };
        match there {
            Some(there) if !there.is_empty() && !there.is_copy_of(&here) => Err(taken(site, &there)),
            _ => {
                site.copied = true;
                self.turn(site, Side::New, BackendChange::Migrate, &self.cancel).await.map(|_| ())
            }
        }
    }

    /// What a plan at the new place would change.
    pub(super) async fn changes_at_new(&self, site: &mut Site<'_>) -> Result<Vec<PlannedResource>, Problems> {
        if site.removed.plugin.terraform.is_none() {
            return Ok(Vec::new());
        }
        let root = self.turn(site, Side::New, BackendChange::Leave, &self.cancel).await?;
        let plan = self.plan_root(site.alias, &root, PlanMode::Apply, true, Some(&site.removed.record)).await?;
        Ok(changes::planned_resources(&plan))
    }

    /// Empties the old place, where it still holds what was moved. Says whether it did.
    pub(super) async fn empty_old(&self, site: &mut Site<'_>) -> Result<bool, Problems> {
        self.empty_copy(site, Side::New, Side::Old).await
    }

    /// Empties the new place, where it holds the copy that this run made.
    pub(super) async fn empty_new(&self, site: &mut Site<'_>) -> Result<bool, Problems> {
        if !site.copied {
            return Ok(false);
        }
        self.empty_copy(site, Side::Old, Side::New).await
    }

    /// Empties `copy` if it holds a state of the same origin as `kept`. A cancel does not stop it: it brings things in order.
    async fn empty_copy(&self, site: &mut Site<'_>, kept: Side, copy: Side) -> Result<bool, Problems> {
        if site.has_no_state_to_move() {
            return Ok(false);
        }
        let never = CancellationToken::new();
        let kept = self.pull(site, kept, &never).await?;
        let found = self.pull(site, copy, &never).await?;
        let (Some(kept), Some(found)) = (kept, found) else { return Ok(false) };
        if found.is_empty() || !found.is_copy_of(&kept) {
            return Ok(false);
        }
        let root = self.turn(site, copy, BackendChange::Leave, &never).await?;
        let file = root.directory.join(EMPTIED);
        let emptied = found.emptied(&format!("{:032x}", self.world.random.bits()));
        self.world.files.write_private(&file, &emptied).map_err(|problem| unwritable(&file, &problem))?;
        self.terraform
            .state_push(&root, &file, Over::Anything, &never)
            .await
            .map_err(|failure| self.explain(site.alias, failure))?;
        Ok(true)
    }

    async fn pull(&self, site: &mut Site<'_>, at: Side, cancel: &CancellationToken) -> Result<Option<State>, Problems> {
        let root = self.turn(site, at, BackendChange::Leave, cancel).await?;
        self.terraform.state_pull(&root, cancel).await.map_err(|failure| self.explain(site.alias, failure))
    }

    /// The root module of a site, about one of its places.
    async fn turn(
        &self,
        site: &mut Site<'_>,
        at: Side,
        change: BackendChange,
        cancel: &CancellationToken,
    ) -> Result<Root, Problems> {
        let there = site.root.take();
        let rendering = self.rendering(&site.recorded, site.place(at));
        let root = match there {
            None => self.initialize(&rendering).await?.0,
            Some((root, Some(about))) if about == at => root,
            Some((root, _)) => {
                let turned = self.turn_to(&root, &rendering, change, cancel).await;
                if let Err(problems) = turned {
                    site.root = Some((root, None));
                    return Err(problems);
                }
                root
            }
        };
        site.root = Some((root.clone(), Some(at)));
        Ok(root)
    }
}

fn taken(site: &Site<'_>, there: &State) -> Problems {
    let count = there.managed().len();
    let message = format!("where the state of `{}` would go there is another one, with {count} resources", site.alias);
    Diagnostic::error(FailureReason::InvalidInput, message)
        .note(format!("the state `{}` in the `{}` backend is not a copy of it", site.new.key, site.new.backend.kind.as_str()))
        .help("find out whose it is and take it away, or move to another name")
        .into()
}
